"""Full jitter: a wait is anywhere from the floor to a ceiling that doubles up to the cap."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.backoff import Backoff
from gateway.links import RADIO, REPLAY, SERIAL

SECONDS = st.floats(0.001, 1_000)
CHANCES = st.floats(0, 1, exclude_max=True)
ATTEMPTS = st.integers(0, 100_000)


@given(SECONDS, SECONDS, SECONDS, ATTEMPTS, CHANCES)
def test_no_wait_is_below_the_floor_or_above_both_floor_and_cap(
    base: float, cap: float, floor: float, attempt: int, chance: float
) -> None:
    assert floor <= Backoff(base, cap, floor).delay(attempt, chance) <= max(floor, cap)


@given(SECONDS, SECONDS, ATTEMPTS, CHANCES)
def test_without_a_floor_the_whole_of_the_ceiling_is_drawn_from(
    base: float, cap: float, attempt: int, chance: float
) -> None:
    backoff = Backoff(base, cap)
    assert backoff.delay(attempt, 0.0) == 0.0
    ceiling = backoff.delay(attempt, 1.0)
    assert ceiling == (min(cap, base * 2**attempt) if attempt < 32 else min(cap, base * 2**32))
    assert backoff.delay(attempt, chance) == chance * ceiling


@given(SECONDS, SECONDS, SECONDS, ATTEMPTS, CHANCES)
def test_a_later_attempt_never_waits_less(base: float, cap: float, floor: float, attempt: int, chance: float) -> None:
    backoff = Backoff(base, cap, floor)
    assert backoff.delay(attempt, chance) <= backoff.delay(attempt + 1, chance)


def test_an_unplugged_receiver_and_a_radio_are_looked_for_each_second() -> None:
    for backoff, longest in ((SERIAL, 1.0), (RADIO, 1.0), (REPLAY, 5.0)):
        assert backoff.delay(10_000, 1.0) == longest
        assert backoff.delay(0, 0.0) >= 0.1
