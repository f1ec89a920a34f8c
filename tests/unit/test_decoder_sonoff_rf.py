"""Sonoff RF bridge: the whole code is the address, and noise is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import BadFrame, Edge, Occurrence, OccurrenceKind, Said
from drivers.decoders.sonoff_rf import DECODER

PRESS = Occurrence(OccurrenceKind.BUTTON, Edge(None))


def said(payload: str) -> Said:
    return DECODER.decode(bytes.fromhex(payload), None, None)


@given(st.binary(min_size=3, max_size=3))
def test_the_whole_code_is_the_address(code: bytes) -> None:
    assert said("a426c0013603ca" + code.hex()) == Said((PRESS,), address=code.hex(), reply=b"\xaa\xa0\x55")


@given(protocol=st.integers(0, 127), code=st.binary(min_size=1, max_size=9))
def test_a_code_by_protocol_has_the_protocol_before_it(protocol: int, code: bytes) -> None:
    payload = bytes([0xA6, len(code) + 1, protocol]) + code
    assert said(payload.hex()) == Said((PRESS,), address=f"{protocol:02x}{code.hex()}", reply=b"\xaa\xa0\x55")


@pytest.mark.parametrize(
    "payload",
    [
        "a426c003ca0136511451",  # the long pulse is the shorter one
        "a4013601360136511451",
        "a4013603ca0000511451",
        "a426c0000003ca511451",
        "a426c0013603ca51145100",
        "a6040232fa",
        "a601ff",
        "a60b0100010203040506070809",
    ],
)
def test_what_cannot_have_been_a_code_is_refused(payload: str) -> None:
    with pytest.raises(BadFrame, match="malformed"):
        said(payload)


@pytest.mark.parametrize("payload", ["a0", "a2", "aa", "a326c0013603ca511451", "ab040232fa80", "b101010010"])
def test_of_what_the_bridge_says_of_itself_nothing_is_read(payload: str) -> None:
    assert said(payload) == Said()
