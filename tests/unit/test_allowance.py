"""Never more than what is allowed at once and what has come back since; and never less."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.allowance import Allowance


def test_some_at_once_and_then_as_fast_as_it_comes_back() -> None:
    allowance = Allowance(3, 2.0)
    assert [allowance.take(1_000) for _ in range(4)] == [True, True, True, False]
    assert [allowance.take(ms) for ms in (1_499, 1_500, 1_501, 2_000)] == [False, True, False, True]
    assert [allowance.take(100_000) for _ in range(4)] == [True, True, True, False]


@given(st.integers(1, 20), st.floats(0.1, 50), st.lists(st.integers(0, 5_000), min_size=1, max_size=200))
def test_in_any_time_no_more_than_most_and_the_rate(most: int, per_s: float, waits: list[int]) -> None:
    allowance, now, taken = Allowance(most, per_s), 0, 0
    for wait in waits:
        now += wait
        taken += allowance.take(now)
        assert taken <= most + now / 1000 * per_s + 1e-6
    if len(waits) <= most:
        assert taken == len(waits)
