import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import Behaviour, Counter, Edge, Identity, Level, Occurrence, OccurrenceKind
from gateway.episodes import COPY_MS, KEEP_MS, KEYS, SETTLE_MS, SILENCE_MS, Episodes, Ruling, Verdict
from gateway.model import Moment
from tests.support.moments import WALL_MS, moment

BAND = "00010203"
SOS = OccurrenceKind.SOS
MINUTE = 60_000


def counted(number: int, kind: OccurrenceKind = SOS, *, fresh: bool = True) -> Occurrence:
    return Occurrence(kind, Counter(number, fresh, 65535))


def heartbeat(number: int, kind: OccurrenceKind = SOS) -> Occurrence:
    return counted(number, kind, fresh=False)


def hear(episodes: Episodes, occurrence: Occurrence, ms: int, address: str = BAND, registered: bool = True) -> Ruling:
    return episodes.hear(address, occurrence, moment(ms), registered=registered)


def restarted(episodes: Episodes, ruling: Ruling, ms: int) -> Episodes:
    """What a daemon that was killed right after this ruling's commit knows."""
    assert ruling.change is not None
    again = Episodes()
    again.load({ruling.change.key: ruling.change.value}, {BAND}, moment(ms))
    return again


def test_the_first_frame_ever_is_a_baseline_only():
    ruling = hear(Episodes(), heartbeat(17), 0)
    assert ruling.verdict is Verdict.NOTHING
    assert ruling.change is not None


def test_a_first_frame_that_says_it_is_fresh_is_a_press():
    ruling = hear(Episodes(), counted(17), 0)
    assert (ruling.verdict, ruling.late, ruling.replayed) == (Verdict.PRESS, False, False)


def test_fifty_copies_in_ten_seconds_are_one_press():
    episodes = Episodes()
    verdicts = [hear(episodes, counted(1), at).verdict for at in range(0, 10_000, 200)]
    assert verdicts == [Verdict.PRESS] + [Verdict.COPY] * 49


def test_heartbeats_that_repeat_the_last_event_for_days_raise_nothing_more():
    episodes = Episodes()
    hear(episodes, counted(1), 0)
    later = [hear(episodes, heartbeat(1), hour * 60 * MINUTE) for hour in range(1, 100)]
    assert {ruling.verdict for ruling in later} == {Verdict.COPY}


def test_a_counter_that_moved_while_nobody_heard_is_a_late_press():
    episodes = Episodes()
    hear(episodes, heartbeat(16), 0)
    ruling = hear(episodes, heartbeat(17), 5_000)
    assert (ruling.verdict, ruling.late, ruling.missed) == (Verdict.PRESS, True, 0)


def test_events_that_were_numbered_but_never_heard_are_counted():
    episodes = Episodes()
    hear(episodes, heartbeat(16), 0)
    assert hear(episodes, counted(20), 5_000).missed == 3


def test_the_counter_wraps_from_65535_to_1():
    episodes = Episodes()
    hear(episodes, heartbeat(65535), 0)
    ruling = hear(episodes, counted(1), 5_000)
    assert (ruling.verdict, ruling.missed) == (Verdict.PRESS, 0)


def test_a_press_survives_a_kill_as_the_same_press():
    episodes = Episodes()
    first = hear(episodes, counted(5), 0)
    assert hear(restarted(episodes, first, 3_000), counted(5), 3_000).verdict is Verdict.COPY


def test_a_press_made_while_the_daemon_was_down_is_learned_from_the_next_heartbeat():
    episodes = Episodes()
    baseline = hear(episodes, heartbeat(5), 0)
    ruling = hear(restarted(episodes, baseline, 60 * MINUTE), heartbeat(6), 60 * MINUTE)
    assert (ruling.verdict, ruling.late) == (Verdict.PRESS, True)


