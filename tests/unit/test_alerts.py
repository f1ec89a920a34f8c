from collections.abc import Iterator
from itertools import product

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway import alerts
from gateway.alerts import TABLE, Move, Refusal, Rules
from gateway.inputs import Accept, Clear, Confirmed, Copied, Ended, Pressed, Tick, Withdrawn
from gateway.model import (
    SEVERITY,
    Alert,
    AlertKey,
    AlertKind,
    AlertState,
    Heard,
    Moment,
    Press,
    Reason,
    Severity,
    Wearable,
)
from tests.support.moments import moment

RULES = Rules()
BAND = Wearable("00010203", "band-0001", "w-7f3a")
INPUTS = (Pressed, Copied, Ended, Withdrawn, Confirmed, Accept, Clear, Tick)
SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000


def key(kind: AlertKind = AlertKind.SOS, *, test: bool = False) -> AlertKey:
    return AlertKey(BAND.subject, kind, None, test)


def pressed(ms: int, kind: AlertKind = AlertKind.SOS, link: str = "serial:a", **fields: object) -> Pressed:
    window = 20 * SECOND if kind is AlertKind.FALL else 0
    test = bool(fields.pop("test", False))
    return Pressed(
        key(kind, test=test), BAND, Press(None, moment(ms)), Heard(link, -60), f"id-{ms}", window_ms=window, **fields
    )


def advance(alert, given, ms: int):
    return alerts.advance(alert, given, moment(ms), RULES)


def moved(alert, given, ms: int) -> Alert:
    answer = advance(alert, given, ms)
    assert isinstance(answer, Move), answer
    return answer.alert


def raised(kind: AlertKind = AlertKind.SOS, **fields: object) -> Alert:
    return moved(None, pressed(0, kind, **fields), 0)


def ticks(alert: Alert, seconds: range) -> list[tuple[int, Reason | None]]:
    """Every message that passing time makes, with its second."""
    told = []
    for second in seconds:
        answer = advance(alert, Tick(unsent=False), second * SECOND)
        if isinstance(answer, Move):
            alert = answer.alert
            told.append((second, answer.reason))
    return told


FALL, LOW = AlertKind.FALL, AlertKind.LOW_BATTERY
LIVES = {
    "nothing": lambda: None,
    "raised": raised,
    "accepted": lambda: moved(raised(), ACCEPT, 0),
    "cleared": lambda: moved(raised(), CLEAR, 0),
    "a fall": lambda: raised(FALL),
    "a fall, accepted": lambda: moved(raised(FALL), ACCEPT, 0),
    "a fall, confirmed": lambda: moved(raised(FALL), Confirmed(key(FALL)), 0),
    "a fall, cancelled": lambda: moved(raised(FALL), Withdrawn(key(FALL)), 0),
    "a condition": lambda: raised(LOW),
    "a condition, accepted": lambda: moved(raised(LOW), ACCEPT, 0),
    "a condition, over": lambda: moved(raised(LOW), Ended(key(LOW)), 0),
    "a condition, cleared": lambda: moved(raised(LOW), CLEAR, 0),
}
ACCEPT, CLEAR = Accept("id-0", "desk-3"), Clear("id-0", "desk-3")
# in the order of INPUTS, 10 s later: what becomes of it, and why; `-` kept without a message; or why nothing does
OUTCOMES = """
                      | pressed      | copied       | ended        | withdrawn           | confirmed          | accept           | clear           | tick
nothing               | raised press | nothing_open | nothing_open | nothing_open        | nothing_open       | unknown_alert    | unknown_alert   | nothing_open
raised                | raised press | raised -     | no_change    | no_change           | no_change          | accepted accept  | cleared clear   | raised repeat
accepted              | raised press | accepted -   | no_change    | no_change           | no_change          | already_accepted | cleared clear   | no_change
cleared               | raised press | no_change    | no_change    | no_change           | no_change          | already_cleared  | already_cleared | no_change
a fall                | raised press | raised -     | no_change    | cancelled cancelled | raised confirmed   | accepted accept  | cleared clear   | raised repeat
a fall, accepted      | raised press | accepted -   | no_change    | cancelled cancelled | accepted confirmed | already_accepted | cleared clear   | no_change
a fall, confirmed     | raised press | raised -     | no_change    | no_change           | no_change          | accepted accept  | cleared clear   | raised repeat
a fall, cancelled     | raised press | no_change    | no_change    | no_change           | no_change          | was_cancelled    | was_cancelled   | no_change
a condition           | no_change    | raised -     | raised -     | no_change           | no_change          | accepted accept  | cleared clear   | no_change
a condition, accepted | no_change    | accepted -   | accepted -   | no_change           | no_change          | already_accepted | cleared clear   | no_change
a condition, over     | raised -     | raised -     | no_change    | no_change           | no_change          | accepted accept  | cleared clear   | no_change
a condition, cleared  | raised press | no_change    | no_change    | no_change           | no_change          | already_cleared  | already_cleared | no_change
"""  # noqa: E501


