"""Whose battery is low, and for how many days it will still do. Pure.

A device says so by its level, its voltage, a bit, or several of these. An episode ends only clearly above where it
began: batteries recover a little when they are warm, or not used for a while.
"""

from collections.abc import Callable
from itertools import combinations
from statistics import median

from drivers.base import Level as Bit
from drivers.base import Occurrence, OccurrenceKind
from gateway.inputs import Ended, Pressed
from gateway.model import AlertKey, AlertKind, Moment, Press, Wearable
from gateway.sightings import Charge, Sighting
from gateway.thresholds import Supervision as Rules

LEVEL_STEP, VOLTAGE_STEP = 5.0, 0.1
"""So far above where it counts as low, in % and V, a battery is no longer low."""
NOTED_EVERY_MS, NOTED = 12 * 3_600_000, 14
FORECAST_NOTES = 4
"""Levels, half a day apart, that a forecast wants; until then they may say anything."""
FORECAST_DROP = 2.0
DAY_MS = 86_400_000


def key(wearable: Wearable) -> AlertKey:
    return AlertKey(wearable.subject, AlertKind.LOW_BATTERY, None, test=False)


def bit(occurrence: Occurrence, otherwise: bool | None) -> bool | None:
    """Whether the device says by a bit that its battery is low; `otherwise` where this says nothing of it."""
    if occurrence.kind is not OccurrenceKind.LOW_BATTERY or not isinstance(occurrence.behaviour, Bit):
        return otherwise
    return occurrence.behaviour.active


def judge(seen: Sighting, rules: Rules, new_id: Callable[[], str]) -> Pressed | Ended | None:
    """What is to be told of a battery now; what a bit alone says is told by the normaliser, at once."""
    charge = seen.charge
    value, low, step = _measured(charge, rules)
    if value is None:
        return None
    if charge.over_at is None:
        if value > low and not charge.flat:
            return None
        charge.over_at = min(max(value, low), low + step) + step
        return Pressed(key(seen.wearable), seen.wearable, Press(None, seen.at), seen.heard, new_id())
    if value < charge.over_at or charge.flat:
        return None
    charge.over_at = None
    return Ended(key(seen.wearable))


def _measured(charge: Charge, rules: Rules) -> tuple[float | None, float, float]:
    """The value that counts, where it is low, and how far above that it no longer is."""
    if charge.level is not None:
        return charge.level, rules.low_battery, LEVEL_STEP
    return charge.voltage, rules.low_voltage, VOLTAGE_STEP


def note(charge: Charge, now: Moment) -> None:
    """Remember the level twice a day, from one charge to the next, and how fast it falls."""
    if charge.level is None or not now.synced:
        return
    if charge.notes and charge.level >= charge.notes[-1][1] + LEVEL_STEP:
        charge.notes.clear()
    if not charge.notes or now.wall_ms - charge.notes[-1][0] >= NOTED_EVERY_MS:
        charge.notes.append((now.wall_ms, charge.level))
        del charge.notes[:-NOTED]
        charge.fall = _fall(charge.notes)


def _fall(notes: list[tuple[int, float]]) -> float | None:
    """In % a day, by the median of all slopes, so that neither a strange level nor a cold night counts.

    None where that says nothing: too little is known, or it has hardly fallen.
    """
    if len(notes) < FORECAST_NOTES or notes[0][1] - notes[-1][1] < FORECAST_DROP:
        return None
    fall = -median((two[1] - one[1]) / (two[0] - one[0]) for one, two in combinations(notes, 2)) * DAY_MS
    return fall if fall > 0 else None


def days_left(charge: Charge) -> int | None:
    """For how many days it will still do; None where that cannot be said."""
    if charge.level is None or charge.fall is None:
        return None
    return int(charge.level / charge.fall)