def test_a_delayed_copy_of_an_earlier_press_is_neither_a_press_nor_a_restart():
    episodes = Episodes()
    hear(episodes, counted(1), 0)
    hear(episodes, counted(2), 4_000)
    assert hear(episodes, counted(1), 4_300).verdict is Verdict.COPY
    assert hear(episodes, counted(2), 4_400).verdict is Verdict.COPY


def test_a_replayed_capture_within_ten_minutes_is_a_copy():
    episodes = Episodes()
    hear(episodes, counted(1), 0)
    hear(episodes, counted(2), MINUTE)
    assert hear(episodes, counted(1), 8 * MINUTE).verdict is Verdict.COPY


def test_an_old_key_after_ten_minutes_is_one_press_marked_as_replayed():
    episodes = Episodes()
    hear(episodes, counted(1), 0)
    hear(episodes, counted(2), MINUTE)
    replayed = [hear(episodes, counted(1), 2 * COPY_MS + at) for at in range(0, 10_000, 200)]
    assert (replayed[0].verdict, replayed[0].replayed) == (Verdict.PRESS, True)
    assert {ruling.verdict for ruling in replayed[1:]} == {Verdict.COPY}


def test_after_a_recording_or_a_belated_press_the_band_s_own_heartbeat_is_news_to_nobody_however_long_it_was_away():
    for earlier, ms in ((1, 20 * MINUTE), (3, 2 * MINUTE + 900)):  # heard before, and overtaken by the one after it
        episodes = Episodes()
        for number, at in ((1, 0), (2, MINUTE), (4, 2 * MINUTE)):
            hear(episodes, counted(number), at)
        odd = hear(episodes, counted(earlier), ms)
        assert odd.verdict is Verdict.PRESS
        for it in (episodes, restarted(episodes, odd, ms)):
            assert hear(it, heartbeat(4), ms + 2 * COPY_MS).verdict is Verdict.COPY
            assert hear(it, heartbeat(4), ms + 4 * COPY_MS).verdict is Verdict.COPY
            assert hear(it, counted(earlier), ms + 4 * COPY_MS).replayed
            following = hear(it, counted(5), ms + 4 * COPY_MS)
            assert (following.verdict, following.missed) == (Verdict.PRESS, 0)


def test_a_box_that_was_off_for_over_a_week_takes_a_fresh_press_of_the_last_number_for_one():
    again = restarted(episodes := Episodes(), hear(episodes, counted(1), 0), KEEP_MS + MINUTE)
    ruling = hear(again, counted(1), KEEP_MS + MINUTE)
    assert (ruling.verdict, ruling.replayed) == (Verdict.PRESS, True)


def test_a_band_that_lost_power_may_press_again_with_the_same_number():
    episodes = Episodes()
    hear(episodes, counted(1), 0)
    hear(episodes, heartbeat(0, OccurrenceKind.NONE), 30_000)
    ruling = hear(episodes, counted(1), 40_000)
    assert (ruling.verdict, ruling.replayed) == (Verdict.PRESS, False)


def test_a_heartbeat_that_a_slow_receiver_brings_late_is_no_power_up():
    episodes = Episodes()
    hear(episodes, heartbeat(0, OccurrenceKind.NONE), 0)
    hear(episodes, counted(1), 1_000)
    hear(episodes, heartbeat(0, OccurrenceKind.NONE), 1_300)
    assert hear(episodes, counted(1), 1_400).verdict is Verdict.COPY


def test_a_lower_counter_is_a_restarted_band_and_a_press():
    episodes = Episodes()
    hear(episodes, heartbeat(500), 0)
    ruling = hear(episodes, counted(3), MINUTE)
    assert (ruling.verdict, ruling.replayed, ruling.missed) == (Verdict.PRESS, False, 0)


def test_a_level_is_one_press_until_it_ends_or_falls_silent():
    episodes = Episodes()
    low = Occurrence(OccurrenceKind.LOW_BATTERY, Level(active=True))
    over = Occurrence(OccurrenceKind.LOW_BATTERY, Level(active=False))
    told = [hear(episodes, low, at).verdict for at in (0, 2_000, 4_000)]
    assert told == [Verdict.PRESS, Verdict.COPY, Verdict.COPY]
    assert hear(episodes, over, 6_000).verdict is Verdict.ENDED
    assert hear(episodes, over, 8_000).verdict is Verdict.NOTHING
    assert hear(episodes, low, 10_000).verdict is Verdict.PRESS
    assert hear(episodes, low, 10_000 + SILENCE_MS + 1).verdict is Verdict.PRESS


