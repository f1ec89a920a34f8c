"""What every framing promises: the same for every portioning, good frames found, refusals bounded, linear work."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import BadFrame
from drivers.checksum import CHECKSUMS
from drivers.framing import (
    KEPT,
    SLIP_CODES,
    BracketedFraming,
    Check,
    CobsFraming,
    Counts,
    EscapedFraming,
    Esp3Framing,
    FixedFraming,
    Framing,
    LengthFraming,
    LineFraming,
    LoginFraming,
    RfBridgeFraming,
    SeveralFramings,
    Tail,
    complemented,
)
from tests.support.streams import calls, heard, one_by_one, portions

X25 = Check(CHECKSUMS["CRC-16/IBM-SDLC"], 2, "big")
SHORT = LengthFraming(b"xx", 2, 1, "big", Counts.BODY_AND_CHECKSUM, Tail(X25, b"\r\n"), 80)
LONG = LengthFraming(b"yy", 2, 2, "big", Counts.BODY_AND_CHECKSUM, Tail(X25, b"\r\n"), 80)
XOR = Check(CHECKSUMS["xor8"])
BODIES = st.binary(min_size=1, max_size=30)
TEXT = st.text("0123456789ABCDEFLK,*[]", max_size=30).map(lambda content: b"3G*8800000015*AL," + content.encode())
RADIO = st.binary(min_size=1, max_size=20).map(lambda telegram: b"\xc9\x01" + telegram)
CODES = st.binary(min_size=9, max_size=9).map(lambda code: b"\xa4" + code) | st.binary(max_size=20).map(
    lambda told: bytes([0xA6, len(told)]) + told
)
ALL: dict[str, tuple[Framing, st.SearchStrategy[bytes]]] = {
    "line": (LineFraming(b"\r\n", 60), st.text("abc\r", max_size=30).map(lambda text: text.encode() + b".")),
    "start_length": (SHORT, BODIES),
    "several": (SeveralFramings((SHORT, LONG)), BODIES),
    "fixed": (FixedFraming(b"\x02", 12, Tail(XOR, b"\x03")), st.binary(min_size=9, max_size=9)),
    "fixed without a start": (FixedFraming(b"", 12, Tail(X25)), st.binary(min_size=10, max_size=10)),
    "slip": (EscapedFraming(0xC0, 0xDB, SLIP_CODES, None, 70), BODIES),
    "hdlc": (EscapedFraming(0x7E, 0x7D, complemented(0x20), Check(X25.checksum), 70), BODIES),
    "jt808": (EscapedFraming(0x7E, 0x7D, {1: 0x7D, 2: 0x7E}, XOR, 70), BODIES),
    "cobs": (CobsFraming(None, 40), BODIES),
    "cobs with a checksum": (CobsFraming(XOR, 40), BODIES),
    "bracketed": (BracketedFraming(90), TEXT),
    "esp3": (Esp3Framing(60), RADIO),
    "rf_bridge": (RfBridgeFraming(60), CODES),
    "login": (LoginFraming(SHORT, b"\x01", 1, 4), BODIES.map(lambda body: bytes(4) + b"." + body)),
}
EVERY = pytest.mark.parametrize("name", ALL)
SPECIAL = [b"\xa5", b"\r", b"x", b"xx", b"xx\x0f", b"yy\0", b"\x02", b"\xc0\xdb", b"\x7d", b"\x7e", b"\0", b"U"]
SPECIAL += [b"[", b"[3G*", b"[3G*1*", b"[3G*1*0", b"[3G*1*0008*", b"[3G*1*0008*000", b"]", b"\xaa", b"\xaa\xa4"]
SPECIAL += [b"\xaa\xb1\3", b"U\0\7"]
ENDS = {"line": b"\r\n", "slip": b"\xc0", "hdlc": b"\x7e", "jt808": b"\x7e"}
ENDS |= dict.fromkeys(["cobs", "cobs with a checksum"], b"\0")


@EVERY
@given(data=st.data(), cuts=st.lists(st.integers(1, 40)))
def test_what_is_wrapped_is_heard_in_any_portions(name: str, data: st.DataObject, cuts: list[int]) -> None:
    framing, bodies = ALL[name]
    sent = data.draw(st.lists(bodies, max_size=5))
    assert heard(framing, portions(b"".join(map(framing.wrap, sent)), cuts)) == sent


@EVERY
@given(data=st.data(), cuts=st.lists(st.integers(1, 9)))
def test_any_bytes_give_the_same_in_any_portions(name: str, data: st.DataObject, cuts: list[int]) -> None:
    framing, bodies = ALL[name]
    pieces = bodies.map(framing.wrap) | st.binary(max_size=20) | st.sampled_from(SPECIAL)
    stream = b"".join(data.draw(st.lists(pieces, max_size=12)))
    whole = heard(framing, [stream])
    assert heard(framing, portions(stream, cuts)) == whole
    assert heard(framing, one_by_one(stream)) == whole


@EVERY
@given(data=st.data(), before=st.binary(max_size=40))
def test_a_good_frame_is_found_behind_any_rubbish(name: str, data: st.DataObject, before: bytes) -> None:
    """Behind a delimiter, where the framing has one: what stands before it is another line.

    A Sonoff bridge's frames prove nothing, so behind its AA rubbish may be taken for a frame.
    """
    framing, bodies = ALL[name]
    before = before.replace(b"\xaa", b"") if name == "rf_bridge" else before
    body = data.draw(bodies)
    assert body in heard(framing, [before, ENDS.get(name, b""), framing.wrap(body), bytes(200)])


@EVERY
@given(st.data())
def test_half_a_frame_costs_no_more_than_patience(name: str, data: st.DataObject) -> None:
    framing, bodies = ALL[name]
    half, body = framing.wrap(data.draw(bodies)), data.draw(bodies)
    half = half[: data.draw(st.integers(0, len(half) - 1))]
    assert body in heard(framing, [half, *[framing.wrap(body)] * 90])


@EVERY
@given(chunks=st.lists(st.binary(max_size=300) | st.sampled_from([*SPECIAL, bytes(600)])))
def test_what_is_refused_is_bounded(name: str, chunks: list[bytes]) -> None:
    found = heard(ALL[name][0], chunks)
    assert all(0 < len(each[1]) <= KEPT for each in found if isinstance(each, tuple))
    assert sum(len(each[1]) for each in found if isinstance(each, tuple)) <= sum(map(len, chunks))


@EVERY
@pytest.mark.parametrize("unit", [*SPECIAL, b"\x7d\x01", b"\xff"])
def test_rubbish_takes_linear_work_and_bounded_memory(name: str, unit: bytes) -> None:
    framing = ALL[name][0]
    short, long = (unit * (1 + size // len(unit)) for size in (1 << 11, 1 << 14))
    assert calls(framing, long, 1 << 14) < 9 * calls(framing, short, 1 << 11) + 200
    assert calls(framing, short, 1) < 64 << 11
    deframer = framing.deframer()
    for _ in range(20):
        deframer.feed(long)
    assert all(isinstance(each, BadFrame) or len(each) < 200 for each in deframer.feed(long))


@EVERY
@given(st.data())
def test_the_bench_finds_nothing_wrong_with_what_is_right(name: str, data: st.DataObject) -> None:
    framing, bodies = ALL[name]
    frame = framing.wrap(data.draw(bodies))
    assert framing.claims(frame)
    assert framing.explain(frame) == ""


@EVERY
@given(octets=st.binary(max_size=90) | st.sampled_from(SPECIAL))
def test_the_bench_survives_anything(name: str, octets: bytes) -> None:
    framing = ALL[name][0]
    bodies = [each for each in heard(framing, [octets]) if isinstance(each, bytes)]
    assert isinstance(framing.claims(octets), bool)
    assert framing.explain(octets) or bodies


@EVERY
def test_a_body_that_is_too_long_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"a body of (5000|4996) bytes"):
        ALL[name][0].wrap(bytes(5000))
