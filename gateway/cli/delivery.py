"""A rehearsal's lanes on their way to a real broker, beside the station's own session, which is left alone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial

from gateway.board import Board
from gateway.cli.rehearsal import Stage
from gateway.config import Config
from gateway.errors import GatewayError, UplinkDown
from gateway.forward import Lane
from gateway.sinks.login import endpoints, login
from gateway.sinks.words import Endpoint
from gateway.uplink import Patience, Road, Shore, TelemetryUplink

LAST_S = 30.0
"""So long the broker may take for what is left once the capture is through."""
Link = asyncio.Task[None]


class Undelivered(GatewayError):
    """The broker let us in, and did not take everything."""

    def __init__(self, what: str, cure: str) -> None:
        super().__init__(what)
        self.cure = cure


@contextlib.asynccontextmanager
async def delivering(config: Config, stage: Stage) -> AsyncIterator[Endpoint]:
    """To the first broker that lets us in; left once it has taken everything.

    UplinkDown where none lets us in or it goes away, Undelivered where it does not take everything in time.
    """
    links: list[Link] = []
    try:
        endpoint, alerts = await _first(config, stage)
        links.append(alerts)
        links.append(await _link(config, stage, stage.telemetry, endpoint))
        yield endpoint
        await _delivered(endpoint, stage, links)
    finally:
        for link in links:
            link.cancel()
        await asyncio.gather(*links, return_exceptions=True)


async def _first(config: Config, stage: Stage) -> tuple[Endpoint, Link]:
    """The alerts' connection; brokers that do not let us in are passed over while there is another."""
    *others, last = endpoints(config.mqtt)
    for endpoint in others:
        with contextlib.suppress(UplinkDown):
            return endpoint, await _link(config, stage, stage.alert, endpoint)
    return last, await _link(config, stage, stage.alert, last)


async def _link(config: Config, stage: Stage, lane: Lane, endpoint: Endpoint) -> Link:
    """A lane's connection, up. Its client id is none of the daemon's: that one is not pushed out."""
    road, up = Road(), asyncio.Event()
    road.move(endpoint)
    let_in = partial(login, config.mqtt, f"{config.station}-replay-{lane.name}", keep_session=False)
    shore = Shore(stage.wire, road, let_in, stage.clock, stage.faults, Patience())
    uplink = TelemetryUplink(lane, Board(), shore, config.telemetry.expiry // 1000)
    link, rising = asyncio.create_task(uplink.run(up.set)), asyncio.create_task(up.wait())
    await asyncio.wait({link, rising}, return_when=asyncio.FIRST_COMPLETED)
    rising.cancel()
    if link.done():
        link.result()
    return link


async def _delivered(endpoint: Endpoint, stage: Stage, links: list[Link]) -> None:
    """Return when the broker has acknowledged everything. UplinkDown where it goes, Undelivered where it waits."""
    emptied = asyncio.create_task(_emptied(stage))
    await asyncio.wait({emptied, *links}, timeout=LAST_S, return_when=asyncio.FIRST_COMPLETED)
    if emptied.done():
        return
    emptied.cancel()
    for link in links:
        if link.done():
            link.result()
    found = "; ".join(f"{fault.what}; {fault.cure}" for fault in stage.faults)
    left = stage.alert.pending + stage.telemetry.pending
    cure = found or "see the broker's access list and its log"
    raise Undelivered(f"{endpoint}: {left} messages were not acknowledged", cure)


async def _emptied(stage: Stage) -> None:
    await stage.alert.emptied()
    await stage.telemetry.emptied()