def test_two_keys_of_one_device_are_levels_of_their_own():
    episodes = Episodes()

    def key(number: int, ms: int, *, active: bool) -> Verdict:
        pressed = Occurrence(OccurrenceKind.BUTTON, Level(active), button=number)
        return hear(episodes, pressed, ms).verdict

    verdicts = [(key(1, at, active=True), key(2, at, active=False)) for at in range(0, 5_000, 500)]
    assert verdicts == [(Verdict.PRESS, Verdict.NOTHING)] + [(Verdict.COPY, Verdict.NOTHING)] * 9
    assert (key(2, 5_000, active=True), key(1, 5_000, active=False)) == (Verdict.PRESS, Verdict.ENDED)


def test_what_an_older_version_kept_of_a_level_goes_on():
    kept = msgspec.msgpack.encode({"current": None, "heard": [], "levels": [("low_battery", moment(0))]})
    episodes = Episodes()
    episodes.load({BAND: kept}, {BAND}, moment(0))
    low = Occurrence(OccurrenceKind.LOW_BATTERY, Level(active=True))
    assert hear(episodes, low, 1_000).verdict is Verdict.COPY


def test_a_level_goes_on_over_a_restart_whatever_time_that_took():
    episodes = Episodes()
    low = Occurrence(OccurrenceKind.LOW_BATTERY, Level(active=True))
    first = hear(episodes, low, 0)
    again = restarted(episodes, first, 60 * MINUTE)
    assert hear(again, low, 60 * MINUTE + 1_000).verdict is Verdict.COPY


def test_an_edge_with_a_key_is_told_apart_by_the_key_and_one_without_by_silence():
    episodes = Episodes()
    keyed = [Occurrence(SOS, Edge(key)) for key in (1, 1, 2)]
    assert [hear(episodes, o, 0).verdict for o in keyed] == [Verdict.PRESS, Verdict.COPY, Verdict.PRESS]
    bare = Occurrence(OccurrenceKind.BUTTON, Edge(None))
    assert [hear(episodes, bare, at).verdict for at in (0, 9_000)] == [Verdict.PRESS, Verdict.COPY]
    assert hear(episodes, bare, 9_000 + SILENCE_MS + 1).verdict is Verdict.PRESS


def doubted(episodes: Episodes, occurrence: Occurrence, ms: int) -> Ruling:
    return episodes.hear(BAND, occurrence, moment(ms), registered=True, doubted=True)


@pytest.mark.parametrize("behaviour", [Edge(7), Edge(None), Identity(), Level(active=True), Counter(7, True, 99)])
def test_a_forged_press_makes_no_copy_of_the_true_one(behaviour: Behaviour):
    episodes, pressed = Episodes(), Occurrence(SOS, behaviour)
    hear(episodes, heartbeat(6), 0)
    assert doubted(episodes, pressed, 1_000).verdict is Verdict.PRESS
    assert doubted(episodes, pressed, 2_000).verdict is Verdict.COPY
    assert (true := hear(episodes, pressed, 3_000)).verdict is Verdict.PRESS
    assert not true.replayed


@pytest.mark.parametrize("behaviour", [Edge(7), Edge(None), Identity(), Level(active=True), Counter(7, True, 99)])
def test_a_recording_of_a_press_is_a_copy_of_it_while_it_may_be_on_the_air_and_then_one_more_press(
    behaviour: Behaviour,
):
    episodes, pressed = Episodes(), Occurrence(SOS, behaviour)
    first = hear(episodes, pressed, 0)
    again = restarted(episodes, first, 1_000)
    for it in (episodes, again):
        assert doubted(it, pressed, 2_000).verdict is Verdict.COPY
        told = [doubted(it, pressed, COPY_MS + SILENCE_MS + at).verdict for at in range(1, 10_000, 200)]
        assert told == [Verdict.PRESS] + [Verdict.COPY] * 49


