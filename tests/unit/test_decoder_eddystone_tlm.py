"""Eddystone-TLM: published frames, special values, and what is encrypted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.decoders.eddystone_tlm import DECODER, decode, parts
from tests.support.vectors import Vector, holds, load, payload, refusal, shows

SOUND, REFUSED = load("eddystone-tlm")


@pytest.mark.parametrize("vector", SOUND, ids=lambda vector: vector["name"])
def test_a_vector_says_what_its_source_states_and_nothing_when_it_is_cut_short(vector: Vector) -> None:
    holds(decode, vector)
    shows(parts, vector)
    whole = payload(vector)
    assert {refusal(decode, whole[:size], None, None) for size in range(len(whole))} == {"too_short"}


@pytest.mark.parametrize("vector", REFUSED, ids=lambda vector: vector["name"])
def test_a_refused_vector_says_why(vector: Vector) -> None:
    for read in DECODER:
        assert refusal(read, payload(vector), None, bytes(16)) == vector["reason"]


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(octets: bytes) -> None:
    for frame in (octets, b"\0" + octets):
        assert refusal(parts, frame, None, None) == refusal(decode, frame, None, None)