def outcomes() -> Iterator[tuple[str, type, str]]:
    """Each cell of the table."""
    for line in OUTCOMES.strip("\n").splitlines()[1:]:
        life, *cells = (cell.strip() for cell in line.split("|"))
        yield from ((life, given, cell) for given, cell in zip(INPUTS, cells, strict=True))


def test_every_pair_of_state_and_input_has_a_row_and_an_outcome_that_is_stated_here():
    assert set(TABLE) == set(product((None, *AlertState), INPUTS))
    stated = {(alert.state if (alert := LIVES[life]()) else None, given) for life, given, _ in outcomes()}
    assert stated == set(TABLE)


@pytest.mark.parametrize(("life", "given", "outcome"), list(outcomes()))
def test_what_becomes_of_an_alert(life, given, outcome):
    alert = LIVES[life]()
    of = alert.key.kind if alert else AlertKind.SOS
    inputs = {
        Pressed: pressed(10 * SECOND, of), Copied: Copied(key(of), Heard("ble:b", None)), Ended: Ended(key(of)),
        Withdrawn: Withdrawn(key(of)), Confirmed: Confirmed(key(of)), Accept: ACCEPT, Clear: CLEAR, Tick: Tick(False),
    }  # fmt: skip
    answer = advance(alert, inputs[given], 10 * SECOND)
    if isinstance(answer, Refusal):
        assert answer.value == outcome
        return
    reason = answer.reason.value if answer.reason else "-"
    assert f"{answer.alert.state.value} {reason}" == outcome
    if answer.reason in (Reason.PRESS, Reason.ACCEPT, Reason.CLEAR, Reason.CONFIRMED, Reason.CANCELLED):
        assert answer.alert.changed_at == moment(10 * SECOND)
    else:
        assert alert.changed_at == answer.alert.changed_at == moment(0)
    if given in (Accept, Clear):
        assert answer.alert.by == "desk-3"
    elif answer.alert.state is AlertState.RAISED:
        assert answer.alert.by is None


def test_a_press_raises_with_the_kind_s_severity():
    for kind in AlertKind:
        assert raised(kind).severity is SEVERITY[kind]
        assert raised(kind).state is AlertState.RAISED


def test_a_critical_alert_repeats_at_10_20_40_then_each_60_seconds_until_half_an_hour_then_each_10_minutes():
    told = [second for second, reason in ticks(raised(), range(1, 3_600)) if reason is Reason.REPEAT]
    assert told[:6] == [10, 30, 70, 130, 190, 250]
    late = [second for second in told if second > 1_800]
    assert late[1] - late[0] == 600


def test_nothing_is_repeated_while_a_row_of_the_alert_is_unsent():
    assert advance(raised(), Tick(unsent=True), 10 * MINUTE) is Refusal.NO_CHANGE


def test_warnings_requests_and_tests_are_not_repeated():
    for kind in (AlertKind.BUTTON, AlertKind.SERVICE_REQUEST, AlertKind.LOW_BATTERY, AlertKind.NOT_WORN):
        assert ticks(raised(kind), range(1, 600)) == []
    test = raised(test=True)
    assert test.severity is Severity.TECHNICAL
    assert ticks(test, range(1, 600)) == []


def test_accepting_stops_the_repeats_and_names_the_desk():
    accepted = moved(raised(), Accept("id-0", "desk-3"), SECOND)
    assert (accepted.state, accepted.by) == (AlertState.ACCEPTED, "desk-3")
    assert ticks(accepted, range(2, 3_600)) == []


