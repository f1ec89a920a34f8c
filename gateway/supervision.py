"""Which wearables are silent, and which were never heard. Pure: sightings and `now` go in, what is told comes out.

Time counts only while the receiver that last heard a wearable hears: a deaf one is told of itself, once, in place of
all its wearables. A visitor may come and go.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import msgspec
from msgspec.structs import replace

from gateway import battery, thresholds
from gateway.ears import Ears, Rhythm
from gateway.inputs import Ended, Pressed
from gateway.model import Alert, AlertKey, AlertKind, Moment, Press, Wearable
from gateway.roster import Device
from gateway.sightings import Sighting, Sightings

TIMES, SLOW_TIMES = 10, 3
SLOW_MS = 30 * 60_000
"""From this interval on it is `SLOW_TIMES` of them, and not `TIMES`, that make a silence."""
UNSTATED_MS = 24 * 3_600_000
"""The patience with a device of which nobody says how often it speaks, until it has shown it."""
ENOUGH, UNSTATED_TIMES = 20, 3
HABIT = 2
"""A gap may be so many times what the profile leads one to expect, and pass for a habit of its wearer."""


def patience(interval_ms: int | None, rhythm: Rhythm, rules: thresholds.Supervision) -> int | None:
    """How long a device may be silent that speaks so often: 0 only when something happens, None nobody knows how often.

    None where its silence says nothing.
    """
    if interval_ms == 0:
        return None
    if interval_ms is None:
        learned = max(UNSTATED_TIMES * rhythm.gap_ms, rules.silent_after)
        expected = UNSTATED_MS if rhythm.beats < ENOUGH else min(learned, UNSTATED_MS)
    elif interval_ms >= SLOW_MS:
        expected = SLOW_TIMES * interval_ms
    else:
        expected = max(TIMES * interval_ms, rules.silent_after)
    habit = min(rhythm.gap_ms, HABIT * expected)
    return max(expected, habit + habit // 2)


class Watched(msgspec.Struct):
    """A device of the roster. `told` is what people know of it now, or knew and closed while it lasted."""

    device: Device
    entered: Moment
    since_ms: int
    """When its time unheard began to count, on this boot's clock."""
    paused_ms: int = 0
    """For how long nobody had heard anything by then."""
    told: AlertKind | None = None

    @property
    def wearable(self) -> Wearable:
        """As the roster has it; its address may be longer than what is heard of it."""
        return Wearable(self.device.address, self.device.id, self.device.wearer, self.device.zone)

    def key(self, kind: AlertKind) -> AlertKey:
        """Of each device its own: another of the same wearer may be heard meanwhile."""
        return AlertKey(f"device:{self.device.id}", kind, None, test=False)


class Known(msgspec.Struct, array_like=True):
    """A device as the checkpoint has it. `silence_ms` is for how long it had not been heard, though it could have been,
    `worn_ms` for how long it had said whether it is worn."""

    entered: Moment
    told: AlertKind | None
    silence_ms: int
    seen: Sighting | None
    worn_ms: int = 0


