"""Silence becomes deafness by what was normal before and by what else is known."""

from drivers.ble.hearing import (
    AGE_MS,
    BUSY_MOST_MS,
    ENOUGH,
    UNLEARNED_MS,
    WITNESSED_LEAST_MS,
    WITNESSED_MOST_MS,
    Hearing,
)


def heard(every_ms: int, count: int = 10 * ENOUGH, begin: int = 0) -> tuple[Hearing, int]:
    """After `count` adverts with gaps of `every_ms`; and the time of the last one."""
    hearing = Hearing(begin)
    hearing.begin(begin)
    for number in range(1, count + 1):
        hearing.advert(begin + number * every_ms)
    return hearing, begin + count * every_ms


def deaf_after(hearing: Hearing, last: int, *, witnessed: bool) -> int:
    """Seconds of silence that are deafness."""
    return next(s for s in range(10_000) if hearing.deaf(last + s * 1000, witnessed=witnessed))


def test_alone_three_times_the_longest_normal_gap_is_too_long() -> None:
    hearing, last = heard(20_000)
    assert deaf_after(hearing, last, witnessed=False) == 60
    hearing, last = heard(50_000)
    assert deaf_after(hearing, last, witnessed=False) == 150


def test_a_busy_station_is_never_silent_for_longer_than_ninety_seconds() -> None:
    hearing, last = heard(100, 6_000)
    hearing.advert(last + 40_000)  # one long gap among many short ones
    assert hearing.gap_ms == 40_000
    assert hearing.busy
    assert deaf_after(hearing, last + 40_000, witnessed=False) == BUSY_MOST_MS // 1000


def test_a_busy_station_without_gaps_waits_for_thirty_seconds() -> None:
    hearing, last = heard(100)
    assert deaf_after(hearing, last, witnessed=False) == 30


def test_with_a_witness_the_ladder_starts_within_thirty_seconds_whatever_was_learned() -> None:
    for every_ms, seconds in ((100, WITNESSED_LEAST_MS // 1000), (5_000, 15), (600_000, WITNESSED_MOST_MS // 1000)):
        hearing, last = heard(every_ms)
        assert deaf_after(hearing, last, witnessed=True) == seconds
    assert deaf_after(Hearing(0), 0, witnessed=True) < 30


def test_what_was_never_learned_is_taken_for_a_quiet_place() -> None:
    hearing, last = heard(1_000, ENOUGH - 1)
    assert (hearing.gap_ms, hearing.busy) == (UNLEARNED_MS, False)
    assert deaf_after(hearing, last, witnessed=False) == 90


def test_the_clock_of_silence_restarts_with_each_scan_and_teaches_nothing() -> None:
    hearing, last = heard(100)
    hearing.begin(last + 500_000)
    assert hearing.silence(last + 500_000) == 0
    assert not hearing.deaf(last + 505_000, witnessed=True)
    hearing.advert(last + 509_000)
    assert hearing.gap_ms == 100


def test_a_gap_counts_in_its_hour_and_the_next_and_is_forgotten_while_all_goes_well() -> None:
    hearing, last = heard(1_000, 600)
    hearing.advert(last := last + 40_000)
    gaps = {}
    while last < 3 * AGE_MS:
        hearing.advert(last := last + 1_000)
        gaps[last // AGE_MS] = hearing.gap_ms
    assert gaps == {0: 40_000, 1: 40_000, 2: 1_000, 3: 1_000}


def test_a_station_that_was_busy_by_day_is_not_by_night() -> None:
    hearing, last = heard(200, 5 * 3_600)
    assert hearing.busy
    while last < 4 * AGE_MS:
        hearing.advert(last := last + 20_000)
    assert not hearing.busy
    assert deaf_after(hearing, last, witnessed=False) == 60


def test_a_neighbour_says_something_only_about_a_radio_that_would_have_heard() -> None:
    assert heard(1_000)[0].neighbour_counts()
    assert not heard(60_000)[0].neighbour_counts()


def test_a_neighbour_speaks_against_a_radio_that_never_heard_anything() -> None:
    hearing = Hearing(0)
    assert hearing.neighbour_counts()
    assert deaf_after(hearing, 0, witnessed=True) == WITNESSED_MOST_MS // 1000
    hearing.advert(1)  # alive, and perhaps in a quiet corner
    assert not hearing.neighbour_counts()
