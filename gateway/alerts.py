"""The life of an alert, as people follow it: one table of state and input, pure.

`advance` looks the pair up and says what becomes of the alert; it knows neither disk nor network nor clock.
The task that owns alerts commits what it says, and only then takes it for true.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any

import msgspec
from msgspec.structs import replace

from gateway.inputs import Accept, Clear, Confirmed, Copied, Ended, Input, Pressed, Tick, Withdrawn
from gateway.model import (
    CONDITIONS,
    Alert,
    AlertKind,
    AlertState,
    Heard,
    Moment,
    Press,
    Reason,
    severity,
)

PRESSES = 50
"""Presses listed on an alert: the first, and the latest of the rest; `press_count` counts them all."""
REPEATS_MS = (10_000, 20_000, 40_000)
REPEAT_MS = 60_000
REPEAT_LATE_MS = 600_000
LATE_MS = 30 * 60_000


class Rules(msgspec.Struct, frozen=True):
    """What a station may set: how long a condition must have ended, and when an accepted alert is recalled."""

    hold_ms: int = 30_000
    reminder_ms: int = 4 * 3_600_000


class Refusal(Enum):
    """Why an input changed nothing; the value is the code in a response."""

    UNKNOWN = "unknown_alert"
    ALREADY_ACCEPTED = "already_accepted"
    ALREADY_CLEARED = "already_cleared"
    WAS_CANCELLED = "was_cancelled"
    NOTHING_OPEN = "nothing_open"
    NO_CHANGE = "no_change"


class Move(msgspec.Struct, frozen=True):
    """What becomes of an alert. `reason` None: kept, but nothing is sent for it."""

    alert: Alert
    reason: Reason | None


Answer = Move | Refusal
Row = Callable[[Any, Any, Moment, Rules], Answer]


def advance(alert: Alert | None, given: Input, now: Moment, rules: Rules) -> Answer:
    return TABLE[alert.state if alert else None, type(given)](alert, given, now, rules)


def raised(_: Alert | None, pressed: Pressed, now: Moment, __: Rules) -> Move:
    alert = Alert(
        id=pressed.new_id,
        key=pressed.key,
        wearable=pressed.wearable,
        severity=severity(pressed.key),
        state=AlertState.RAISED,
        at=pressed.press.at,
        changed_at=now,
        presses=(pressed.press,),
        press_count=1,
        heard_by=_grown((), pressed.heard),
        auth=pressed.auth,
        late=pressed.late,
        storm=pressed.storm,
        worn=pressed.worn,
        confirmed=pressed.key.kind is not AlertKind.FALL or pressed.window_ms == 0,
        window_ms=pressed.window_ms,
        zone=pressed.zone,
        told_at=now,
        pressed_at=now,
    )
    return Move(alert, Reason.PRESS)


def pressed_again(alert: Alert, pressed: Pressed, now: Moment, _: Rules) -> Answer:
    """A new press starts everything anew, but for a condition: that merely goes on."""
    if alert.key.kind in CONDITIONS:
        return Move(replace(alert, ended_at=None), None) if alert.ended_at else Refusal.NO_CHANGE
    again = replace(
        alert,
        state=AlertState.RAISED,
        by=None,
        presses=_listed(alert.presses, pressed.press),
        press_count=alert.press_count + 1,
        heard_by=_grown(alert.heard_by, pressed.heard),
        auth=pressed.auth,
        late=pressed.late,
        storm=pressed.storm,
        worn=pressed.worn if pressed.worn is not None else alert.worn,
        zone=pressed.zone or alert.zone,
        repeat=0,
        changed_at=now,
        told_at=now,
        pressed_at=now,
    )
    return Move(again, Reason.PRESS)


def copied(alert: Alert, given: Copied, _: Moment, __: Rules) -> Answer:
    """Told with what is sent next: for this alone nothing is sent."""
    grown = _grown(alert.heard_by, given.heard)
    if grown == alert.heard_by:
        return Refusal.NO_CHANGE
    return Move(replace(alert, heard_by=grown, zone=given.zone or alert.zone), None)


def ended(alert: Alert, _: Ended, now: Moment, __: Rules) -> Answer:
    if alert.key.kind not in CONDITIONS or alert.ended_at is not None:
        return Refusal.NO_CHANGE
    return Move(replace(alert, ended_at=now), None)


def withdrawn(alert: Alert, _: Withdrawn, now: Moment, __: Rules) -> Answer:
    if not _pending(alert) or _since_press(alert, now) > alert.window_ms:
        return Refusal.NO_CHANGE
    return Move(_changed(alert, now, state=AlertState.CANCELLED), Reason.CANCELLED)


def confirmed(alert: Alert, _: Confirmed, now: Moment, __: Rules) -> Answer:
    if not _pending(alert):
        return Refusal.NO_CHANGE
    return Move(_changed(alert, now, confirmed=True), Reason.CONFIRMED)


def accepted(alert: Alert, given: Accept, now: Moment, _: Rules) -> Move:
    return Move(_changed(alert, now, state=AlertState.ACCEPTED, by=given.by), Reason.ACCEPT)


def cleared(alert: Alert, given: Clear, now: Moment, _: Rules) -> Move:
    return Move(_changed(alert, now, state=AlertState.CLEARED, by=given.by), Reason.CLEAR)


def ticked(alert: Alert, tick: Tick, now: Moment, rules: Rules) -> Answer:
    if alert.ended_at is not None and alert.ended_at.until(now) >= rules.hold_ms:
        return Move(_changed(alert, now, state=AlertState.CLEARED), Reason.CONDITION_ENDED)
    if _pending(alert) and _since_press(alert, now) > alert.window_ms:
        return Move(_changed(alert, now, confirmed=True), Reason.CONFIRMED)
    if tick.unsent:
        return Refusal.NO_CHANGE
    if alert.repeats and _quiet(alert, now) >= repeat_after(alert, now):
        return Move(replace(alert, repeat=alert.repeat + 1, told_at=now), Reason.REPEAT)
    if alert.state is AlertState.ACCEPTED and _quiet(alert, now) >= rules.reminder_ms:
        return Move(replace(alert, told_at=now), Reason.REMINDER)
    return Refusal.NO_CHANGE


def repeat_after(alert: Alert, now: Moment) -> int:
    """Milliseconds between the last message and the next repeat."""
    if alert.told_at is None:
        return 0
    if alert.repeat < len(REPEATS_MS):
        return REPEATS_MS[alert.repeat]
    return REPEAT_MS if _since_press(alert, now) < LATE_MS else REPEAT_LATE_MS


def _since_press(alert: Alert, now: Moment) -> int:
    return (alert.pressed_at or alert.at).until(now)


def _quiet(alert: Alert, now: Moment) -> int:
    return alert.told_at.until(now) if alert.told_at else 0


def _pending(alert: Alert) -> bool:
    return alert.key.kind is AlertKind.FALL and not alert.confirmed


def _changed(alert: Alert, now: Moment, **fields: Any) -> Alert:
    return replace(alert, changed_at=now, told_at=now, **fields)


def _listed(presses: tuple[Press, ...], press: Press) -> tuple[Press, ...]:
    return (*presses, press) if len(presses) < PRESSES else (presses[0], *presses[2:], press)


def _grown(heard_by: tuple[Heard, ...], heard: Heard | None) -> tuple[Heard, ...]:
    if heard is None:
        return heard_by
    return heard_by if any(known.link == heard.link for known in heard_by) else (*heard_by, heard)


def _refuse(refusal: Refusal) -> Row:
    return lambda _alert, _input, _now, _rules: refusal


_NOTHING_OPEN = _refuse(Refusal.NOTHING_OPEN)
_NO_CHANGE = _refuse(Refusal.NO_CHANGE)
_UNKNOWN = _refuse(Refusal.UNKNOWN)
_CLEARED = _refuse(Refusal.ALREADY_CLEARED)
_CANCELLED = _refuse(Refusal.WAS_CANCELLED)

TABLE: dict[tuple[AlertState | None, type[Input]], Row] = {
    (None, Pressed): raised,
    (None, Copied): _NOTHING_OPEN,
    (None, Ended): _NOTHING_OPEN,
    (None, Withdrawn): _NOTHING_OPEN,
    (None, Confirmed): _NOTHING_OPEN,
    (None, Accept): _UNKNOWN,
    (None, Clear): _UNKNOWN,
    (None, Tick): _NOTHING_OPEN,
    (AlertState.RAISED, Pressed): pressed_again,
    (AlertState.RAISED, Copied): copied,
    (AlertState.RAISED, Ended): ended,
    (AlertState.RAISED, Withdrawn): withdrawn,
    (AlertState.RAISED, Confirmed): confirmed,
    (AlertState.RAISED, Accept): accepted,
    (AlertState.RAISED, Clear): cleared,
    (AlertState.RAISED, Tick): ticked,
    (AlertState.ACCEPTED, Pressed): pressed_again,
    (AlertState.ACCEPTED, Copied): copied,
    (AlertState.ACCEPTED, Ended): ended,
    (AlertState.ACCEPTED, Withdrawn): withdrawn,
    (AlertState.ACCEPTED, Confirmed): confirmed,
    (AlertState.ACCEPTED, Accept): _refuse(Refusal.ALREADY_ACCEPTED),
    (AlertState.ACCEPTED, Clear): cleared,
    (AlertState.ACCEPTED, Tick): ticked,
    (AlertState.CLEARED, Pressed): raised,
    (AlertState.CLEARED, Copied): _NO_CHANGE,
    (AlertState.CLEARED, Ended): _NO_CHANGE,
    (AlertState.CLEARED, Withdrawn): _NO_CHANGE,
    (AlertState.CLEARED, Confirmed): _NO_CHANGE,
    (AlertState.CLEARED, Accept): _CLEARED,
    (AlertState.CLEARED, Clear): _CLEARED,
    (AlertState.CLEARED, Tick): _NO_CHANGE,
    (AlertState.CANCELLED, Pressed): raised,
    (AlertState.CANCELLED, Copied): _NO_CHANGE,
    (AlertState.CANCELLED, Ended): _NO_CHANGE,
    (AlertState.CANCELLED, Withdrawn): _NO_CHANGE,
    (AlertState.CANCELLED, Confirmed): _NO_CHANGE,
    (AlertState.CANCELLED, Accept): _CANCELLED,
    (AlertState.CANCELLED, Clear): _CANCELLED,
    (AlertState.CANCELLED, Tick): _NO_CHANGE,
}
