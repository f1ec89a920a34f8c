"""On a fast line all that is allowed is soon under way; on a slow one what its answers take a second for."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.pace import FIRST, LEAST, PATIENCE_S, Pace

MOST = 128 * 1024
ROW = 400


def over(rate: float, rtt: float, seconds: float) -> list[int]:
    """How many bytes were under way, row by row, on a line of `rate` bytes a second."""
    pace, under, now, free, seen = Pace(MOST, PATIENCE_S), [], 0.0, 0.0, []
    while now < seconds:
        while len(under) * ROW < pace.bytes:
            free = max(free, now) + ROW / rate
            under.append((now, free + rtt))
        sent, now = under.pop(0)
        pace.answered(ROW, sent, now)
        seen.append(pace.bytes)
    return seen


def test_a_fast_line_is_filled_at_once() -> None:
    assert over(10_000_000.0, 0.001, 0.1)[-1] == MOST


def test_on_64_kbit_the_backlog_under_way_is_about_a_second_s_worth_and_the_line_stays_busy() -> None:
    seen = over(8_000.0, 0.3, 300.0)
    settled = seen[len(seen) // 10 :]
    assert max(settled) <= 1.2 * 8_000 * PATIENCE_S
    assert min(settled) >= 8_000 * 0.3


def test_one_slow_answer_halves_it_once_whatever_else_was_under_way() -> None:
    pace = Pace(MOST, PATIENCE_S)
    for _ in range(40):
        pace.answered(ROW, 0.0, 2.0)
    assert pace.bytes == FIRST // 2
    pace.answered(ROW, 2.0, 3.5)
    assert pace.bytes == FIRST // 4


def test_without_patience_it_is_what_it_is() -> None:
    pace = Pace(MOST, None)
    pace.answered(ROW, 0.0, 100.0)
    assert pace.bytes == MOST


@given(st.integers(1, MOST), st.lists(st.tuples(st.integers(1, 70_000), st.floats(0, 100), st.floats(0, 100))))
def test_it_stays_within_its_bounds(most: int, answers: list[tuple[int, float, float]]) -> None:
    pace = Pace(most, PATIENCE_S)
    for size, sent, took in answers:
        pace.answered(size, sent, sent + took)
        assert min(LEAST, most) <= pace.bytes <= most
