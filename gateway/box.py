"""Words for what the box itself is like: its thermometers, the room on its disk, its certificates. No I/O."""

from datetime import datetime, timedelta

import msgspec

HOT = 80.0
"""Degrees Celsius, from which on the processors of small boxes slow down."""
ENDS = timedelta(days=30)
"""Before its end: time enough to have a certificate made anew."""


class Zone(msgspec.Struct, frozen=True):
    """A thermometer, by what it measures."""

    name: str
    celsius: float


class Certificate(msgspec.Struct, frozen=True):
    """`where` names it: the key of the configuration, or the broker that shows it."""

    where: str
    begins: datetime
    ends: datetime


class Unseen(msgspec.Struct, frozen=True):
    """Something that could not be looked at, and why."""

    where: str
    why: str


class Box(msgspec.Struct, frozen=True):
    """All of it at one moment; None and empty where the box does not tell."""

    zones: tuple[Zone, ...] = ()
    disk_free: int | None = None
    disk_size: int | None = None
    certificates: tuple[Certificate, ...] = ()

    @property
    def temperature(self) -> float | None:
        """The hottest counts."""
        return max((zone.celsius for zone in self.zones), default=None)