def test_a_press_without_a_key_that_stays_on_the_air_goes_on_being_a_copy_when_its_frames_are_doubted():
    episodes, pressed = Episodes(), Occurrence(SOS, Edge(None))
    hear(episodes, pressed, 0)
    assert {doubted(episodes, pressed, at).verdict for at in range(1_000, 5 * MINUTE, 5_000)} == {Verdict.COPY}


def test_a_forged_press_is_remembered_over_a_restart_and_never_grows_the_record():
    episodes = Episodes()
    rulings = [doubted(episodes, Occurrence(SOS, Edge(number)), number) for number in range(1_000)]
    again = restarted(episodes, rulings[-1], 1_000)
    assert doubted(again, Occurrence(SOS, Edge(999)), 1_001).verdict is Verdict.COPY
    assert hear(again, Occurrence(SOS, Edge(999)), 1_002).verdict is Verdict.PRESS
    apart = again._devices[BAND].apart
    assert apart is not None
    assert len(apart.heard) == KEYS


def test_the_first_heartbeat_that_is_doubted_is_a_baseline_too_and_the_next_number_a_press():
    episodes = Episodes()
    hear(episodes, heartbeat(500), 0)
    assert doubted(episodes, heartbeat(3), 1_000).verdict is Verdict.NOTHING
    late = doubted(episodes, heartbeat(4), 2_000)
    assert (late.verdict, late.late) == (Verdict.PRESS, True)
    assert hear(episodes, heartbeat(500), 3_000).verdict is Verdict.COPY


def test_a_million_made_up_addresses_leave_a_bounded_memory():
    episodes = Episodes(strangers=100)
    for number in range(5_000):
        hear(episodes, counted(1), number, f"{number:08x}", registered=False)
    assert len(episodes) == 100


def test_one_wildly_counting_address_leaves_a_bounded_record():
    episodes = Episodes()
    rulings = [hear(episodes, counted(number), number) for number in range(1, 1_000)]
    again = restarted(episodes, rulings[-1], 1_000)
    assert hear(again, counted(999), 1_000).verdict is Verdict.COPY
    assert len(again._devices[BAND].heard) == KEYS


def test_strangers_are_forgotten_after_a_week_and_the_roster_never():
    episodes = Episodes()
    ruling = hear(episodes, counted(1), 0)
    records = {BAND: ruling.change.value}
    assert [drop.key for drop in Episodes().load(records, (), moment(KEEP_MS + 1))] == [BAND]
    assert Episodes().load(records, {BAND}, moment(KEEP_MS + 1)) == []


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 30), st.booleans()), min_size=1, max_size=40))
def test_however_frames_are_delayed_and_repeated_each_press_is_told_once(plan):
    """A band presses 1, 2, 3 …; its frames arrive with copies, late ones among them, over a killed daemon."""
    episodes, ms, number, told = Episodes(), 0, 0, []
    hear(episodes, heartbeat(0, OccurrenceKind.NONE), 0)
    for copies, back, killed in plan:
        number += 1
        ms += 5_000
        for copy in range(copies):
            ms += 200
            ruling = hear(episodes, counted(number), ms)
            if ruling.verdict is Verdict.PRESS:
                told.append(number)
                if killed:
                    episodes = restarted(episodes, ruling, ms)
            delayed = number - back
            if copy % 7 == 3 and delayed > 0:
                assert hear(episodes, counted(delayed), ms).verdict is Verdict.COPY
    assert told == list(range(1, number + 1))


