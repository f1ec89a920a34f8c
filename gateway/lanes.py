"""Opening the lanes' files: what is damaged is set aside, what a crash may have cost is said, and the daemon runs."""

import asyncio
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

import msgspec
import structlog
from msgspec.structs import replace

from gateway.aside import SPACE as ASIDE
from gateway.aside import Aside
from gateway.clock import Clock
from gateway.config import Telemetry
from gateway.damage import files
from gateway.disk import Disk
from gateway.errors import StorageFailed, StorageFull, StoreDamaged
from gateway.forward import Lane, Window, Witness
from gateway.health import Faults
from gateway.model import Draft, Gap, GapCause, Moment, Settlement
from gateway.outbox import Outbox
from gateway.refusals import Refusals
from gateway.rows import Row
from gateway.salvage import kept, salvage
from gateway.standby import Standby, Upkeep
from gateway.store import LOG_MAX, Store
from gateway.telemetry import Form
from gateway.thinning import Thinning

log = structlog.get_logger("storage")

NO_MATCHING_SUBSCRIBERS = 0x10
PAUSE_S = 10e-6
"""After each reading that is thinned."""
HEAD = 512
"""Bytes of a message around its readings, and of a gap, at most."""
WORTH = 0.75
"""How much may stay of what is thinned. What would stay as it is, or nearly, is not written anew."""
ALERT_WINDOW = Window(messages=100, bytes=256 * 1024)


class Plan(msgspec.Struct, frozen=True):
    """How a lane is to be: its window, its cap in bytes (None: never sheds), whether a crash loses an open group,
    and whether it is a fault that nobody subscribes to it."""

    name: str
    window: Window
    cap: int | None = None
    grouped: bool = False
    must_be_heard: bool = False


def plans(telemetry: Telemetry) -> tuple[Plan, Plan]:
    """Of the alert lane and of the telemetry lane."""
    window = Window(telemetry.window, telemetry.window_bytes)
    alert = Plan("alert", ALERT_WINDOW, must_be_heard=True)
    return alert, Plan("telemetry", window, telemetry.cap, grouped=True)


class Opened(msgspec.Struct, frozen=True):
    """A lane's file, and the gaps that its opening has brought to light. No store: why the disk refuses it."""

    path: Path
    store: Store | None
    gaps: list[Gap] = []
    refused: str = ""

    def records(self, space: str) -> dict[str, bytes]:
        """What was kept; of a file that the disk refuses as much as can be read."""
        if self.store is not None:
            return self.store.records(space)
        try:
            return kept(self.path, space)
        except StorageFailed:
            return {}


def open_store(folder: Path, plan: Plan, clock: Clock, relieve: Callable[[], bool] = lambda: False) -> Opened:
    """Open a lane's file, blocking; whatever it has been through, there is a lane on return."""
    path = folder / f"{plan.name}.db"
    try:
        return Opened(path, *_open(path, plan, clock))
    except StorageFailed as error:
        if isinstance(error, StorageFull) and relieve():
            return open_store(folder, plan, clock)
        return Opened(path, None, refused=str(error))


