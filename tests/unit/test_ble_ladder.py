"""Each rung once, in its order and at its pace; then rest. Hearing for a while begins it anew."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from drivers.ble.ladder import ABSENT_MS, PACE_MS, REST_MOST_MS, REST_MS, RUNGS, STEADY_MS, Cause, Ladder, Rung

ALL = list(Rung)


def climb(ladder: Ladder, cause: Cause, begin: int, until: int, every: int = 1_000) -> list[tuple[int, Rung]]:
    """Attempts that fail one after the other; which rungs were climbed, and when."""
    climbed = []
    for now in range(begin, until, every):
        ladder.failed(cause, now)
        if rung := ladder.next(now):
            climbed.append((now, rung))
    return climbed


def test_all_is_well_until_something_fails() -> None:
    assert Ladder().next(0) is None
    assert Ladder().heard(0) is False


def test_the_rungs_of_each_cause_come_once_each_and_in_order() -> None:
    for cause in Cause:
        assert [rung for _, rung in climb(Ladder(), cause, 0, 200_000)] == list(RUNGS[cause])
    assert list(RUNGS[Cause.DEAF]) == ALL


def test_rungs_that_disturb_the_adapter_are_paced() -> None:
    times = [at for at, rung in climb(Ladder(), Cause.FAILED, 0, 100_000, every=100) if rung is not Rung.RESTART]
    assert all(later - sooner >= PACE_MS for sooner, later in pairwise(times))


def test_an_adapter_that_is_away_is_given_time_to_come_back() -> None:
    assert climb(Ladder(), Cause.ABSENT, 0, 60_000) == [(ABSENT_MS, Rung.REBIND)]


def test_an_adapter_is_away_only_since_it_was_there_last() -> None:
    ladder = Ladder()
    climb(ladder, Cause.ELSEWHERE, 0, ABSENT_MS)  # a bluetoothd that starts knows no adapter yet
    assert climb(ladder, Cause.ABSENT, ABSENT_MS, 2 * ABSENT_MS) == []
    ladder.heard(2 * ABSENT_MS)
    assert climb(ladder, Cause.ABSENT, 2 * ABSENT_MS, 3 * ABSENT_MS) == []


def test_what_is_not_the_adapters_doing_has_no_rungs_and_no_rest() -> None:
    ladder = Ladder()
    assert climb(ladder, Cause.ELSEWHERE, 0, 5_000_000, every=10_000) == []
    assert not ladder.resting(1_000)


def test_after_the_last_rung_it_rests_longer_and_longer_and_climbs_again() -> None:
    ladder = Ladder()
    begun = [at for at, rung in climb(ladder, Cause.DEAF, 0, 4 * REST_MOST_MS) if rung is Rung.RESTART]
    gaps = [later - sooner for sooner, later in pairwise(begun)]
    assert all(gap >= REST_MS for gap in gaps)
    assert sorted(gaps) == gaps
    assert max(gaps) < REST_MOST_MS + 60_000
    assert ladder.climbed[Rung.REBIND] in (len(begun), len(begun) - 1)


def test_a_silent_radio_is_climbed_for_once_and_then_hourly() -> None:
    ladder = Ladder()
    begun = [at for at, rung in climb(ladder, Cause.SILENT, 0, 3 * REST_MOST_MS) if rung is Rung.RESTART]
    assert [round(at / REST_MOST_MS) for at in begun] == [0, 1, 2]


def test_proof_of_deafness_ends_the_rest_of_a_quiet_radio() -> None:
    ladder = Ladder()
    climb(ladder, Cause.SILENT, 0, 100_000)
    assert ladder.resting(100_000)
    ladder.failed(Cause.DEAF, 200_000)
    assert ladder.next(200_000) is Rung.RESTART


def test_hearing_is_news_once_and_ends_the_climb() -> None:
    ladder = Ladder()
    ladder.failed(Cause.DEAF, 0)
    ladder.next(0)
    assert ladder.deaf
    assert [ladder.heard(1_000), ladder.heard(2_000)] == [True, False]
    assert ladder.next(3_000) is None
    assert not ladder.deaf


def test_a_deaf_radio_is_deaf_until_it_hears_whatever_else_befalls_it() -> None:
    ladder = Ladder()
    climb(ladder, Cause.DEAF, 0, 60_000)
    ladder.failed(Cause.ABSENT, 60_000)  # as when its USB port was bound anew
    assert ladder.deaf


def test_a_radio_that_is_deaf_again_soon_goes_on_from_the_next_rung() -> None:
    ladder = Ladder()
    ladder.failed(Cause.DEAF, 0)
    assert ladder.next(0) is Rung.RESTART
    ladder.heard(1_000)
    ladder.heard(STEADY_MS)
    ladder.failed(Cause.DEAF, 5 * STEADY_MS)
    assert ladder.next(5 * STEADY_MS) is Rung.POWER


def test_a_radio_that_heard_for_a_while_has_healed() -> None:
    ladder = Ladder()
    for now in (0, 10_000 + STEADY_MS):
        ladder.failed(Cause.DEAF, now)
        assert ladder.next(now) is Rung.RESTART
        ladder.heard(now + 1_000)
        ladder.heard(now + 1_000 + STEADY_MS)
    assert ladder.climbed[Rung.RESTART] == 2


def test_somebody_who_passes_by_does_not_have_a_quiet_radio_reset_again() -> None:
    ladder = Ladder()
    climb(ladder, Cause.SILENT, 0, 100_000)
    ladder.heard(200_000)
    assert climb(ladder, Cause.SILENT, 500_000, 600_000) == []
    assert ladder.resting(600_000)


def test_the_reset_of_a_quiet_radio_takes_it_away_for_a_moment_and_does_not_begin_all_anew() -> None:
    ladder = Ladder()
    climb(ladder, Cause.SILENT, 0, 30_000)
    assert climb(ladder, Cause.ABSENT, 30_000, 35_000) == []
    assert climb(ladder, Cause.SILENT, 100_000, 3_000_000, every=90_000) == []


def test_what_is_proven_is_healed_though_silence_rests() -> None:
    ladder = Ladder()
    climb(ladder, Cause.SILENT, 0, 100_000)
    assert [rung for _, rung in climb(ladder, Cause.BLOCKED, 200_000, 300_000)] == list(RUNGS[Cause.BLOCKED])


def test_a_rung_that_another_cause_has_left_untried_need_not_wait() -> None:
    ladder = Ladder()
    climb(ladder, Cause.ABSENT, 0, 60_000)
    assert [rung for _, rung in climb(ladder, Cause.BLOCKED, 60_000, 120_000)] == [
        Rung.UNBLOCK, Rung.POWER, Rung.CONTROLLER
    ]  # fmt: skip


def spent(cause: Cause) -> Ladder:
    """One that rests, all its rungs climbed."""
    ladder = Ladder()
    climb(ladder, cause, 0, 60_000)
    assert climb(ladder, cause, 60_000, 120_000) == []
    return ladder


def test_a_block_is_lifted_at_once_though_all_was_tried_before_it() -> None:
    for cause in (Cause.OFF, Cause.FAILED, Cause.DEAF, Cause.BLOCKED):
        ladder = spent(cause)
        ladder.heard(120_000)
        assert climb(ladder, Cause.OFF, 121_000, 121_500) == []  # so bluetoothd tells of a block first
        assert climb(ladder, Cause.BLOCKED, 122_000, 300_000) == [(122_000, Rung.UNBLOCK)]


def test_a_block_does_not_wait_for_the_pace_of_what_disturbs_the_adapter() -> None:
    ladder = Ladder()
    assert climb(ladder, Cause.OFF, 0, 100) == [(0, Rung.POWER)]
    assert climb(ladder, Cause.BLOCKED, 100, 4_000) == [(100, Rung.UNBLOCK)]


def test_a_block_that_cannot_be_lifted_is_tried_once_and_after_each_rest() -> None:
    ladder = spent(Cause.FAILED)
    lifted = [at for at, rung in climb(ladder, Cause.BLOCKED, 120_000, 3_000_000) if rung is Rung.UNBLOCK]
    assert lifted[0] == 120_000
    assert len(lifted) == 3
    assert all(later - sooner >= REST_MS - 120_000 for sooner, later in pairwise(lifted))


def test_whoever_blocks_it_again_and_again_has_it_lifted_at_the_pace() -> None:
    ladder, lifted = Ladder(), list[int]()
    for now in range(0, 60_000, 500):
        ladder.failed(Cause.BLOCKED if now % 1_000 else Cause.OFF, now)
        if ladder.next(now) is Rung.UNBLOCK:
            lifted.append(now)
    assert len(lifted) >= 10
    assert all(later - sooner >= PACE_MS for sooner, later in pairwise(lifted))


def test_an_adapter_is_given_time_from_when_it_went() -> None:
    ladder = Ladder()
    climb(ladder, Cause.ELSEWHERE, 0, 600_000)
    assert climb(ladder, Cause.ABSENT, 600_000, 660_000) == [(600_000 + ABSENT_MS, Rung.REBIND)]


@given(st.lists(st.tuples(st.sampled_from(Cause), st.integers(1, 40_000), st.booleans()), max_size=200))
def test_whatever_happens_the_adapter_is_not_disturbed_more_often_than_the_pace(
    events: list[tuple[Cause, int, bool]],
) -> None:
    ladder, now, disturbed = Ladder(), 0, list[int]()
    for cause, later, hears in events:
        now += later
        ladder.failed(cause, now)
        rung = ladder.next(now)
        assert rung is None or rung in RUNGS[cause]
        if rung is not None and rung is not Rung.RESTART and (cause, rung) != (Cause.BLOCKED, Rung.UNBLOCK):
            disturbed.append(now)
        if hears:
            ladder.heard(now)
    assert all(later - sooner >= PACE_MS for sooner, later in pairwise(disturbed))
