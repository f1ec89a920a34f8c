"""EnOcean: which keys are down, who sent, and what is not told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import BadFrame, Edge, Occurrence, OccurrenceKind, Said
from drivers.decoders.esp3 import DECODER


def said(content: int, status: int = 0x30, rorg: int = 0xF6) -> Said:
    return DECODER.decode(bytes([1, rorg, content]) + bytes.fromhex("00298979") + bytes([status]), None, None)


def pressed(content: int, status: int = 0x30) -> list[int | None]:
    return [each.button for each in said(content, status).readings if isinstance(each, Occurrence)]


@pytest.mark.parametrize(
    ("content", "buttons"),
    [(0x10, [1]), (0x30, [2]), (0x50, [3]), (0x70, [4]), (0xF0, [8]), (0x37, [2, 4]), (0x15, [1, 3]), (0, [])],
)
def test_which_keys_are_down(content: int, buttons: list[int]) -> None:
    assert pressed(content) == buttons


def test_a_press_says_nothing_of_how_and_is_told_apart_by_silence() -> None:
    press = Occurrence(OccurrenceKind.BUTTON, Edge(None), button=3)
    assert said(0x50) == Said((press,), address="00298979")


@given(content=st.integers(0, 255), status=st.integers(0, 255).filter(lambda status: not status & 0x10))
def test_a_telegram_that_names_no_key_presses_none(content: int, status: int) -> None:
    assert pressed(content, status) == []


@given(content=st.integers(0, 255), rorg=st.integers(0, 255).filter(lambda rorg: rorg not in {0xF6, 0x30, 0x31}))
def test_another_telegram_only_says_that_its_sender_was_heard(content: int, rorg: int) -> None:
    assert said(content, rorg=rorg) == Said(address="00298979")


@pytest.mark.parametrize("rorg", [0x30, 0x31])
def test_an_encrypted_telegram_is_refused_by_that_name(rorg: int) -> None:
    with pytest.raises(BadFrame, match="encrypted"):
        said(0x50, rorg=rorg)


@given(kind=st.integers(0, 255).filter(lambda kind: kind != 1), rest=st.binary(max_size=20))
def test_the_module_speaks_of_itself_in_other_packets(kind: int, rest: bytes) -> None:
    assert DECODER.decode(bytes([kind]) + rest, None, None) == Said()