def _open(path: Path, plan: Plan, clock: Clock, place: int = 1) -> tuple[Store, list[Gap]]:
    """The file, or a new one with what could be saved of it. StorageFailed: the disk refuses it."""
    epoch, log_max = clock.random(4).hex(), min(LOG_MAX, plan.cap // 4) if plan.cap else LOG_MAX
    gaps: list[Gap] = []
    try:
        store = Store(path, epoch, log_max=log_max, place=place)
    except StoreDamaged as error:
        aside = _set_aside(path)
        saved = salvage(aside)
        store = Store(path, epoch, log_max=log_max, place=place)
        store.adopt(saved.rows, saved.records, ())
        counted = {"rows": len(saved.rows), "records": len(saved.records)}
        log.warning(
            "file damaged, set aside and begun anew", lane=plan.name, why=str(error), aside=str(aside), **counted
        )
        gaps.append(Gap(plan.name, epoch, GapCause.CORRUPT, clock.moment()))
    if store.unclean and plan.grouped:
        gaps.append(Gap(plan.name, store.epoch, GapCause.CRASH, clock.moment()))
    return store, gaps


def _upkeep(opened: Opened, plan: Plan, form: Form, clock: Clock, faults: Faults, disk: Disk | None) -> Upkeep:
    loop = asyncio.get_running_loop()

    def shed(rows: Sequence[Row], cause: GapCause = GapCause.SHED) -> list[Draft]:
        drafts, now = [], clock.moment()
        for epoch, group in groupby(rows, lambda row: row.epoch):
            numbers = [row.number for row in group]
            gap = Gap(plan.name, epoch, cause, now, min(numbers), max(numbers), len(numbers))
            drafts.append(form.gap(gap))
        return drafts

    def thin(rows: Sequence[Row]) -> list[Draft] | None:
        thinner = thinned(rows, form, clock.moment())
        return None if thinner is None else [*shed(rows, GapCause.THINNED), *thinner]

    def reopen(place: int) -> tuple[Store, list[Draft]]:
        store, gaps = _open(opened.path, plan, clock, place)
        loop.call_soon_threadsafe(_mark_damage, opened.path, plan, gaps, faults)
        return store, [form.gap(gap) for gap in gaps]

    upkeep = Upkeep(shed, thin, lambda: clock.random(4).hex(), reopen)
    if disk is None:
        return upkeep
    if plan.cap is None:
        return replace(upkeep, relieve=disk.give_up_ballast)
    return replace(upkeep, spared=lambda: disk.low)


def thinned(rows: Sequence[Row], form: Form, now: Moment) -> list[Draft] | None:
    """Rows of one topic with what stays of their readings, blocking; None where that takes nearly as much room."""
    thinning, most = Thinning(), 1
    for row in rows:
        said = form.said(row.payload)
        if said is None:
            return None
        thinning.take(said)
        most = max(most, len(said))
        time.sleep(PAUSE_S * len(said))  # whoever waits for the interpreter gets it
    kept = thinning.kept
    batches = [kept[i : i + most] for i in range(0, len(kept), most)]
    size = sum(len(said.written) for said in kept) + HEAD * (len(batches) + 1)
    if size > WORTH * sum(row.size for row in rows):
        return None
    return [form.thinned(rows[0], batch, now) for batch in batches]


def _mark_damage(path: Path, plan: Plan, gaps: list[Gap], faults: Faults) -> None:
    if any(gap.cause is GapCause.CORRUPT for gap in gaps):
        what = f"{path}: was damaged; what could be saved of it was, the rest is in {path.name}.damaged-*"
        cure = "see whether the disk is sound, such as with `journalctl -k`; it stands until the gateway is restarted"
        faults.begin("file_damaged", plan.name, what, cure)


async def start_lane(
    opened: Opened,
    plan: Plan,
    form: Form,
    clock: Clock,
    faults: Faults,
    witness: Witness | None = None,
    disk: Disk | None = None,
) -> Lane:
    """Put the file under a thread and its gaps into it. The last room of a `disk` is for the lane without a cap."""
    upkeep = _upkeep(opened, plan, form, clock, faults, disk)
    _mark_damage(opened.path, plan, opened.gaps, faults)

    def gap(row: Row) -> Draft:
        return form.gap(Gap(plan.name, row.epoch, GapCause.REFUSED, clock.moment(), row.number, row.number, 1))

    aside = Aside(gap, opened.records(ASIDE), lambda: clock.now().wall_ms)
    verdicts = _Verdicts(plan, faults)
    unsent = opened.store.subjects() if opened.store else {}
    outbox = Outbox(plan.name, Standby(opened.store, plan.cap, upkeep, opened.refused))
    lane = Lane(plan.name, outbox, plan.window, unsent, verdicts.hear, witness, aside)
    verdicts.refusals = lane.sideline.refusals
    if opened.gaps:
        await lane.commit([form.gap(gap) for gap in opened.gaps])
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
    """Move a damaged file and its log out of the way, for whoever wants to look; the one before it goes."""
    for old in path.parent.glob(f"{path.name}.damaged-*"):
        old.unlink(missing_ok=True)
    aside = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
    for found, name in zip(files(path), files(aside), strict=True):
        if found.exists():
            found.rename(name)
    return aside
