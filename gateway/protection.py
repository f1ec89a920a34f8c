"""Whether a press of each wearer would reach a human now, and what stands against it. Pure.

The chain is judged link by link: her wearable, who hears it, the box, the broker, the call centre. What breaks it makes
her unprotected, what weakens it degraded; the worst counts. Of several wearables the best one does.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum

import msgspec

from gateway import battery
from gateway.health import Fault
from gateway.model import Moment
from gateway.roster import Roster
from gateway.sightings import Sighting
from gateway.supervision import Supervision
from gateway.wire import Json, Wire

SETTLE_MS = 15_000
"""What heals within this, as a receiver that is plugged in again does, has left nobody unprotected."""
OFF_MS = 300_000
"""A wearable that is taken off for so long is not only being put right."""
SHORT_DAYS = 3
WEAK_STEP = 5
"""A signal is no longer weak that is stronger by so many dB than where it counts as weak."""
GONE_MS = 24 * 3_600_000
"""A visitor who was not heard for so long is no longer this station's."""


class State(StrEnum):
    PROTECTED = "protected"
    DEGRADED = "degraded"
    UNPROTECTED = "unprotected"
    AWAY = "away"
    """A visitor who is not here."""


class Flaw(StrEnum):
    """What stands between a press and a human."""

    NEVER_HEARD = "never_heard"
    SILENT = "silent"
    NOT_SUPERVISED = "not_supervised"
    """It speaks only when it is pressed: nobody can tell whether it still works."""
    NOT_WORN = "not_worn"
    LOW_BATTERY = "low_battery"
    BATTERY_SHORT = "battery_short"
    WEAK_SIGNAL = "weak_signal"
    RECEIVER_DOWN = "receiver_down"
    STORAGE = "storage"
    CLOCK = "clock"
    NO_BROKER = "no_broker"
    NOT_HEARD_BACK = "not_heard_back"
    PUBLISH_REFUSED = "publish_refused"
    NOBODY_LISTENS = "nobody_listens"
    CENTRE_SILENT = "centre_silent"


BREAKS = frozenset({Flaw.NEVER_HEARD, Flaw.SILENT, Flaw.NOT_WORN, Flaw.RECEIVER_DOWN})
UPLINK = frozenset({
    Flaw.NO_BROKER, Flaw.NOT_HEARD_BACK, Flaw.PUBLISH_REFUSED, Flaw.NOBODY_LISTENS, Flaw.CENTRE_SILENT
})  # fmt: skip
"""Breaks the chain too, unless the station itself is told of what nobody accepts."""
OF_FAULTS = {
    ("lane:alert", "not_acknowledged"): Flaw.NO_BROKER,
    ("lane:alert", "not_heard_back"): Flaw.NOT_HEARD_BACK,
    ("lane:alert", "publish_refused"): Flaw.PUBLISH_REFUSED,
    ("lane:alert", "nobody_listens"): Flaw.NOBODY_LISTENS,
    ("call_centre", "centre_silent"): Flaw.CENTRE_SILENT,
    ("alert", "storage"): Flaw.STORAGE,
    ("disk", "disk_full"): Flaw.STORAGE,
    ("clock", "clock_unsynced"): Flaw.CLOCK,
}
"""By a fault's place and name. What else is named as a fault leaves presses alone."""
BROKER = "uplink:alert"
"""Whatever keeps this from its broker keeps alerts from it."""
BROKER_FAULTS = ("broker_", "credentials_")

_GRAVITY = {state: rank for rank, state in enumerate((State.PROTECTED, State.DEGRADED, State.UNPROTECTED))}


class Way(msgspec.Struct, frozen=True):
    """What stands against every press of the station. `rings`: the station itself is told of what nobody accepts."""

    flaws: frozenset[Flaw] = frozenset()
    rings: bool = False


class Verdict(msgspec.Struct, frozen=True):
    """`since` is when the state began, whatever the flaws were then."""

    state: State
    flaws: tuple[Flaw, ...]
    since: Moment


class Wearer(msgspec.Struct, frozen=True):
    """A person, by her pseudonym, with the ids of her wearables; a visitor where all of them are."""

    id: str
    devices: tuple[str, ...]
    visitor: bool


def verdict_body(verdict: Verdict, wire: Wire) -> Json:
    reasons = [flaw.value for flaw in verdict.flaws]
    return {"state": verdict.state.value, "reasons": reasons, "since": wire.when(verdict.since)}