def test_a_new_press_raises_an_accepted_alert_again_and_repetition_starts_anew():
    accepted = moved(raised(), Accept("id-0", "desk-3"), SECOND)
    again = moved(accepted, pressed(MINUTE), MINUTE)
    assert (again.state, again.by, again.press_count, again.id) == (AlertState.RAISED, None, 2, "id-0")
    assert ticks(again, range(61, 80)) == [(70, Reason.REPEAT)]


def test_presses_listed_are_the_first_and_the_latest_and_all_are_counted():
    alert = raised()
    for second in range(1, 200):
        alert = moved(alert, pressed(second * SECOND), second * SECOND)
    assert (alert.press_count, len(alert.presses)) == (200, alerts.PRESSES)
    assert alert.presses[0].at == moment(0)
    assert alert.presses[-1].at == moment(199 * SECOND)


def test_another_link_that_hears_the_same_press_is_kept_and_nothing_is_sent():
    answer = advance(raised(), Copied(key(), Heard("ble:hci0", -70)), SECOND)
    assert isinstance(answer, Move)
    assert answer.reason is None
    assert [heard.link for heard in answer.alert.heard_by] == ["serial:a", "ble:hci0"]
    assert answer.alert.zone == raised().zone
    assert advance(answer.alert, Copied(key(), Heard("ble:hci0", -50)), SECOND) is Refusal.NO_CHANGE
    nearer = advance(answer.alert, Copied(key(), Heard("ble:hci1", -40), "garden"), SECOND)
    assert isinstance(nearer, Move)
    assert (nearer.alert.zone, nearer.reason) == ("garden", None)


def test_a_fall_is_pending_until_its_window_has_passed():
    fall = raised(AlertKind.FALL)
    assert fall.confirmed is False
    answer = advance(fall, Tick(unsent=True), 20 * SECOND + 1)
    assert isinstance(answer, Move)
    assert (answer.reason, answer.alert.confirmed, answer.alert.state) == (
        Reason.CONFIRMED, True, AlertState.RAISED
    )  # fmt: skip


def test_a_fall_is_confirmed_after_a_power_cut_though_the_wall_clock_has_fallen_behind():
    fall = raised(AlertKind.FALL)
    for uptime, confirmed in ((19 * SECOND, False), (21 * SECOND, True)):
        now = Moment(fall.at.wall_ms - HOUR, uptime, "another boot", False)
        assert isinstance(alerts.advance(fall, Tick(unsent=True), now, RULES), Move) is confirmed


def test_the_wearer_cancels_a_fall_inside_the_window_even_when_it_is_accepted():
    fall = raised(AlertKind.FALL)
    accepted = moved(fall, Accept("id-0", "desk-1"), SECOND)
    for alert in (fall, accepted):
        assert moved(alert, Withdrawn(key(AlertKind.FALL)), 19 * SECOND).state is AlertState.CANCELLED


def test_after_the_window_a_fall_cannot_be_cancelled():
    confirmed = moved(raised(AlertKind.FALL), Tick(unsent=False), 21 * SECOND)
    assert advance(confirmed, Withdrawn(key(AlertKind.FALL)), 22 * SECOND) is Refusal.NO_CHANGE


def test_what_the_profile_declares_to_confirm_a_fall_confirms_it():
    answer = advance(raised(AlertKind.FALL), Confirmed(key(AlertKind.FALL)), 5 * SECOND)
    assert isinstance(answer, Move)
    assert answer.alert.confirmed


def test_a_fall_of_a_device_that_is_not_worn_is_told_like_any_other_and_says_so():
    fall = raised(AlertKind.FALL, worn=False)
    assert (fall.worn, fall.severity, fall.state) == (False, Severity.CRITICAL, AlertState.RAISED)
    assert ticks(fall, range(1, 60)) == ticks(raised(AlertKind.FALL, worn=True), range(1, 60))


def test_a_second_fall_opens_the_window_again():
    fall = moved(raised(AlertKind.FALL), pressed(15 * SECOND, AlertKind.FALL), 15 * SECOND)
    assert moved(fall, Withdrawn(key(AlertKind.FALL)), 30 * SECOND).state is AlertState.CANCELLED


