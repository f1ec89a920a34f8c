"""A listener that keeps what a driver tells, and a driver running under it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from drivers.base import Driver, Instant, Packet

SOON_S = 5.0


class Heard:
    """`packets` and `rejected` in the order told."""

    def __init__(self) -> None:
        self.packets: list[Packet] = []
        self.rejected: list[tuple[str, bytes]] = []
        self.up = asyncio.Event()
        self._told = asyncio.Event()

    def packet(self, packet: Packet) -> None:
        self.packets.append(packet)
        self._told.set()

    def reject(self, _link: str, reason: str, payload: bytes, _received: Instant) -> None:
        self.rejected.append((reason, payload))
        self._told.set()

    async def until(self, condition: Callable[["Heard"], bool]) -> None:
        async with asyncio.timeout(SOON_S):
            while not condition(self):
                self._told.clear()
                await self._told.wait()


class _Ears:
    """The Listener's own words over `Heard`."""

    def __init__(self, heard: Heard) -> None:
        self.packet, self.rejected = heard.packet, heard.reject


@asynccontextmanager
async def hearing(driver: Driver) -> AsyncIterator[tuple[Heard, "asyncio.Task[None]"]]:
    """The driver once it is up, and its task; ended by cancelling it."""
    heard = Heard()
    task = asyncio.create_task(driver.run(_Ears(heard), heard.up.set))
    up = asyncio.create_task(heard.up.wait())
    try:
        async with asyncio.timeout(SOON_S):
            await asyncio.wait({task, up}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        yield heard, task
    finally:
        up.cancel()
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task
