"""Formats that come over a serial line and need code: the bench agrees, and nothing comes of what is spoilt or cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import Decoded
from drivers.decoders.catalogue import DECODERS
from tests.support.formats import shipped
from tests.support.vectors import Vector, refusal
from tests.support.wire import bodies, happened, heard, octets, read, sound

NAMES = ("esp3", "gt06", "jt808", "sonoff-rf", "watch-3g")
CHECKED = ("esp3", "gt06", "jt808")
"""Formats with a checksum."""
SOUND = [pytest.param(name, vector, id=f"{name}: {vector['name']}") for name in NAMES for vector in sound(name)]
REASONS = {"too_short", "malformed", "encrypted", "layout"}
PROFILES = shipped()


def body_of(name: str, vector: Vector) -> bytes:
    (body,) = bodies(name, octets(vector))
    assert isinstance(body, bytes)
    return body


@pytest.mark.parametrize(("name", "vector"), SOUND)
def test_the_bench_shows_every_byte_once(name: str, vector: Vector) -> None:
    serial = PROFILES[name].file.serial
    assert serial is not None
    payload = body_of(name, vector)[serial.payload.at :]
    parts = DECODERS[name].parts(payload, None, None)
    places = [each.place.split("-")[0] for each in parts]
    assert b"".join(bytes.fromhex(each.octets) for each in parts) == payload
    assert places == [str(sum(len(each.octets) for each in parts[:number]) // 2) for number in range(len(parts))]


@pytest.mark.parametrize("name", NAMES)
@given(octets=st.binary(max_size=80))
def test_any_bytes_are_read_or_refused_alike_by_decoder_and_bench(name: str, octets: bytes) -> None:
    said, shown = (refusal(read, octets, None, None) for read in DECODERS[name])
    assert said == shown
    assert said is None or said in REASONS


@pytest.mark.parametrize("name", CHECKED)
@given(data=st.data())
def test_nothing_happened_in_a_frame_with_one_bit_flipped(name: str, data: st.DataObject) -> None:
    frame = bytearray(octets(data.draw(st.sampled_from(sound(name)))))
    bit = data.draw(st.integers(0, 8 * len(frame) - 1))
    frame[bit // 8] ^= 1 << bit % 8
    assert not [each for each in heard(name, bytes(frame)) if isinstance(each, Decoded) and happened(each.said)]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "gt06"])
@given(data=st.data())
def test_a_body_cut_anywhere_is_refused_or_says_no_more_than_it_did(name: str, data: st.DataObject) -> None:
    """But for GT06, where the size alone tells one layout from another and the checksum vouches for it."""
    vector = data.draw(st.sampled_from(sound(name)))
    whole = body_of(name, vector)
    cut = read(name, whole[: data.draw(st.integers(0, len(whole) - 1))])
    if isinstance(cut, Decoded):
        assert len(cut.said.readings) <= len(vector.get("values", {})) + max(1, len(vector.get("occurrences", ())))
    else:
        assert cut in REASONS
