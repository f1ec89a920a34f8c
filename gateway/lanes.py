"""Opening the lanes' files: what is damaged is set aside, what a crash may have cost is said, and the daemon runs."""

import time
from pathlib import Path

import msgspec
import structlog

from gateway.aside import SPACE as ASIDE
from gateway.aside import Aside
from gateway.clock import Clock
from gateway.errors import StoreDamaged
from gateway.forward import Lane, Window, Witness
from gateway.health import Faults
from gateway.model import Draft, Gap, GapCause, Settlement
from gateway.outbox import Outbox
from gateway.refusals import Refusals
from gateway.store import Store
from gateway.wire import Wire

log = structlog.get_logger("storage")

NO_MATCHING_SUBSCRIBERS = 0x10


class Plan(msgspec.Struct, frozen=True):
    """How a lane is to be: its window, its cap in bytes (None: never sheds), whether a crash loses an open group,
    and whether it is a fault that nobody subscribes to it."""

    name: str
    window: Window
    cap: int | None = None
    grouped: bool = False
    must_be_heard: bool = False


class Opened(msgspec.Struct, frozen=True):
    """A lane's file, and the gaps that its opening has brought to light."""

    store: Store
    gaps: list[Gap]


def open_store(folder: Path, plan: Plan, clock: Clock) -> Opened:
    """Open a lane's file, blocking. StorageFailed: the folder takes no file, or cannot be read or written."""
    path = folder / f"{plan.name}.db"
    gaps: list[Gap] = []
    epoch = clock.random(4).hex()
    try:
        store = Store(path, epoch)
    except StoreDamaged as error:
        aside = _set_aside(path)
        log.warning("file damaged, set aside and begun anew", lane=plan.name, why=str(error), aside=str(aside))
        store = Store(path, epoch)
        gaps.append(Gap(plan.name, store.epoch, GapCause.CORRUPT, clock.moment()))
    if store.unclean and plan.grouped:
        gaps.append(Gap(plan.name, store.epoch, GapCause.CRASH, clock.moment()))
    return Opened(store, gaps)


async def start_lane(
    opened: Opened, plan: Plan, wire: Wire, clock: Clock, faults: Faults, witness: Witness | None = None
) -> Lane:
    """Put the file under a thread and its gaps into it."""
    store = opened.store

    def shed(epoch: str, seqs: list[int]) -> Draft:
        gap = Gap(plan.name, epoch, GapCause.SHED, clock.moment(), seqs[0], seqs[-1], len(seqs))
        return wire.gap(gap)

    def gap(seq: int) -> Draft:
        return wire.gap(Gap(plan.name, store.epoch, GapCause.REFUSED, clock.moment(), seq, seq, 1))

    aside = Aside(gap, store.records(ASIDE), lambda: clock.now().wall_ms)
    verdicts = _Verdicts(plan, faults)
    unsent = store.subjects()
    lane = Lane(plan.name, Outbox(store, plan.cap, shed), plan.window, unsent, verdicts.hear, witness, aside)
    verdicts.refusals = lane.sideline.refusals
    if opened.gaps:
        await lane.commit([wire.gap(gap) for gap in opened.gaps])
    return lane


class _Verdicts:
    """What the broker says of a lane's rows, as faults: they outlast the connection that they were heard on."""

    refusals: Refusals

    def __init__(self, plan: Plan, faults: Faults) -> None:
        self._plan, self._faults = plan, faults
        self._where = f"lane:{plan.name}"

    def hear(self, settlement: Settlement) -> None:
        if not settlement.accepted:
            what = f"the broker refuses row {settlement.seq} ({settlement.reason}); it is tried again, others pass it"
            cure = "check the broker's access list and limits; see `station-gateway outbox list`"
            self._faults.begin("publish_refused", self._where, what, cure)
            return
        if not self.refusals:
            self._faults.end(self._where, "publish_refused")
        if settlement.code != NO_MATCHING_SUBSCRIBERS:
            self._faults.end(self._where, "nobody_listens")
        elif self._plan.must_be_heard:
            what = "the broker has nobody who subscribes to our alerts"
            cure = "see whether the platform is connected and subscribed"
            self._faults.begin("nobody_listens", self._where, what, cure)


def _set_aside(path: Path) -> Path:
    """Move a damaged file and its companions out of the way; nothing is deleted."""
    aside = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
    for suffix in ("", "-wal", "-shm"):
        found = path.with_name(path.name + suffix)
        if found.exists():
            found.rename(aside.with_name(aside.name + suffix))
    return aside
