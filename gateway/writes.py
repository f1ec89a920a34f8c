"""What the daemon sends to wearables: the buzz that tells a wearer that help is coming, and what devices wait for."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from functools import partial

import structlog

from drivers.base import Address, BuzzPattern, Driver, LinkDown, Write
from drivers.registry import Profiles
from gateway.chronicle import Chronicle
from gateway.model import Alert
from gateway.normalise import Route

log = structlog.get_logger("writes")

WRITE_S = 15.0
"""Over Bluetooth the wearable is to be called first."""
OWED = 32
"""Replies that may wait for one link at once."""


class Writes:
    """`help_is_coming` returns at once; what became of the buzz is one line in the log and in the alert's story."""

    def __init__(
        self,
        drivers: Mapping[str, Driver],
        profiles: Profiles,
        route: Callable[[Address], Route | None],
        chronicle: Chronicle,
    ) -> None:
        self._drivers = drivers
        self._profiles = profiles
        self._route = route
        self._chronicle = chronicle
        self._tasks = _Tasks()

    def help_is_coming(self, alert: Alert) -> None:
        if alert.wearable is None:
            return
        address = alert.wearable.address
        route = self._route(address)
        if route is None:
            return
        write = self._profiles.buzz(route.profile, route.link, route.address, BuzzPattern.HELP_IS_COMING)
        if write is not None:
            self._tasks.start(self._write(alert, write))

    async def _write(self, alert: Alert, write: Write) -> None:
        device = alert.wearable.device if alert.wearable else None
        why = await _failure(self._drivers[write.link], write)
        self._chronicle.buzzed(alert, write.link, why)
        if why is None:
            log.info("buzz sent", alert=alert.id, device=device, link=write.link)
        else:
            log.warning("buzz not sent", alert=alert.id, device=device, link=write.link, why=why)


class Replies:
    """What devices wait for. `owe` returns at once and never raises; `then` calls back once all is on the disk.

    Where a link or the disk takes nothing, few of them wait and the rest is left out: the device asks again.
    """

    def __init__(self, drivers: Mapping[str, Driver], then: Callable[[Callable[[], None]], None]) -> None:
        self._drivers = drivers
        self._then = then
        self._owed: Counter[str] = Counter()
        self._failing: set[str] = set()
        self._tasks = _Tasks()

    def owe(self, reply: Write) -> None:
        if self._owed[reply.link] >= OWED:
            self._failed(reply.link, f"{OWED} wait already")
            return
        self._owed[reply.link] += 1
        self._then(partial(self._pay, reply))

    def _pay(self, reply: Write) -> None:
        self._tasks.start(self._send(reply))

    async def _send(self, reply: Write) -> None:
        try:
            why = await _failure(self._drivers[reply.link], reply)
        finally:
            self._owed[reply.link] -= 1
        if why is not None:
            self._failed(reply.link, why)
        elif reply.link in self._failing:
            self._failing.discard(reply.link)
            log.info("replies are sent again", link=reply.link)

    def _failed(self, link: str, why: str) -> None:
        """Say so once, until one is sent again."""
        if link not in self._failing:
            self._failing.add(link)
            log.warning("reply not sent", link=link, why=why)


class _Tasks:
    """Tasks that nobody waits for, held until they have ended."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work, name="write")
        self._running.add(task)
        task.add_done_callback(self._running.discard)


async def _failure(driver: Driver, write: Write) -> str | None:
    """Write, and say why it failed; None where the link has taken it."""
    try:
        async with asyncio.timeout(WRITE_S):
            await driver.write(write)
    except (LinkDown, TimeoutError) as error:
        return str(error) or "timeout"
    return None
