import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli.columns import columns, plain, width


@pytest.mark.parametrize(
    ("text", "cells"),
    [("", 0), ("SOS", 3), ("跌倒", 4), ("，", 2), ("é", 1), ("e\u0301", 1), ("−67 dBm", 7), ("ｗ", 2)],
)
def test_a_chinese_character_takes_two_cells(text: str, cells: int) -> None:
    assert width(text) == cells


def test_a_column_is_as_wide_as_its_widest_cell() -> None:
    rows = [("开始", "WHO", ""), ("a", "佩戴者", "x"), ("abcdef", "", "y")]
    assert list(columns(rows)) == ["开始    WHO", "a       佩戴者  x", "abcdef          y"]


def test_what_would_steer_a_terminal_is_not_shown() -> None:
    assert plain("desk\x1b[2J\n\x07-3 张") == "desk?[2J??-3 张"


STEERING = ["Cc", "Cf", "Cs", "Mn", "Me", "Zs", "Zl", "Zp"]
WORDS = st.text(st.characters(exclude_categories=STEERING), min_size=1, max_size=8)


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=6))
def test_every_row_s_second_cell_begins_in_one_column(rows: list[tuple[str, str]]) -> None:
    lines = list(columns(rows))
    begins = {width(line.removesuffix(second)) for line, (_, second) in zip(lines, rows, strict=True)}
    assert begins == {max(width(first) for first, _ in rows) + 2}