def way_of(faults: Iterable[Fault], now: Moment, *, rings: bool) -> Way:
    """What of all that is broken has been for long enough, and stands in the way of presses."""
    lasting = [fault for fault in faults if fault.since.until(now) >= SETTLE_MS]
    flaws = {flaw for fault in lasting if (flaw := _flaw(fault)) is not None}
    silent = any(fault.fault == "local_alert_failed" for fault in lasting)
    return Way(frozenset(flaws), rings and not silent)


def _flaw(fault: Fault) -> Flaw | None:
    if fault.where == BROKER and fault.fault.startswith(BROKER_FAULTS):
        return Flaw.NO_BROKER
    return OF_FAULTS.get((fault.where, fault.fault))


def judged(flaws: Iterable[Flaw], *, rings: bool) -> State:
    """What becomes of a wearer with such flaws."""
    found = frozenset(flaws)
    if found & BREAKS or (found & UPLINK and not rings):
        return State.UNPROTECTED
    return State.DEGRADED if found else State.PROTECTED


class Protection:
    """The latest verdict on each wearer of the roster; `weak` is in dBm."""

    def __init__(self, roster: Roster, supervision: Supervision, weak: int) -> None:
        self.supervision = supervision
        self._weak = weak
        self.wearers = tuple(_wearers(roster))
        self.verdicts: dict[str, Verdict] = {}
        """By wearer; none for a visitor who is none of this station's now."""

    def verdict(self, wearer: str | None) -> Verdict | None:
        return self.verdicts.get(wearer) if wearer is not None else None

    def restore(self, wearer: str, verdict: Verdict) -> None:
        """What was said last before a start: what has not changed goes on since then."""
        self.verdicts[wearer] = verdict

    def look(self, wearer: Wearer, way: Way, now: Moment) -> bool:
        """Judge anew; whether that is news."""
        known = self.verdicts.get(wearer.id)
        if wearer.visitor and not self._here(wearer, now):
            return self.verdicts.pop(wearer.id, None) is not None
        state, flaws = min(
            (self._of(device, way, now) for device in wearer.devices),
            key=lambda each: (_GRAVITY[each[0]], len(each[1])),
        )
        if wearer.visitor and Flaw.SILENT in flaws:
            state, flaws = State.AWAY, ()
        if known is not None and (known.state, known.flaws) == (state, flaws):
            return False
        since = known.since if known is not None and known.state is state else now
        self.verdicts[wearer.id] = Verdict(state, flaws, since)
        return True

    def _here(self, wearer: Wearer, now: Moment) -> bool:
        """Whether a visitor was heard within a day."""
        heard = [seen for device in wearer.devices if (seen := self.supervision.seen(device)) is not None]
        return any(seen.at.until(now) < GONE_MS for seen in heard)

    def _of(self, device: str, way: Way, now: Moment) -> tuple[State, tuple[Flaw, ...]]:
        flaws = (*self._flaws(device, now.mono_ms), *way.flaws)
        return judged(flaws, rings=way.rings), tuple(flaw for flaw in Flaw if flaw in flaws) if flaws else ()

    def _flaws(self, device: str, now_ms: int) -> Iterator[Flaw]:
        """What stands against the presses of one wearable, up to the box."""
        seen = self.supervision.seen(device)
        if seen is None:
            yield Flaw.NEVER_HEARD
            return
        if self.supervision.silent(device, now_ms):
            yield Flaw.SILENT
        if not self.supervision.supervised(seen):
            yield Flaw.NOT_SUPERVISED
        if self.supervision.deaf_ms(seen, now_ms) >= SETTLE_MS:
            yield Flaw.RECEIVER_DOWN
        if seen.worn is False and now_ms - seen.worn_ms >= OFF_MS:
            yield Flaw.NOT_WORN
        if seen.charge.over_at is not None or seen.charge.flat:
            yield Flaw.LOW_BATTERY
        days = battery.days_left(seen.charge)
        if days is not None and days <= SHORT_DAYS:
            yield Flaw.BATTERY_SHORT
        if self._is_weak(seen):
            yield Flaw.WEAK_SIGNAL

    def _is_weak(self, seen: Sighting) -> bool:
        if seen.strength is not None:
            seen.weak = seen.strength < self._weak + (WEAK_STEP if seen.weak else 0)
        return seen.weak


def _wearers(roster: Roster) -> Iterator[Wearer]:
    devices: dict[str, list[str]] = {}
    residents = {device.wearer for device in roster.devices if not device.visitor}
    for device in roster.devices:
        if device.wearer is not None:
            devices.setdefault(device.wearer, []).append(device.id)
    for wearer, ids in devices.items():
        yield Wearer(wearer, tuple(ids), wearer not in residents)
