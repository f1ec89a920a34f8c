"""InfluxDB as one more lane: rows of line protocol in a file of their own, written one by one, each until it is in.

Nothing waits for it. What cannot be written now stays in the lane's file. What InfluxDB will never take is set aside
with a gap: a point in the lane itself, or a message over MQTT where InfluxDB refuses even that.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import structlog

from gateway.backoff import Backoff
from gateway.clock import Clock
from gateway.config import Config
from gateway.disk import Disk
from gateway.errors import DatabaseBusy, RowRefused, UplinkDown
from gateway.exports import Influx
from gateway.forward import Lane, Window
from gateway.health import Faults
from gateway.lanes import Plan, open_store, start_lane
from gateway.model import Gap, GapCause, Settlement
from gateway.points import Points
from gateway.rows import Row
from gateway.sinks.blocking import on_thread
from gateway.sinks.influx import Database
from gateway.supervise import Up
from gateway.telemetry import Grouping, Telemetry

log = structlog.get_logger("influx")

NAME = "influx"
WINDOW = Window(messages=4, bytes=1 << 20, patience_s=None)
"""Read ahead from the file, so that the next row is there when the last is in; one is written at a time."""
RETRY_BASE_S = 0.5
Elsewhere = Callable[[Gap], Awaitable[None]]
"""Takes a gap that InfluxDB refuses."""


@dataclass(frozen=True, slots=True)
class InfluxLane:
    """All that it takes: what gathers readings, what keeps them, and what writes them."""

    telemetry: Telemetry
    lane: Lane
    uplink: "InfluxUplink"
    backoff: Backoff


class InfluxUplink:
    """Writes the lane's rows until that fails; the token is read anew for each run."""

    def __init__(
        self, influx: Influx, lane: Lane, points: Points, clock: Clock, faults: Faults, elsewhere: Elsewhere
    ) -> None:
        self._influx, self._lane, self._points = influx, lane, points
        self._clock, self._faults, self._elsewhere = clock, faults, elsewhere
        self._rest_s = 0.0

    async def run(self, up: Up) -> None:
        rest_s, self._rest_s = self._rest_s, 0.0
        await asyncio.sleep(rest_s)
        database, rows = self._database(), _Rows()
        self._lane.attach(rows)
        try:
            await self._deliver(database, await rows.get())
            up()
            while True:
                await self._deliver(database, await rows.get())
        except DatabaseBusy as busy:
            self._rest_s = busy.rest_s
            raise
        finally:
            self._lane.detach()
            database.close()

    def _database(self) -> Database:
        try:
            return Database(self._influx)
        except OSError as error:
            what = f"{self._influx.url}: {error.filename}: {error.strerror}"
            cure = "put the file in place, readable for the gateway's user"
            raise UplinkDown("credentials_unreadable", what, cure) from error

    async def _deliver(self, database: Database, row: Row) -> None:
        """Return once the row is in, or set aside."""
        try:
            await self._written(database, row)
        except RowRefused as refused:
            await self._set_aside(row, str(refused))
        else:
            if row.spare:
                self._faults.end(NAME, "influx_rejects")
        self._lane.settled(Settlement(row.seq, accepted=True, code=0, reason=""))

    async def _written(self, database: Database, row: Row) -> None:
        """The client's own timeout knows neither name servers nor answers that trickle in."""
        limit_s = 2 * self._influx.timeout / 1000
        try:
            async with asyncio.timeout(limit_s):
                await on_thread(partial(database.write, row.payload), lambda: None, NAME)
        except TimeoutError as error:
            what = f"{self._influx.url}: no answer within {limit_s:g} s"
            cure = "check influx.url, the network and the box's name servers"
            raise UplinkDown("influx_unreachable", what, cure) from error

    async def _set_aside(self, row: Row, why: str) -> None:
        what = f"row {row.id} was set aside: {why}"
        cure = "see in InfluxDB's log what it has against these points: the bucket's retention, or a field's type"
        self._faults.begin("influx_rejects", NAME, what, cure)
        log.warning("row refused for ever, set aside", row=row.id, why=why)
        gap = Gap(NAME, row.epoch, GapCause.REFUSED, self._clock.moment(), row.number, row.number, 1)
        if row.spare:
            await self._lane.commit([self._points.gap(gap)])
        else:
            await self._elsewhere(gap)


class _Rows(asyncio.Queue[Row]):
    """The lane's carrier: rows to be written, as many as its window holds."""

    def send(self, row: Row) -> None:
        self.put_nowait(row)


async def open_influx(
    config: Config, influx: Influx, clock: Clock, faults: Faults, disk: Disk, elsewhere: Elsewhere
) -> InfluxLane:
    plan = Plan(NAME, WINDOW, influx.cap, grouped=True)
    points = Points(config.station, clock)
    opened = await asyncio.to_thread(open_store, config.data, plan, clock)
    lane = await start_lane(opened, plan, points, clock, faults, None, disk)
    size = config.telemetry.commit_readings  # a group is one row, and one request
    grouping = Grouping(config.telemetry.commit_every / 1000, size, size)
    telemetry = Telemetry(lane, points, clock, grouping)
    uplink = InfluxUplink(influx, lane, points, clock, faults, elsewhere)
    return InfluxLane(telemetry, lane, uplink, Backoff(RETRY_BASE_S, influx.retry_max / 1000))
