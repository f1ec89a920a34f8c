"""Formats that come over a serial line, by their vectors: whole, in portions, in rubbish, refused, cut and spoilt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import Decoded, Occurrence
from drivers.decoders.catalogue import DECODERS
from tests.support.vectors import refusal
from tests.support.wire import (
    RUBBISH,
    Vector,
    bodies,
    found,
    heard,
    octets,
    read,
    shipped,
    shows_every_byte,
    stated,
    vectors,
)

NAMES = ("esp3", "gt06", "jt808", "sonoff-rf", "watch-3g")
SOUND = [pytest.param(name, vector, id=f"{name}: {vector['name']}") for name in NAMES for vector in vectors(name)[0]]
REFUSED = [pytest.param(name, vector, id=f"{name}: {vector['name']}") for name in NAMES for vector in vectors(name)[1]]
PROFILES = shipped()
REASONS = {"too_short", "malformed", "encrypted", "layout"}
CHECKED = ("esp3", "gt06", "jt808")
"""Formats with a checksum."""


def payload(name: str, body: bytes) -> bytes:
    serial = PROFILES[name].file.serial
    return body[serial.payload.at if serial else 0 :]


@pytest.mark.parametrize("chunk", [1, 7, 4096])
@pytest.mark.parametrize("around", [b"", RUBBISH], ids=["alone", "in rubbish"])
@pytest.mark.parametrize(("name", "vector"), SOUND)
def test_a_vector_says_what_its_source_says(name: str, vector: Vector, around: bytes, chunk: int) -> None:
    said = [each for each in heard(name, around + octets(vector) + around, chunk) if isinstance(each, Decoded)]
    assert [found(each) for each in said] == [stated(vector)]


@pytest.mark.parametrize(("name", "vector"), SOUND)
def test_the_bench_shows_every_byte_once(name: str, vector: Vector) -> None:
    (body,) = bodies(name, octets(vector))
    assert isinstance(body, bytes)
    shows_every_byte(name, payload(name, body))


@pytest.mark.parametrize("chunk", [1, 4096])
@pytest.mark.parametrize(("name", "vector"), REFUSED)
def test_a_refused_vector_says_why_and_spoils_nothing_after_it(name: str, vector: Vector, chunk: int) -> None:
    good = vectors(name)[0][0]
    *refused, last = heard(name, octets(vector) + octets(good), chunk)
    assert refused[0] == vector["reason"]
    assert not [each for each in refused if isinstance(each, Decoded)]
    assert isinstance(last, Decoded)
    assert found(last) == stated(good)


@pytest.mark.parametrize("name", NAMES)
@given(octets=st.binary(max_size=80))
def test_any_bytes_are_read_or_refused_alike_by_decoder_and_bench(name: str, octets: bytes) -> None:
    said, shown = (refusal(read, octets, None, None) for read in DECODERS[name])
    assert said == shown
    assert said is None or said in REASONS


@pytest.mark.parametrize("name", CHECKED)
@given(data=st.data())
def test_nothing_happened_in_a_frame_with_one_bit_flipped(name: str, data: st.DataObject) -> None:
    vector = data.draw(st.sampled_from(vectors(name)[0]))
    frame = bytearray(octets(vector))
    bit = data.draw(st.integers(0, 8 * len(frame) - 1))
    frame[bit // 8] ^= 1 << bit % 8
    said = [each for each in heard(name, bytes(frame)) if isinstance(each, Decoded)]
    assert not [each for one in said for each in one.said.readings if isinstance(each, Occurrence)]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "gt06"])
@given(data=st.data())
def test_a_payload_cut_anywhere_is_refused_or_says_no_more_than_it_did(name: str, data: st.DataObject) -> None:
    """But for GT06, where the size alone tells one layout from another and the checksum vouches for it."""
    vector = data.draw(st.sampled_from(vectors(name)[0]))
    (body,) = bodies(name, octets(vector))
    assert isinstance(body, bytes)
    cut = read(name, body[: data.draw(st.integers(0, len(body) - 1))])
    if isinstance(cut, str):
        assert cut in REASONS
    else:
        assert len(cut.said.readings) <= len(stated(vector)["values"]) + max(1, len(stated(vector)["occurrences"]))
