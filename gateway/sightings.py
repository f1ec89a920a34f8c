"""What the last frames of each registered wearable said of itself: when, over which link, its battery. Pure.

One record for each device of the roster that was ever heard, changed in place: this is on the path of every packet.
"""

import msgspec

from drivers.base import Metric
from gateway.ears import Ears, Rhythm
from gateway.model import Heard, Moment, Values, Wearable

DAY_MS = 86_400_000
SMOOTH = 8
"""A signal's strength is that of so many frames or so."""


class Charge(msgspec.Struct, array_like=True):
    """What is known of a battery. `flat`: the device itself says by a bit that it is low."""

    level: float | None = None
    voltage: float | None = None
    flat: bool = False
    over_at: float | None = None
    """While it is low, the level (or voltage, where no level is known) from which on it no longer is."""
    notes: list[tuple[int, float]] = []
    """Levels of before, with UTC in ms, since it was last charged or changed."""
    fall: float | None = None
    """In % a day, where that can be said."""


class Sighting(msgspec.Struct, array_like=True):
    """`profiles` are the formats in which it was heard."""

    wearable: Wearable
    at: Moment
    heard: Heard
    rhythm: Rhythm
    paused_ms: int
    """For how long its receiver had been deaf by then."""
    profiles: tuple[str, ...]
    charge: Charge
    worn: bool | None = None
    worn_ms: int = 0
    """Since when it says so."""
    strength: float | None = None
    """Its signal's, smoothed, in dBm."""
    weak: bool = False
    lost: bool = False
    """It was found silent, and was not heard since; the gap that ends then is none of its habits."""

    def silence(self, now_ms: int, ears: Ears) -> int:
        """For how long its receiver has listened in vain."""
        deaf_ms = ears.paused(self.heard.link, now_ms) - self.paused_ms
        return max(0, now_ms - self.rhythm.last_ms - deaf_ms)


class Sightings:
    """By the roster's id of a device; there are never more of them than the roster has."""

    def __init__(self) -> None:
        self.ears = Ears()
        self._last: dict[str, Sighting] = {}

    def see(
        self, wearable: Wearable, at: Moment, heard: Heard, profile: str, values: Values, flat: bool | None = None
    ) -> None:
        """A frame was heard; one that says nothing of a value leaves what is known of it."""
        now_ms, ears = at.mono_ms, self.ears
        seen = self._last.get(wearable.device)
        if seen is None:
            seen = Sighting(wearable, at, heard, Rhythm(now_ms, now_ms), 0, (profile,), Charge())
            self._last[wearable.device] = seen
        else:
            seen.rhythm.beat(now_ms, 0 if seen.lost else seen.silence(now_ms, ears), DAY_MS)
            seen.at, seen.heard, seen.lost = at, heard, False
        ears.hear(heard.link, now_ms)
        seen.paused_ms = ears.paused(heard.link, now_ms)
        if profile not in seen.profiles:
            seen.profiles = (*seen.profiles, profile)
        if heard.rssi is not None:
            seen.strength = _smoothed(seen.strength, heard.rssi)
        if flat is not None:
            seen.charge.flat = flat
        if values:
            _note(seen, values, now_ms)

    def last(self, device: str) -> Sighting | None:
        return self._last.get(device)

    def low(self, device: str) -> bool:
        """Whether its battery is low by more than a bit."""
        seen = self._last.get(device)
        return seen is not None and seen.charge.over_at is not None

    def restore(self, device: str, sighting: Sighting) -> None:
        """What was known before the daemon was started again."""
        self._last[device] = sighting


def _note(seen: Sighting, values: Values, now_ms: int) -> None:
    """Of the readings, those that say whether the device can be relied on."""
    charge = seen.charge
    charge.level = values.get(Metric.BATTERY_LEVEL, charge.level)
    charge.voltage = values.get(Metric.BATTERY_VOLTAGE, charge.voltage)
    worn = values.get(Metric.WORN)
    if worn is not None and worn != seen.worn:
        seen.worn, seen.worn_ms = bool(worn), now_ms


def _smoothed(known: float | None, rssi: int) -> float:
    return float(rssi) if known is None else known + (rssi - known) / SMOOTH
