"""The connections of one adapter: who is called when a slot is free, what is heard from them and written to them."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial

import structlog
from bleak.backends.device import BLEDevice

from drivers.base import Address, Instant, LinkDown, Listener, Packet, PacketKind, Write
from drivers.ble.call import Call, CallFailed, NotOffered, Told
from drivers.ble.slots import LEASE_MS, Slots
from drivers.profile.connect import Connect

log = structlog.get_logger("ble")

CALL_S = 25.0
STEP_S = 10.0
LEAVE_S = 2.0
TICK_S = 0.25

Dial = Callable[[BLEDevice, Callable[[], None]], Awaitable[Call]]
Verify = Callable[[str], Awaitable[bool]]
"""Whether the subscription at an object path is in force."""
NOTHING = Connect((), (), None, alerts=True)
"""The plan of a wearable that is only written to."""


class Wearable:
    """One that may be connected: as last heard, and what waits to be written to it."""

    def __init__(self, address: Address, device: BLEDevice, plan: Connect) -> None:
        self.address, self.device, self.plan = address, device, plan
        self.writes: deque[tuple[Write, asyncio.Future[None]]] = deque()
        self.wake = asyncio.Event()
        """Something is to be written, the slot is wanted by another, or the connection is gone."""
        self.leaving = False
        self.gone = False

    def lost(self) -> None:
        self.gone = True
        self.wake.set()

    def fail(self, why: str) -> None:
        """Nothing that waits will be written."""
        while self.writes:
            _, done = self.writes.popleft()
            if not done.done():
                done.set_exception(LinkDown("ble_write", why, "see whether the wearable is in reach and charged"))


class Visits:
    """`claims` is shared by the adapters of a station, so that no two call one wearable at once.

    `paused` says whether scanning has stood still for too long since a time: then the call under way is given up, and
    none is begun before something is heard again.
    """

    def __init__(
        self,
        link: str,
        slots: Slots,
        dial: Dial,
        clock: Callable[[], Instant],
        claims: "dict[Address, Visits]",
        paused: Callable[[int], bool],
    ) -> None:
        self.slots = slots
        self._link, self._dial, self._clock, self._claims, self._paused = link, dial, clock, claims, paused
        self._wearables: dict[Address, Wearable] = {}
        self._visits: dict[Address, asyncio.Task[None]] = {}
        self._news = asyncio.Event()

    def reach(self, address: Address, device: BLEDevice, plan: Connect | None) -> Wearable:
        """A registered wearable is heard; `plan` is what its profiles ask for, None where only writes may come."""
        known = self._wearables.get(address)
        if known is None:
            known = self._wearables[address] = Wearable(address, device, plan or NOTHING)
        known.device = device
        if plan is not None:
            known.plan = plan
            self.slots.heard(address, self._now(), alerts=plan.alerts)
        return known

    def plan(self, address: Address) -> Connect | None:
        """What was learned of its profiles' wishes so far."""
        known = self._wearables.get(address)
        return known.plan if known is not None and known.plan is not NOTHING else None

    async def write(self, write: Write) -> None:
        """Return when it is written. LinkDown where the wearable cannot be reached."""
        holder = self._claims.get(write.address, self)
        wearable = holder._wearables.get(write.address)  # noqa: SLF001
        if wearable is None or write.key is None:
            what = f"{write.address}: not heard by {self._link}, or nothing to write to"
            raise LinkDown("ble_write", what, "see whether the wearable is in reach and charged")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        wearable.writes.append((write, done))
        holder.slots.heard(write.address, self._now(), alerts=True)
        holder.slots.urge(write.address, self._now())
        wearable.wake.set()
        holder._news.set()  # noqa: SLF001
        await done

    async def run(self, listener: Listener, verify: Verify) -> None:
        """Call, listen and write until cancelled; then every connection ends."""
        try:
            while True:
                await self._round(listener, verify)
        finally:
            for visit in self._visits.values():
                visit.cancel()
            if self._visits:
                await asyncio.wait(self._visits.values(), timeout=LEAVE_S)
            self._visits.clear()

    async def _round(self, listener: Listener, verify: Verify) -> None:
        now = self._now()
        for address in [address for address, visit in self._visits.items() if visit.done()]:
            self._visits.pop(address).result()
        chosen = None if self._paused(0) else self.slots.next(now)
        if chosen is not None and self._claims.setdefault(chosen, self) is self:
            await self._call(self._wearables[chosen], listener, verify)
            return
        if (leaver := self.slots.giving_way(now)) is not None:
            self._wearables[leaver].leaving = True
            self._wearables[leaver].wake.set()
        self._news.clear()
        await _within(TICK_S, self._news.wait())

    async def _call(self, wearable: Wearable, listener: Listener, verify: Verify) -> None:
        wearable.gone = wearable.leaving = False
        self.slots.begun(wearable.address, self._now())
        try:
            connection = await self._dialled(wearable)
        except (CallFailed, TimeoutError) as error:
            why = str(error) or "scanning stood still, or no answer"
            log.info("not connected", link=self._link, address=wearable.address, why=why)
            self._failed(wearable, why)
        except BaseException:
            self._failed(wearable, "the radio stopped")
            raise
        else:
            log.info("connected", link=self._link, address=wearable.address, slots=self.slots.used)
            visit = self._visit(wearable, connection, listener, verify)
            self._visits[wearable.address] = asyncio.create_task(visit, name=f"visit {wearable.address}")

    async def _dialled(self, wearable: Wearable) -> Call:
        """The connection; TimeoutError as soon as scanning has stood still for too long."""
        begun = self._now()
        dialling = asyncio.ensure_future(self._dial(wearable.device, wearable.lost))
        try:
            async with asyncio.timeout(CALL_S):
                while not (await asyncio.wait({dialling}, timeout=TICK_S))[0]:
                    if self._paused(begun):
                        raise TimeoutError
        finally:
            if not dialling.done():
                dialling.cancel()
                await asyncio.wait({dialling}, timeout=LEAVE_S)
        return dialling.result()

    async def _visit(self, wearable: Wearable, connection: Call, listener: Listener, verify: Verify) -> None:
        began = self._now()
        try:
            due = await self._attend(wearable, connection, listener, verify)
        except (CallFailed, TimeoutError) as error:
            why = str(error) or "no answer"
            log.info("connection lost", link=self._link, address=wearable.address, why=why)
            if self._now() - began < LEASE_MS:
                self._failed(wearable, why)
            else:
                self._ended(wearable, self._now())
        except asyncio.CancelledError:
            self._failed(wearable, "the radio stopped")
            raise
        else:
            self._ended(wearable, due)
        finally:
            await self._leave(wearable, connection)

    async def _attend(self, wearable: Wearable, connection: Call, listener: Listener, verify: Verify) -> int:
        """What a connection is for. Returns when the next one is due, in milliseconds of the boot clock."""
        plan = wearable.plan
        await self._written(wearable, connection)
        for characteristic in plan.notify:
            await self._subscribe(wearable, connection, characteristic, listener, verify)
        while True:
            for characteristic in plan.read:
                await self._read(wearable, connection, characteristic, listener)
            read_again = self._now() + plan.poll_ms if plan.poll_ms else None
            if not plan.notify:
                await self._written(wearable, connection)
                return read_again if read_again is not None else self._never()
            while read_again is None or self._now() < read_again:
                await self._woken(wearable, read_again)
                if wearable.gone:
                    raise CallFailed("the wearable ended it, or is out of reach")
                await self._written(wearable, connection)
                if wearable.leaving:
                    return self._now()

    async def _woken(self, wearable: Wearable, until_ms: int | None) -> None:
        wait = wearable.wake.wait()
        if until_ms is None:
            await wait
        else:
            await _within((until_ms - self._now()) / 1000, wait)
        wearable.wake.clear()

    async def _subscribe(
        self, wearable: Wearable, connection: Call, characteristic: str, listener: Listener, verify: Verify
    ) -> None:
        told: Told = partial(self._told, wearable.address, characteristic, listener)
        try:
            async with asyncio.timeout(STEP_S):
                await connection.subscribe(characteristic, told)
                if not await verify(connection.path(characteristic)):
                    raise CallFailed(f"{characteristic}: BlueZ took the subscription and does not keep it")
        except NotOffered:
            log.warning("not offered", link=self._link, address=wearable.address, characteristic=characteristic)

    async def _read(self, wearable: Wearable, connection: Call, characteristic: str, listener: Listener) -> None:
        try:
            async with asyncio.timeout(STEP_S):
                value = await connection.read(characteristic)
        except NotOffered:
            log.warning("not offered", link=self._link, address=wearable.address, characteristic=characteristic)
        else:
            self._told(wearable.address, characteristic, listener, value)

    async def _written(self, wearable: Wearable, connection: Call) -> None:
        """Write what waits, and say what became of each."""
        while wearable.writes:
            write, done = wearable.writes[0]
            try:
                async with asyncio.timeout(STEP_S):
                    await connection.write(write.key or "", write.payload)
            except NotOffered:
                failed = LinkDown("ble_write", f"{write.address}: it has no {write.key}", "its profile says otherwise")
                _settle(done, failed)
            else:
                _settle(done, None)
            wearable.writes.popleft()
        self.slots.served(wearable.address)

    def _told(self, address: Address, characteristic: str, listener: Listener, value: bytes) -> None:
        listener.packet(Packet(self._link, PacketKind.CHARACTERISTIC, characteristic, value, self._clock(), address))

    async def _leave(self, wearable: Wearable, connection: Call) -> None:
        try:
            async with asyncio.timeout(LEAVE_S):
                await connection.leave()
        except (CallFailed, TimeoutError) as error:
            log.info("not disconnected", link=self._link, address=wearable.address, why=str(error) or "no answer")

    def _ended(self, wearable: Wearable, due_ms: int) -> None:
        self.slots.ended(wearable.address, due_ms)
        self._release(wearable, "the connection has ended")

    def _failed(self, wearable: Wearable, why: str) -> None:
        self.slots.failed(wearable.address, self._now())
        self._release(wearable, why)

    def _release(self, wearable: Wearable, why: str) -> None:
        if self._claims.get(wearable.address) is self:
            del self._claims[wearable.address]
        wearable.fail(why)

    def _never(self) -> int:
        return self._now() + (1 << 40)

    def _now(self) -> int:
        return self._clock().mono_ms


def _settle(done: "asyncio.Future[None]", error: Exception | None) -> None:
    if done.done():
        return  # whoever asked has given up waiting
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)


async def _within(seconds: float, wait: Awaitable[object]) -> None:
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            await wait
    except TimeoutError:
        return