class Supervision:
    """`look` at every device in turn, then `count`. `intervals`: how often devices speak, by their profiles."""

    def __init__(
        self,
        sightings: Sightings,
        intervals: Mapping[str, int | None],
        rules: thresholds.Supervision,
        new_id: Callable[[], str],
    ) -> None:
        self._sightings, self._intervals, self._rules, self._new_id = sightings, intervals, rules, new_id
        self._watched: dict[str, Watched] = {}
        self._flock: Counter[str] = Counter()

    def enter(self, device: Device, now: Moment) -> Watched:
        """A device that is in the roster from now on."""
        watched = Watched(device, now, now.mono_ms, self.ears.paused(None, now.mono_ms))
        self._watched[device.id] = watched
        return watched

    def adopt(self, alerts: Iterable[Alert]) -> list[Ended]:
        """Take up what people were told before a start; what is of a device that is no longer supervised ends."""
        over = []
        for alert in alerts:
            if alert.open and alert.key.kind in TOLD and alert.wearable is not None:
                watched = self._watched.get(alert.wearable.device)
                if watched is None or watched.device.visitor:
                    over.append(Ended(alert.key))
                else:
                    self._find(watched, alert.key.kind)
        return over

    def look(self, device: str, now: Moment) -> Pressed | Ended | None:
        """What is to be told of a device now: once per outage, and its return."""
        watched, seen = self._watched[device], self._sightings.last(device)
        kind, told = self._wrong(watched, seen, now.mono_ms), watched.told
        if kind is None and seen is not None:
            self._flock[seen.heard.link] += 1
        if told is not None and kind is not told:  # from one to the other it ends first
            self._find(watched, None)
            return None if watched.device.visitor else Ended(watched.key(told))
        if kind is None or kind is told:
            return None
        self._find(watched, kind)
        if watched.device.visitor:
            return None
        at = seen.at if seen is not None else watched.entered
        return Pressed(watched.key(kind), watched.wearable, Press(None, at), None, self._new_id())

    def weigh(self, device: str, now: Moment) -> Pressed | Ended | None:
        """What is to be told of its battery."""
        seen = self._sightings.last(device)
        if seen is None:
            return None
        battery.note(seen.charge, now)
        return battery.judge(seen, self._rules, self._new_id)

    def known(self, device: str, now: Moment) -> Known:
        """What of a device must survive a restart."""
        watched, seen = self._watched[device], self._sightings.last(device)
        if seen is None:
            return Known(watched.entered, watched.told, self._unheard(watched, now.mono_ms), None)
        silence_ms = seen.silence(now.mono_ms, self.ears)
        return Known(watched.entered, watched.told, silence_ms, seen, now.mono_ms - seen.worn_ms)

    def restore(self, device: str, kept: Known, now: Moment) -> None:
        """Go on where the last run ended, once the links are known: while no daemon ran, nobody was silent."""
        watched, seen, now_ms = self._watched[device], kept.seen, now.mono_ms
        watched.entered, watched.told = kept.entered, kept.told
        watched.since_ms = now_ms - kept.silence_ms
        if seen is not None:
            seen.rhythm.last_ms, seen.rhythm.since_ms = watched.since_ms, now_ms
            seen.worn_ms = now_ms - kept.worn_ms
            seen.wearable = replace(watched.wearable, address=seen.wearable.address)
            seen.paused_ms = self.ears.paused(seen.heard.link, now_ms)
            self._sightings.restore(device, seen)

    def count(self) -> None:
        """Every device has been looked at once more: tell each ear how many it hears."""
        for link, ear in self.ears.of.items():
            ear.flock = self._flock[link]
        self._flock.clear()

    def seen(self, device: str) -> Sighting | None:
        return self._sightings.last(device)

    def supervised(self, seen: Sighting) -> bool:
        """Whether its silence would say anything."""
        return self._patience(seen) is not None

    def deaf_ms(self, seen: Sighting, now_ms: int) -> int:
        """For how long the receiver that last heard it has not heard by now."""
        return self.ears.deaf_ms(seen.heard.link, now_ms)

    def silent(self, device: str, now_ms: int) -> bool:
        """Whether it has not been heard for longer than it may be; a visitor's silence too, which nobody is told."""
        seen = self._sightings.last(device)
        return seen is None or self._overdue(seen, now_ms)

    @property
    def ears(self) -> Ears:
        return self._sightings.ears

    def _find(self, watched: Watched, kind: AlertKind | None) -> None:
        watched.told = kind
        if kind is AlertKind.DEVICE_SILENT and (seen := self._sightings.last(watched.device.id)) is not None:
            seen.lost = True

    def _wrong(self, watched: Watched, seen: Sighting | None, now_ms: int) -> AlertKind | None:
        if seen is not None:
            return AlertKind.DEVICE_SILENT if self._overdue(seen, now_ms) else None
        if watched.told is AlertKind.DEVICE_SILENT:  # all else that was known of it is lost
            return watched.told
        late = self._unheard(watched, now_ms) >= self._rules.commission_within
        return AlertKind.NEVER_COMMISSIONED if late else None

    def _unheard(self, watched: Watched, now_ms: int) -> int:
        return now_ms - watched.since_ms - (self.ears.paused(None, now_ms) - watched.paused_ms)

    def _overdue(self, seen: Sighting, now_ms: int) -> bool:
        if seen.lost:  # a receiver that turns out to have been deaf brings nobody back
            return True
        allowed = self._patience(seen)
        return allowed is not None and seen.silence(now_ms, self.ears) >= allowed

    def _patience(self, seen: Sighting) -> int | None:
        stated = [each for profile in seen.profiles if (each := self._intervals.get(profile)) is not None]
        return patience(max(stated, default=None), seen.rhythm, self._rules)


TOLD = frozenset({AlertKind.DEVICE_SILENT, AlertKind.NEVER_COMMISSIONED})
"""What is told here, and nowhere else."""
