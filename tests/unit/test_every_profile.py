"""Whatever bytes come in whichever way: every shipped profile reads, passes over or refuses them, and no more."""

import re
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from drivers.base import BOOLEAN_METRICS, Decoded, Measurement, Occurrence
from tests.support.formats import decoded, golden, keyed, shipped, ways_in

NAMES = shipped().names
REASON = re.compile(r"[a-z_]{4,24}")


@pytest.mark.parametrize("name", NAMES)
@given(octets=st.binary(max_size=64), profiles=st.sampled_from([shipped(), keyed()]))
def test_any_bytes_behind_what_it_is_recognised_by(name: str, octets: bytes, profiles: object) -> None:
    for packet in ways_in(shipped()[name]):
        sound(decoded(profiles, replace(packet, payload=packet.payload + octets)))


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_a_golden_frame_with_bytes_changed_lost_or_put_in(name: str, data: st.DataObject) -> None:
    frames = list(golden(shipped()[name]))
    if not frames:
        return
    _, packet = data.draw(st.sampled_from(frames))
    payload = bytearray(packet.payload)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(payload)))
        match data.draw(st.sampled_from(["change", "lose", "add"])):
            case "change" if place < len(payload):
                payload[place] ^= data.draw(st.integers(1, 255))
            case "lose":
                del payload[place : place + 1]
            case _:
                payload.insert(place, data.draw(st.integers(0, 255)))
    sound(decoded(shipped(), replace(packet, payload=bytes(payload))))


def sound(outcome: Decoded | str | None) -> None:
    """Refused for a reason that has a name, or readings that the wire can carry."""
    if not isinstance(outcome, Decoded):
        assert outcome is None or REASON.fullmatch(outcome), outcome
        return
    for reading in outcome.said.readings:
        if isinstance(reading, Measurement):
            assert isinstance(reading.value, bool) == (reading.metric in BOOLEAN_METRICS)
            assert isfinite(reading.value)
            assert abs(reading.value) <= 1 << 53
        else:
            assert isinstance(reading, Occurrence)


def test_every_profile_is_proven_by_a_frame_that_it_reads_and_one_that_it_refuses() -> None:
    lacking = [
        name
        for name in NAMES
        if not {bool(frame.refused or frame.absurd) for frame in shipped()[name].file.golden} >= {True, False}
    ]
    assert lacking == []
