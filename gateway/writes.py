"""What the daemon sends to wearables: so far the buzz that tells a wearer that help is coming."""

import asyncio
from collections.abc import Callable, Mapping

import structlog

from drivers.base import Address, BuzzPattern, Driver, LinkDown, Write
from drivers.registry import Profiles
from gateway.model import Alert
from gateway.normalise import Route

log = structlog.get_logger("writes")

WRITE_S = 15.0
"""Over Bluetooth the wearable is to be called first."""


class Writes:
    """`help_is_coming` returns at once; what became of the buzz is one line in the log."""

    def __init__(
        self, drivers: Mapping[str, Driver], profiles: Profiles, route: Callable[[Address], Route | None]
    ) -> None:
        self._drivers = drivers
        self._profiles = profiles
        self._route = route
        self._tasks: set[asyncio.Task[None]] = set()

    def help_is_coming(self, alert: Alert) -> None:
        if alert.wearable is None:
            return
        address = alert.wearable.address
        route = self._route(address)
        if route is None:
            return
        write = self._profiles.buzz(route.profile, route.link, route.address, BuzzPattern.HELP_IS_COMING)
        if write is None:
            return
        task = asyncio.create_task(self._write(alert, write), name=f"buzz {alert.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write(self, alert: Alert, write: Write) -> None:
        device = alert.wearable.device if alert.wearable else None
        try:
            async with asyncio.timeout(WRITE_S):
                await self._drivers[write.link].write(write)
        except (LinkDown, TimeoutError) as error:
            log.warning("buzz not sent", alert=alert.id, device=device, link=write.link, why=str(error) or "timeout")
        else:
            log.info("buzz sent", alert=alert.id, device=device, link=write.link)