@pytest.mark.parametrize("behaviour", [Edge(7), Edge(None), Identity(), Level(active=True), Counter(7, True, 99)])
def test_a_hundred_copies_over_twenty_seconds_a_kill_and_the_capture_again_are_one_press(behaviour: Behaviour):
    """Whatever tells copies apart; what comes over another radio or receiver is no other frame here."""
    pressed = Occurrence(SOS, behaviour)
    episodes = Episodes()
    first = hear(episodes, pressed, 0)
    live = [hear(episodes, pressed, at).verdict for at in range(200, 10_000, 200)]
    again = restarted(episodes, first, 10_000)
    live += [hear(again, pressed, at).verdict for at in range(10_000, 20_000, 200)]
    replay = [hear(again, pressed, at).verdict for at in range(20_000, 40_000, 200)]
    assert (first.verdict, {*live, *replay}) == (Verdict.PRESS, {Verdict.COPY})


NEW_PRESSES = [  # what comes after a press that was last heard at 20 s: how long after, and what it is
    (Edge(7), Edge(8), 1, Verdict.PRESS),
    (Edge(7), Edge(7), COPY_MS, Verdict.COPY),
    (Edge(7), Edge(7), COPY_MS + 1, Verdict.PRESS),
    (Edge(None), Edge(None), SILENCE_MS, Verdict.COPY),
    (Edge(None), Edge(None), SILENCE_MS + 1, Verdict.PRESS),
    (Identity(), Identity(), SILENCE_MS, Verdict.COPY),
    (Identity(), Identity(), SILENCE_MS + 1, Verdict.PRESS),
    (Level(active=True), Level(active=False), 1, Verdict.ENDED),
    (Level(active=True), Level(active=True), SILENCE_MS, Verdict.COPY),
    (Level(active=True), Level(active=True), SILENCE_MS + 1, Verdict.PRESS),
    (Counter(7, True, 99), Counter(8, True, 99), 1, Verdict.PRESS),
    (Counter(7, True, 99), Counter(8, False, 99), 1, Verdict.PRESS),
    (Counter(7, True, 99), Counter(7, False, 99), 2 * COPY_MS, Verdict.COPY),
    (Counter(7, True, 99), Counter(7, True, 99), COPY_MS + 1, Verdict.PRESS),
]


@pytest.mark.parametrize(("was", "comes", "later", "verdict"), NEW_PRESSES)
def test_what_is_new_after_a_press(was: Behaviour, comes: Behaviour, later: int, verdict: Verdict):
    episodes = Episodes()
    hear(episodes, Occurrence(SOS, was), 0)
    hear(episodes, Occurrence(SOS, was), 20_000)
    assert hear(episodes, Occurrence(SOS, comes), 20_000 + later).verdict is verdict


BEHAVIOURS = {
    "edge with a key": Edge,
    "edge without": lambda _: Edge(None),
    "identity": lambda _: Identity(),
    "level": lambda _: Level(active=True),
    "counter": lambda number: Counter(number, True, 65535),
}


@pytest.mark.parametrize("name", BEHAVIOURS)
@given(plan=st.lists(st.tuples(st.integers(0, 60), st.booleans(), st.integers(1, 3 * COPY_MS)), max_size=30))
def test_whatever_tells_presses_apart_none_is_lost_and_none_doubled(name: str, plan: list[tuple[int, bool, int]]):
    """Each press is on the air with its copies, perhaps over a killed daemon, and then silent for longer than 30 s."""
    episodes, ms = Episodes(), 0
    for number, (copies, killed, silence) in enumerate(plan, 1):
        pressed = Occurrence(SOS, BEHAVIOURS[name](number))
        first = hear(episodes, pressed, ms)
        assert (first.verdict, first.replayed) == (Verdict.PRESS, False)
        if killed:
            episodes = restarted(episodes, first, ms)
        heard = {hear(episodes, pressed, ms + 200 * copy).verdict for copy in range(1, copies + 1)}
        assert heard <= {Verdict.COPY}
        ms += 200 * copies + SILENCE_MS + silence


