"""The inside half to test with: a clock that goes only when told to, and real lanes on real files."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from drivers.base import Instant
from gateway.clock import Clock
from gateway.forward import Lane, Window
from gateway.outbox import Outbox
from gateway.store import Store
from gateway.wire import Wire
from tests.support.drafts import gap_draft
from tests.support.moments import BOOT, moment


class StillClock(Clock):
    """Shows `ms` after the tests' beginning until `ms` is set anew."""

    def __init__(self, ms: int = 0, *, synced: bool = True) -> None:
        super().__init__(BOOT)
        self.ms = ms
        self.synced = synced

    def now(self) -> Instant:
        at = moment(self.ms)
        return Instant(at.wall_ms, at.mono_ms)

    def refresh(self) -> bool:
        return False


def make_wire(clock: Clock) -> Wire:
    return Wire("398/v1", "test-01", "0.1.0", clock)


@asynccontextmanager
async def open_lane(folder: Path, name: str = "alert", *, pages: int | None = None) -> AsyncIterator[Lane]:
    """A lane on `folder/name.db`; `pages` is how large the disk lets the file grow."""
    store = Store(folder / f"{name}.db", "aaaa0000")
    if pages is not None:
        allow(store, pages)
    lane = Lane(name, Outbox(store, None, gap_draft), Window(), store.subjects(), lambda _: None)
    try:
        yield lane
    finally:
        allow(store, 1 << 20)
        await lane.close()


def allow(store: Store, pages: int) -> None:
    """Make the disk as large as that; beyond it SQLite says that it is full."""
    store._db.execute(f"PRAGMA max_page_count = {pages}")
