"""When the station is told: each rule by itself, and a state machine over everything that may happen to alerts."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

from gateway.alerts import Move, Rules, advance
from gateway.escalation import GRACE_MS, Escalation, sounds
from gateway.inputs import Accept, Clear, Confirmed, Pressed, Tick, Withdrawn
from gateway.model import Alert, AlertKey, AlertKind, AlertState, Heard, Moment, Press, Severity, Wearable
from tests.support.moments import moment

AFTER, EVERY = 30_000, 60_000


def pressed(number: int, ms: int, kind: AlertKind = AlertKind.SOS, **more: Any) -> Pressed:
    who = Wearable(f"{number:08x}", f"band-{number:04}", registered=more.pop("registered", True))
    key = AlertKey(who.subject, kind, None, test=more.pop("test", False))
    return Pressed(key, who, Press(None, moment(ms)), Heard("serial:a", None), f"{number}-{kind.value}", **more)


def raised(number: int = 1, ms: int = 0, kind: AlertKind = AlertKind.SOS, **more: Any) -> Alert:
    move = advance(None, pressed(number, ms, kind, **more), moment(ms), Rules())
    assert isinstance(move, Move)
    return move.alert


def after(alert: Alert, given: Any, ms: int) -> Alert:
    move = advance(alert, given, moment(ms), Rules())
    assert isinstance(move, Move)
    return move.alert


def looks(began: int = -60_000) -> Callable[..., list[str]]:
    """Ids of the alerts that are told at such a time."""
    escalation = Escalation(AFTER, EVERY, moment(began))

    def look(ms: int, *alerts: Alert, reachable: bool = True, **at: Any) -> list[str]:
        return [alert.id for alert in escalation.look(alerts, moment(ms, **at), reachable=reachable)]

    return look


def test_it_is_told_after_its_time_and_again_until_somebody_accepts() -> None:
    look, alert = looks(), raised()
    told = [ms for ms in range(0, 200_000, 500) if look(ms, alert)]
    assert told == [30_000, 90_000, 150_000]
    assert look(240_000, after(alert, Accept(alert.id, "desk-1"), 200_000)) == []


def test_it_is_told_at_once_where_no_broker_hears_of_it() -> None:
    look, alert = looks(), raised()
    assert look(500, alert, reachable=False) == [alert.id]
    assert look(1_000, alert, reachable=False) == []
    assert look(60_500, alert, reachable=True) == [alert.id]


def test_just_after_its_start_a_daemon_may_only_not_have_reached_its_broker_yet() -> None:
    look, alert = looks(began=0), raised()
    assert look(GRACE_MS - 1, alert, reachable=False) == []
    assert look(GRACE_MS, alert, reachable=False) == [alert.id]


def test_a_restart_does_not_silence_what_waits_too_long() -> None:
    alert = raised()
    assert looks(began=100_000)(100_000, alert) == [alert.id]
    assert looks(began=10_000)(10_000, alert) == []


def test_a_press_of_before_the_boot_has_waited_long_enough_whatever_the_clocks_say() -> None:
    """The box was off for a time that nobody knows, and may believe that it is 1970."""
    boot, alert = "another boot", raised()
    for ms in (-1_795_000_000_000, 1, 10**9):
        assert looks()(ms, alert, boot=boot) == [alert.id]


def test_pressing_again_around_restarts_puts_nothing_off_either() -> None:
    alert = after(raised(), pressed(1, 29_000), 29_000)
    assert looks(began=30_000)(30_000, alert) == [alert.id]


@pytest.mark.parametrize("step", [-(10**12), 10**12])
def test_steps_of_the_wall_clock_neither_hurry_nor_delay(step: int) -> None:
    escalation, alert = Escalation(AFTER, EVERY, moment(-60_000)), raised()

    def look(ms: int, wall: int) -> bool:
        now = moment(ms)
        return bool(escalation.look([alert], replace(now, wall_ms=now.wall_ms + wall), reachable=True))

    assert [ms for ms in range(0, 100_000, 1_000) if look(ms, step if ms > 10_000 else 0)] == [30_000, 90_000]


def test_a_fall_is_told_only_once_it_is_confirmed_and_then_without_waiting_anew() -> None:
    look, fall = looks(), raised(kind=AlertKind.FALL, window_ms=40_000)
    assert look(39_000, fall) == look(39_500, fall, reachable=False) == []
    confirmed = after(fall, Tick(unsent=False), 40_001)
    assert confirmed.confirmed
    assert look(40_001, confirmed) == [fall.id]
    cancelled = after(fall, Withdrawn(fall.key), 10_000)
    assert looks()(50_000, cancelled, reachable=False) == []


@pytest.mark.parametrize(
    "quiet",
    [
        raised(test=True),
        raised(kind=AlertKind.BUTTON),
        raised(kind=AlertKind.SERVICE_REQUEST),
        raised(kind=AlertKind.LOW_BATTERY),
        raised(kind=AlertKind.RADIO_DOWN),
        replace(raised(kind=AlertKind.ALARM_FLOOD), wearable=None),
    ],
    ids=lambda alert: alert.key.kind.value + ("-test" if alert.key.test else ""),
)
def test_what_makes_no_sound(quiet: Alert) -> None:
    assert looks()(10**6, quiet, reachable=False) == []


def test_a_stranger_who_presses_sounds_as_well() -> None:
    stranger = raised(registered=False)
    assert looks()(AFTER, stranger) == [stranger.id]


def test_pressing_again_and_again_puts_nothing_off() -> None:
    look, alert = looks(), raised()
    told = []
    for ms in range(0, 120_000, 1_000):
        alert = after(alert, pressed(1, ms), ms) if ms % 20_000 == 0 and ms else alert
        told += look(ms, alert) and [ms]
    assert told == [30_000, 90_000]


def test_a_press_after_somebody_accepted_begins_anew() -> None:
    look, alert = looks(), raised()
    assert look(30_000, alert)
    accepted = after(alert, Accept(alert.id, "desk-1"), 31_000)
    assert look(31_000, accepted) == []
    again = after(accepted, pressed(1, 40_000), 40_000)
    assert [ms for ms in range(40_000, 131_000, 500) if look(ms, again)] == [70_000, 130_000]


def test_all_that_wait_are_told_together_so_that_a_crowd_rings_no_more_often_than_one() -> None:
    look, crowd = looks(), [raised(number, number * 100) for number in range(1, 101)]
    told = {ms: ids for ms in range(40_000, 400_000, 500) if (ids := look(ms, *crowd))}
    assert list(told) == [40_000, 100_000, 160_000, 220_000, 280_000, 340_000]
    assert {len(ids) for ids in told.values()} == {100}
    assert told[40_000][0] == "100-sos"  # the latest press first


class Station(RuleBasedStateMachine):
    """Alerts live as their table says while the station looks once a second."""

    STEP = 1_000

    def __init__(self) -> None:
        super().__init__()
        self.ms = 0
        self.reachable = True
        self.alerts: dict[AlertKey, Alert] = {}
        self.heard: dict[str, int] = {}
        """When each alert that sounds was told last, or began to wait."""
        self.escalation = Escalation(AFTER, EVERY, moment(0))

    @property
    def now(self) -> Moment:
        return moment(self.ms)

    @rule(
        number=st.integers(1, 3),
        kind=st.sampled_from([AlertKind.SOS, AlertKind.FALL, AlertKind.BUTTON, AlertKind.ALARM_FLOOD]),
        test=st.booleans(),
    )
    def press(self, number: int, kind: AlertKind, test: bool) -> None:
        window = 20_000 if kind is AlertKind.FALL else 0
        given = pressed(number, self.ms, kind, test=test, window_ms=window)
        self.put(given, self.alerts.get(given.key))

    @rule(chosen=st.integers(0, 20), word=st.sampled_from(["accept", "clear", "confirm", "withdraw"]))
    def say(self, chosen: int, word: str) -> None:
        if not self.alerts:
            return
        alert = list(self.alerts.values())[chosen % len(self.alerts)]
        given = {
            "accept": Accept(alert.id, "desk-1"),
            "clear": Clear(alert.id, "desk-1"),
            "confirm": Confirmed(alert.key),
            "withdraw": Withdrawn(alert.key),
        }[word]
        self.put(given, alert)

    def put(self, given: Any, alert: Alert | None) -> None:
        move = advance(alert, given, self.now, Rules())
        if isinstance(move, Move):
            self.alerts[move.alert.key] = move.alert

    @rule(reachable=st.booleans())
    def network(self, reachable: bool) -> None:
        self.reachable = reachable

    @rule()
    def restart(self) -> None:
        self.escalation = Escalation(AFTER, EVERY, self.now)

    @rule(seconds=st.integers(1, 100))
    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.ms += self.STEP
            for alert in list(self.alerts.values()):
                self.put(Tick(unsent=False), alert)
            self.look()

    def look(self) -> None:
        told = self.escalation.look(
            [alert for alert in self.alerts.values() if alert.open], self.now, reachable=self.reachable
        )
        for alert in told:
            assert alert.severity is Severity.CRITICAL
            assert alert.state is AlertState.RAISED
            assert alert.confirmed
            assert not alert.key.test
            assert alert.key.kind in (AlertKind.SOS, AlertKind.FALL)
            self.heard[alert.id] = self.ms
        waiting = {alert.id for alert in self.alerts.values() if sounds(alert)}
        self.heard = {ident: self.heard.get(ident, self.ms) for ident in waiting}

    @invariant()
    def nobody_waits_in_silence(self) -> None:
        longest = max(AFTER, EVERY) + self.STEP
        assert all(self.ms - heard <= longest for heard in self.heard.values())


TestStation = Station.TestCase
