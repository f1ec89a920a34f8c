"""The connections of one adapter: who is called when a slot is free, what is heard from them and written to them."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog
from bleak.backends.device import BLEDevice

from drivers.base import Address, Instant, LinkDown, Listener, Packet, PacketKind, Write
from drivers.ble.call import Call, CallFailed, NotOffered, Told
from drivers.ble.slots import LEASE_MS, SHORT_LEASE_MS, Slots
from drivers.ble.wearable import NOTHING, Wearable, Wish, unwritten
from drivers.profile.connect import Connect

log = structlog.get_logger("ble")

CALL_S = 25.0
PAIR_S = 15.0
STEP_S = 10.0
LEAVE_S = 5.0
"""BlueZ takes two seconds over each connection that it is asked to end."""
TICK_S = 0.25
GONE_MS = 30_000
"""BlueZ forgets a device that it has not heard for so long: it cannot be called any more."""
NEVER_MS = 1 << 62
"""On the boot clock: when what is read once is due again."""

Dial = Callable[[BLEDevice, Callable[[], None]], Awaitable[Call]]
Verify = Callable[[str], Awaitable[bool]]
"""Whether the subscription at an object path is in force."""


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
        self.attended: set[str] = set()  # as BlueZ writes them: who is being called, is connected or is being left
        self._link, self._dial, self._clock, self._claims, self._paused = link, dial, clock, claims, paused
        self._wearables: dict[Address, Wearable] = {}
        self._visits: dict[Address, asyncio.Task[None]] = {}
        self._news = asyncio.Event()

    def reach(self, address: Address, device: BLEDevice, plan: Connect | None) -> None:
        """A registered wearable is heard; `plan` is what its profiles ask for, None where only writes may come."""
        known = self._wearables.get(address)
        if known is None:
            known = self._wearables[address] = Wearable(address, device, NOTHING)
        known.device, known.heard_ms = device, self._now()
        if plan is not None:
            known.plan = plan
        if known.plan is not NOTHING:
            self.slots.heard(address, self._now(), alerts=known.plan.alerts)

    async def write(self, write: Write) -> None:
        """Return when it is written. LinkDown where the wearable cannot be reached."""
        await self._claims.get(write.address, self).take(write)

    async def take(self, write: Write) -> None:
        """The same, over this adapter."""
        wearable = self._wearables.get(write.address)
        if wearable is None or write.key is None:
            raise unwritten(f"{write.address}: not heard by {self._link}, or nothing to write to")
        silence_ms = self._now() - wearable.heard_ms
        if write.address not in self._claims and silence_ms > GONE_MS:
            raise unwritten(f"{write.address}: not heard by {self._link} for {silence_ms // 1000} s")
        done = wearable.wish(write)
        self.slots.urge(write.address, self._now())
        self._news.set()
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
        elsewhere = self._elsewhere()
        if not self._paused(0) and (chosen := self.slots.next(now, elsewhere)) is not None:
            await self._call(self._wearables[chosen], listener, verify)
            return
        if (leaver := self.slots.giving_way(now, elsewhere)) is not None:
            self._wearables[leaver].leaving = True
            self._wearables[leaver].wake.set()
        self._news.clear()
        await _within(TICK_S, self._news.wait())

    async def _call(self, wearable: Wearable, listener: Listener, verify: Verify) -> None:
        wearable.gone = wearable.leaving = False
        self._claims[wearable.address] = self
        self.slots.begun(wearable.address, self._now())
        self.attended.add(wearable.device.address)
        try:
            connection = await self._dialled(wearable)
        except (CallFailed, TimeoutError) as error:
            why = str(error) or "no answer, scanning stood still, or a write came first"
            log.info("not connected", link=self._link, address=wearable.address, why=why)
            wearable.fail(why)
            self._failed(wearable)
        except BaseException:
            self._stopped(wearable)
            raise
        else:
            log.info("connected", link=self._link, address=wearable.address, slots=self.slots.used)
            visit = self._visit(wearable, connection, listener, verify)
            self._visits[wearable.address] = asyncio.create_task(visit, name=f"visit {wearable.address}")

    async def _dialled(self, wearable: Wearable) -> Call:
        """The connection; TimeoutError as soon as scanning has stood still for too long, or a write cannot wait."""
        begun = self._now()
        dialling = asyncio.ensure_future(self._dial(wearable.device, wearable.lost))
        try:
            async with asyncio.timeout(CALL_S):
                while not (await asyncio.wait({dialling}, timeout=TICK_S))[0]:
                    if self._paused(begun) or self._hurried(wearable):
                        raise TimeoutError
        finally:
            if not dialling.done():
                dialling.cancel()
                await asyncio.wait({dialling}, timeout=LEAVE_S)
        return dialling.result()

    def _hurried(self, wearable: Wearable) -> bool:
        return self.slots.hurried(wearable.address, self._now(), self._elsewhere())

    def _elsewhere(self) -> set[Address]:
        """Whom another adapter has."""
        return {address for address, holder in self._claims.items() if holder is not self}

    async def _visit(self, wearable: Wearable, connection: Call, listener: Listener, verify: Verify) -> None:
        """One connection from its beginning to its end; its slot is free again once it is really over."""
        began, over = self._now(), partial(self._stopped, wearable)
        try:
            due = await self._attend(wearable, connection, listener, verify)
            over = partial(self._ended, wearable, due)
        except (CallFailed, TimeoutError) as error:
            why = str(error) or "no answer"
            log.info("connection lost", link=self._link, address=wearable.address, why=why)
            wearable.fail(why)
            soon = self._now() - began < LEASE_MS
            over = partial(self._failed, wearable) if soon else partial(self._ended, wearable, self._now())
        finally:
            try:
                await self._leave(wearable, connection)
            finally:
                over()

    async def _attend(self, wearable: Wearable, connection: Call, listener: Listener, verify: Verify) -> int:
        """What a connection is for. Returns when the next one is due, in milliseconds of the boot clock."""
        plan = wearable.plan
        if plan.pair:
            async with asyncio.timeout(PAIR_S):
                await connection.pair()
        await self._write_all(wearable, connection)
        for characteristic in plan.notify:
            await self._subscribe(wearable, connection, characteristic, listener, verify)
        while True:
            for characteristic in plan.read:
                await self._read(wearable, connection, characteristic, listener)
            read_again = self._now() + plan.poll_ms if plan.poll_ms else NEVER_MS
            if not plan.notify:
                await self._write_all(wearable, connection)
                return self._now() if plan is NOTHING else read_again
            while self._now() < read_again:
                await _within((read_again - self._now()) / 1000, wearable.wake.wait())
                wearable.wake.clear()
                if wearable.gone:
                    raise CallFailed("the wearable ended it, or is out of reach")
                await self._write_all(wearable, connection)
                if wearable.leaving:
                    return self._now() + SHORT_LEASE_MS  # behind the one it leaves for, whatever their functions

    async def _subscribe(
        self, wearable: Wearable, connection: Call, characteristic: str, listener: Listener, verify: Verify
    ) -> None:
        told: Told = partial(self._told, wearable, characteristic, listener)
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
            self._told(wearable, characteristic, listener, value)

    async def _write_all(self, wearable: Wearable, connection: Call) -> None:
        """Write what waits, and say what became of each."""
        while wish := wearable.next():
            await self._write(wish, connection)
        self.slots.served(wearable.address)

    async def _write(self, wish: Wish, connection: Call) -> None:
        write, done = wish
        try:
            async with asyncio.timeout(STEP_S):
                await connection.write(write.key or "", write.payload)
        except NotOffered:
            cure = "correct buzz: in its profile"
            _settle(done, LinkDown("ble_write", f"{write.address}: it has no {write.key}", cure))
        except (CallFailed, TimeoutError, asyncio.CancelledError) as error:
            _settle(done, unwritten(f"{write.address}: {str(error) or 'no answer'}"))
            raise
        else:
            _settle(done, None)

    def _told(self, wearable: Wearable, characteristic: str, listener: Listener, value: bytes) -> None:
        kind, profile, now = PacketKind.CHARACTERISTIC, wearable.plan.profile, self._clock()
        listener.packet(Packet(self._link, kind, characteristic, value, now, wearable.address, profile=profile))

    async def _leave(self, wearable: Wearable, connection: Call) -> None:
        try:
            async with asyncio.timeout(LEAVE_S):
                await connection.leave()
        except (CallFailed, TimeoutError) as error:
            log.info("not disconnected", link=self._link, address=wearable.address, why=str(error) or "no answer")

    def _ended(self, wearable: Wearable, due_ms: int) -> None:
        self.slots.ended(wearable.address, due_ms)
        self._release(wearable)

    def _failed(self, wearable: Wearable) -> None:
        self.slots.failed(wearable.address, self._now())
        self._release(wearable)

    def _stopped(self, wearable: Wearable) -> None:
        wearable.fail("the radio stopped")
        self._failed(wearable)

    def _release(self, wearable: Wearable) -> None:
        if wearable.plan is NOTHING:
            self.slots.forget(wearable.address)
        if wearable.wanted:  # since it was being left
            self.slots.urge(wearable.address, self._now())
        if self._claims.get(wearable.address) is self:
            del self._claims[wearable.address]
        self.attended.discard(wearable.device.address)

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