@pytest.mark.parametrize("behaviour", [Edge(7), Edge(None), Identity(), Counter(7, True, 99)])
def test_a_press_that_is_on_the_air_for_half_an_hour_and_over_many_kills_is_one(behaviour: Behaviour):
    episodes, kept, writes = Episodes(), {}, 0
    verdicts = []
    for ms in range(0, 30 * MINUTE, 500):
        ruling = hear(episodes, Occurrence(SOS, behaviour), ms)
        verdicts.append(ruling.verdict)
        if ruling.change is not None:
            kept[ruling.change.key], writes = ruling.change.value, writes + 1
        if ms % 45_000 == 44_500:
            episodes = Episodes()
            episodes.load(kept, {BAND}, moment(ms + 500))
    assert verdicts == [Verdict.PRESS] + [Verdict.COPY] * (len(verdicts) - 1)
    assert writes <= 30 * 6 + 30 * 2  # every 10 s, and once after each start


def test_after_a_kill_what_was_silent_for_over_thirty_seconds_is_a_press():
    for behaviour in (Edge(None), Identity()):
        again = restarted(episodes := Episodes(), hear(episodes, Occurrence(SOS, behaviour), 0), 1_000)
        assert hear(again, Occurrence(SOS, behaviour), SILENCE_MS + 1).verdict is Verdict.PRESS


def test_what_only_repeats_what_is_known_or_lasts_asks_for_no_write():
    low = Occurrence(OccurrenceKind.LOW_BATTERY, Level(active=True))
    for first, repeated in ((counted(7), heartbeat(7)), (low, low)):
        episodes = Episodes()
        hear(episodes, first, 0)
        assert {hear(episodes, repeated, ms).change for ms in range(0, 30 * MINUTE, 5_000)} == {None}


def test_after_a_power_cut_that_cost_the_time_a_press_without_a_key_is_a_press():
    """The clock goes on from where it was: by it, no time has passed."""
    for behaviour in (Edge(None), Identity()):
        for synced, verdict in ((False, Verdict.PRESS), (True, Verdict.COPY)):
            pressed = Occurrence(SOS, behaviour)
            again = restarted(episodes := Episodes(), hear(episodes, pressed, 0), 1_000)
            now = Moment(WALL_MS + 1_000, 20_000, "another boot", synced)
            assert again.hear(BAND, pressed, now, registered=True).verdict is verdict


ALARM, CUT = Occurrence(SOS, Identity()), Occurrence(OccurrenceKind.TAMPER, Identity())
USUAL = Occurrence(OccurrenceKind.NONE, Identity())


@pytest.mark.parametrize("other", [USUAL, CUT])
def test_an_identity_is_pressed_anew_once_another_was_heard_ten_seconds_after_it(other: Occurrence):
    for silence, verdict in ((SETTLE_MS - 1, Verdict.COPY), (SETTLE_MS, Verdict.PRESS)):
        episodes = Episodes()
        hear(episodes, ALARM, 0)
        ended = hear(episodes, other, silence)
        assert hear(episodes, ALARM, silence + 1).verdict is verdict
        if verdict is Verdict.PRESS:  # and a kill does not bring it back
            assert hear(restarted(episodes, ended, silence + 1), ALARM, silence + 1).verdict is Verdict.PRESS


def test_identities_that_a_device_sends_in_turn_are_one_press_each_over_a_kill_too():
    episodes, verdicts = Episodes(), []
    first = hear(episodes, ALARM, 0)
    for ms in range(0, 40_000, 1_000):
        if ms == 10_000:
            episodes = restarted(episodes, first, ms)
        verdicts += [hear(episodes, each, ms + 500).verdict for each in (USUAL, ALARM)]
    assert set(verdicts) == {Verdict.NOTHING, Verdict.COPY}


def test_another_identity_ends_nothing_but_identities():
    episodes, edge = Episodes(), Occurrence(OccurrenceKind.BUTTON, Edge(None))
    hear(episodes, edge, 0)
    assert hear(episodes, USUAL, SETTLE_MS).change is None
    assert hear(episodes, edge, SETTLE_MS).verdict is Verdict.COPY