def test_a_condition_clears_once_it_has_ended_for_the_hold_time():
    over = moved(raised(AlertKind.LOW_BATTERY), Ended(key(AlertKind.LOW_BATTERY)), MINUTE)
    assert advance(over, Tick(unsent=False), MINUTE + 29 * SECOND) is Refusal.NO_CHANGE
    assert moved(over, Tick(unsent=False), MINUTE + 30 * SECOND).state is AlertState.CLEARED


def test_a_condition_that_returns_within_the_hold_time_goes_on_without_a_message():
    over = moved(raised(AlertKind.NOT_WORN), Ended(key(AlertKind.NOT_WORN)), MINUTE)
    answer = advance(over, pressed(MINUTE + SECOND, AlertKind.NOT_WORN), MINUTE + SECOND)
    assert isinstance(answer, Move)
    assert answer.reason is None
    assert ticks(answer.alert, range(61, 300)) == []


def test_the_end_of_an_episode_never_clears_a_critical_alert():
    assert advance(raised(), Ended(key()), HOUR) is Refusal.NO_CHANGE


def test_an_accepted_alert_is_recalled_every_four_hours():
    accepted = moved(raised(), Accept("id-0", "desk-3"), 0)
    assert ticks(accepted, range(1, 9 * 3_600)) == [(4 * 3_600, Reason.REMINDER), (8 * 3_600, Reason.REMINDER)]


def test_a_press_after_clearing_is_a_new_alert():
    cleared = moved(raised(), Clear("id-0", "desk-3"), SECOND)
    assert moved(cleared, pressed(MINUTE), MINUTE).id == f"id-{MINUTE}"


@pytest.mark.parametrize(
    ("state", "given", "refusal"),
    [
        (None, Accept("x", "d"), Refusal.UNKNOWN),
        (AlertState.ACCEPTED, Accept("x", "d"), Refusal.ALREADY_ACCEPTED),
        (AlertState.CLEARED, Accept("x", "d"), Refusal.ALREADY_CLEARED),
        (AlertState.CLEARED, Clear("x", "d"), Refusal.ALREADY_CLEARED),
        (AlertState.CANCELLED, Clear("x", "d"), Refusal.WAS_CANCELLED),
    ],
)
def test_an_acknowledgement_that_does_not_fit_is_answered_with_a_reason(state, given, refusal):
    assert TABLE[state, type(given)](None, given, moment(0), RULES) is refusal


class Life(RuleBasedStateMachine):
    """Any sequence of inputs: no press is lost, and no critical alert is both silent and unaccepted."""

    def __init__(self) -> None:
        super().__init__()
        self.ms = 0
        self.alert: Alert | None = None
        self.presses = 0
        self.unsent_since: int | None = None

    def give(self, given) -> None:
        answer = advance(self.alert, given, self.ms)
        if isinstance(answer, Move):
            before = self.alert
            self.alert = answer.alert
            if before is not None and before.id == self.alert.id:
                assert self.alert.press_count >= before.press_count
                assert self.alert.at == before.at
            assert (answer.reason is None) <= (before is not None)

    @rule(link=st.sampled_from(["a", "b"]))
    def press(self, link):
        self.ms += 1
        opened = self.alert is None or not self.alert.open
        self.presses = 1 if opened else self.presses + 1
        self.give(pressed(self.ms, link=link))
        assert self.alert.state is AlertState.RAISED
        assert self.alert.press_count == self.presses

    @rule(link=st.sampled_from(["a", "b"]))
    def copy(self, link):
        self.give(Copied(key(), Heard(link, None)))

    @rule(which=st.sampled_from([Ended(key()), Withdrawn(key()), Confirmed(key())]))
    def stray(self, which):
        before = self.alert
        self.give(which)
        assert self.alert == before

    @rule()
    def accept(self):
        self.give(Accept("x", "desk"))

    @rule()
    def clear(self):
        self.give(Clear("x", "desk"))

    @rule(ms=st.integers(1, 700_000), unsent=st.booleans())
    def wait(self, ms, unsent):
        self.ms += ms
        self.give(Tick(unsent))

    @invariant()
    def a_raised_critical_alert_is_never_silent_for_long(self):
        if self.alert is not None and self.alert.repeats:
            answer = advance(self.alert, Tick(unsent=False), self.ms + alerts.REPEAT_LATE_MS)
            assert isinstance(answer, Move)
            assert answer.reason is Reason.REPEAT


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
test_any_sequence_of_inputs_keeps_the_promise = Life.TestCase
