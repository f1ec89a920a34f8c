"""Moments of a fake clock, for everything that takes `now`."""

from gateway.model import Moment

BOOT = "4b1c2c50-0000-4000-8000-000000000001"
WALL_MS = 1_795_478_400_000


def moment(ms: int, *, boot: str = BOOT, synced: bool = True) -> Moment:
    """`ms` after the test's beginning, on both clocks."""
    return Moment(WALL_MS + ms, 1_000_000 + ms, boot, synced)
