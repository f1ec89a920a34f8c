"""GT06: who is speaking, answers as the maker prints them, codes that the profile, or a site's own, gives a meaning."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from drivers.base import BadFrame, Decoded
from drivers.decoders.gt06 import DECODER, DRIVING, LAYOUTS, VEHICLE, WIRE
from drivers.profile.load import load
from drivers.registry import SHIPPED
from tests.support import wire

LOGIN = bytes.fromhex("78781101075253367890024270003201000512790d0a")
DEVICE, NOBODY = "752533678900242", "0" * 15


def packet(kind: int, size: int, information: int = 0, code: int = 0, time: bytes = bytes(6)) -> bytes:
    layout, body = LAYOUTS[kind, size], bytearray(size)
    body[0] = kind
    if kind not in {0x19, 0xA5}:
        body[1:7] = time
    body[layout.information] = information
    if layout.code is not None:
        body[layout.code] = code
    return bytes(body)


def happened(body: bytes) -> list[str]:
    return wire.happened(DECODER.decode(bytes(8) + body, None, None))


@pytest.mark.parametrize(
    ("body", "answer"),
    [("010005", "7878050100059ff80d0a"), ("130100", "787805130100e1a00d0a"), ("26001c", "78780526001c9d860d0a")],
)
def test_answers_are_as_the_maker_prints_them(body: str, answer: str) -> None:
    assert WIRE.wrap(bytes.fromhex(body)) == bytes.fromhex(answer)


def test_an_alarm_is_of_the_device_that_logged_in_and_of_nobody_before_that() -> None:
    alarm = replace(WIRE, longest=80).wrap(packet(0x26, 35, code=1))
    before, _, after = wire.heard("gt06", alarm + LOGIN + alarm)
    assert isinstance(before, Decoded)
    assert isinstance(after, Decoded)
    assert (before.address, after.address) == (NOBODY, DEVICE)
    assert wire.happened(before.said) == wire.happened(after.said) == ["sos, button 1"]


@pytest.mark.parametrize(("kind", "size"), LAYOUTS)
def test_every_layout_has_its_code_and_its_terminal_information_where_it_says(kind: int, size: int) -> None:
    if LAYOUTS[kind, size].code is not None:
        assert happened(packet(kind, size, code=0x23)) == ["button, button 35"]
    assert happened(packet(kind, size, information=0x20)) == ["button, button 1"]
    assert happened(packet(kind, size, information=0x18)) == ["button, button 14"]
    assert happened(packet(kind, size)) == []


def test_code_and_terminal_information_are_a_set() -> None:
    assert happened(packet(0x26, 35, information=0x18, code=1)) == ["button, button 1", "button, button 14"]
    assert happened(packet(0x26, 35, information=0x20, code=1)) == ["button, button 1"]


def test_the_time_in_a_packet_tells_one_alarm_from_the_next() -> None:
    time = bytes.fromhex("1709130f3a2d")
    assert happened(packet(0x26, 35, code=1, time=time)) == [f"button, button 1, key {int.from_bytes(time, 'big')}"]


@given(st.integers(0, 255))
def test_no_code_is_lost_that_does_not_concern_a_vehicle(code: int) -> None:
    expected = [] if code in VEHICLE | DRIVING else [f"button, button {code}"]
    assert happened(packet(0x26, 35, code=code)) == expected


@given(kind=st.sampled_from(sorted({kind for kind, _ in LAYOUTS})), size=st.integers(2, 60))
def test_an_alarm_packet_of_an_unknown_size_is_refused_by_that_name(kind: int, size: int) -> None:
    assume((kind, size) not in LAYOUTS)
    with pytest.raises(BadFrame, match="layout"):
        DECODER.decode(bytes(8) + bytes([kind]) + bytes(size - 1), None, None)


def test_a_site_gives_codes_another_meaning_in_a_profile_of_its_own(tmp_path: Path) -> None:
    text = (SHIPPED / "gt06.yaml").read_text()
    assert text.count('  "1": sos\n') == 1
    (tmp_path / "gt06.yaml").write_text(
        text.replace('  "1": sos\n', '  "1": test\n  "37": sos\n').replace("{kind: sos, key", "{kind: test, key")
    )
    profile = load(tmp_path / "gt06.yaml")
    said = profile.read(bytes(8) + packet(0x26, 35, code=37), None, None)
    assert said is not None
    assert wire.happened(said) == ["sos, button 37"]
