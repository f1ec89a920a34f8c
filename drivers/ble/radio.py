"""A Bluetooth adapter as a link: it scans for as long as it lives, tells when it is deaf, and climbs the ladder."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from typing import Any

import structlog
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from drivers.base import Address, Listener, ScanMode, Write
from drivers.ble import faults, reset
from drivers.ble.adverts import UNHEARD, Adverts, canonical
from drivers.ble.bluez import Adapter, Bluez
from drivers.ble.hearing import WITNESSED_LEAST_MS, Hearing
from drivers.ble.ladder import Cause, Ladder, Rung
from drivers.ble.scan import Advertised, PassiveUnsupported
from drivers.ble.slots import Slots
from drivers.ble.station import REAL, Options, Standing, State, Station, World
from drivers.ble.visits import Visits

log = structlog.get_logger("ble")

TICK_S = 1.0
OFF_S = 1.0
PAUSE_MS = 1_500
"""Scanning may stand still for so long while a wearable is being connected; giving up takes up to half a second."""
NEIGHBOUR_MS = 5_000
BEACON_MS = 300_000
UPWARD_MS = 600_000
"""After so long in a weaker mode the preferred one is tried again."""
_STEPS = {Rung.UNBLOCK: reset.Step.UNBLOCK, Rung.CONTROLLER: reset.Step.POWER, Rung.REBIND: reset.Step.REBIND}


class Radio:
    """The Driver of one adapter."""

    def __init__(self, name: str, options: Options, station: Station, world: World = REAL) -> None:
        self.name = name
        self._options, self._station, self._world = options, station, world
        now = station.clock().mono_ms
        self.hearing = Hearing(now)
        self._ladder = Ladder()
        self._adverts = Adverts(name, station.knows, station.repeat_ms)
        self._visits = Visits(name, Slots(options.slots), world.dial, station.clock, station.claims, self._paused)
        self._beacons = dict.fromkeys(options.beacons, now)
        self._adapter: Adapter | None = None
        self._mode: ScanMode | None = None
        self._last_name: str | None = None
        self._down: faults.RadioDown | None = None
        """What the last attempt ended with."""
        station.radios[name] = self.hearing

    async def run(self, listener: Listener, up: Callable[[], None]) -> None:
        """Hear until the adapter, bluetoothd or the bus goes, or until it is deaf; RadioDown says which."""
        once = cache(up)
        try:
            async with self._world.bluez(self._options.adapter) as bus:
                await self._climb(bus)
                self._adapter = adapter = await bus.adapter()
                self._last_name = adapter.name
                if not adapter.powered:
                    await bus.power(adapter, on=True)
                await bus.bond()
                async with self._visiting(bus, listener) as calls:
                    ends: set[asyncio.Future[Any]] = {await bus.watch(adapter), calls}
                    while True:
                        await self._scan(bus, adapter, ends, listener, once)
        except faults.RadioDown as down:
            self._down = down
            self._ladder.failed(down.cause, self._now())
            raise
        finally:
            self._adapter = self._mode = None

    async def write(self, write: Write) -> None:
        await self._visits.write(write)

    @property
    def standing(self) -> Standing:
        now, adapter = self._now(), self._adapter
        return Standing(
            adapter.name if adapter else None,
            adapter.address if adapter else None,
            self._state(now),
            self._mode,
            self.hearing.silence(now) // 1000,
            self.hearing.gap_ms / 1000,
            self._adverts.repeated,
            self._visits.slots.used,
            self._visits.slots.waiting(now),
            {rung.value: count for rung, count in self._ladder.climbed.items()},
        )

    @asynccontextmanager
    async def _visiting(self, bus: Bluez, listener: Listener) -> AsyncIterator["asyncio.Future[None]"]:
        """Wearables are called meanwhile, whatever becomes of single scans."""
        calls = asyncio.ensure_future(self._visits.run(listener, bus.notifying))
        try:
            yield calls
        finally:
            calls.cancel()
            await asyncio.wait({calls})

    async def _scan(
        self, bus: Bluez, adapter: Adapter, ends: "set[asyncio.Future[Any]]", listener: Listener, up: Callable[[], None]
    ) -> None:
        """One scan, in the best mode that can be had. Returns where a better one is to be tried again."""

        def advertised(device: BLEDevice, advert: AdvertisementData) -> None:
            self._heard(device, advert, listener)

        async with AsyncExitStack() as scan:
            self._mode = await self._started(scan, adapter, advertised)
            now = self._now()
            self.hearing.begin(now)
            self._beacons = dict.fromkeys(self._beacons, now)
            log.info("scanning", link=self.name, adapter=adapter.name, address=adapter.address, mode=self._mode.value)
            if not self._ladder.deaf:  # a radio that was deaf is up again once it hears
                up()
            await self._listen(bus, adapter, ends, up)

    async def _started(self, scan: AsyncExitStack, adapter: Adapter, advertised: Advertised) -> ScanMode:
        """Begin to scan; the mode that worked. RadioDown with what is wrong with the best one that is supported."""
        refusals: list[faults.RadioDown] = []
        for mode in _MODES[self._options.scan]:
            try:
                await scan.enter_async_context(self._world.scan(adapter.name, mode, self._station.patterns, advertised))
            except PassiveUnsupported as unsupported:
                refusals.append(unsupported)
                if self._options.scan is ScanMode.PASSIVE:
                    what = f"{unsupported}; it scans actively instead"
                    self._station.faults.begin(unsupported.fault, f"{self.name} scan", what, unsupported.cure)
            except faults.RadioDown as down:
                if down.cause is not Cause.FAILED:
                    raise
                refusals.append(down)
                log.warning("scan refused", link=self.name, mode=mode.value, why=str(down))
            else:
                if mode is ScanMode.PASSIVE:
                    self._station.faults.end(f"{self.name} scan")
                return mode
        raise next((each for each in refusals if not isinstance(each, PassiveUnsupported)), refusals[0])

    async def _listen(
        self, bus: Bluez, adapter: Adapter, ends: "set[asyncio.Future[Any]]", up: Callable[[], None]
    ) -> None:
        """Let the scan go on until it fails, or until a better mode is due."""
        upward = self._now() + UPWARD_MS if self._mode is not _MODES[self._options.scan][0] else None
        while upward is None or self._now() < upward:
            ended, _ = await asyncio.wait(ends, timeout=TICK_S, return_when=asyncio.FIRST_COMPLETED)
            for end in ended:
                if isinstance(down := end.result(), faults.RadioDown):
                    raise down
            if self.hearing.heard and self._ladder.heard(self.hearing.last_ms):
                log.info("radio heals", link=self.name, after=self._ladder.cause, rungs=dict(self._ladder.climbed))
                up()
            self._miss_beacons()
            await self._judge(bus, adapter)

    async def _judge(self, bus: Bluez, adapter: Adapter) -> None:
        """Raise RadioDown where the silence is too long for what else is known."""
        now = self._now()
        if self.hearing.silence(now) < WITNESSED_LEAST_MS:
            return
        witness = await self._witness(bus, adapter, now)
        if not self.hearing.deaf(now, witnessed=witness is not None):
            return
        if witness is not None or not self._ladder.resting(now):
            raise faults.deaf(self._options.adapter, self.hearing.silence(now) // 1000, witness)

    async def _witness(self, bus: Bluez, adapter: Adapter, now: int) -> str | None:
        """What speaks against silence on the air."""
        if self._beacons:
            return f"the station beacon {next(iter(self._beacons))} is always there"
        if self.hearing.neighbour_counts():
            for name, other in self._station.radios.items():
                if name != self.name and other.heard and other.silence(now) < NEIGHBOUR_MS:
                    return f"{name} hears"
        if self._mode is ScanMode.ACTIVE and not await bus.discovering(adapter):
            return "BlueZ says that it has stopped scanning"
        return None

    def _miss_beacons(self) -> None:
        """A beacon that is missing while others are heard is broken itself."""
        now = self._now()
        for beacon, heard_ms in self._beacons.items():
            where = f"{self.name} beacon {beacon}"
            if now - heard_ms >= BEACON_MS and self.hearing.silence(now) < NEIGHBOUR_MS:
                what = f"not heard for {(now - heard_ms) // 1000} s, while other devices are"
                cure = "see to its battery, or take it out of beacons"
                self._station.faults.begin("beacon_missing", where, what, cure)
            elif now - heard_ms < BEACON_MS:
                self._station.faults.end(where)

    async def _climb(self, bus: Bluez) -> None:
        """Do what the ladder asks for before this attempt."""
        rung, down = self._ladder.next(self._now()), self._down
        if rung is None or down is None:
            return
        log.warning("radio recovery", link=self.name, rung=rung.value, cause=str(down), cure=down.cure)
        if rung is Rung.POWER:
            adapter = await bus.adapter()
            if adapter.powered:
                await bus.power(adapter, on=False)
                await asyncio.sleep(OFF_S)
            await bus.power(adapter, on=True)
        elif rung is not Rung.RESTART:
            step = _STEPS[rung]
            answer = await self._world.reset(step, self._last_name)
            log.warning("radio reset", link=self.name, step=step.value, ok=answer.ok, did=answer.did, why=answer.why)

    def _heard(self, device: BLEDevice, advert: AdvertisementData, listener: Listener) -> None:
        """The path of every advert: as little as possible where it is not news."""
        if advert.rssi == UNHEARD:
            return
        received, address = self._station.clock(), device.address
        if address not in self._visits.attended:  # of those, bleak tells each change of a property as an advert
            self.hearing.advert(received.mono_ms)
        packets = self._adverts.packets(address, advert, received)
        for packet in packets:
            listener.packet(packet)
        if address in self._beacons:
            self._beacons[address] = received.mono_ms
        if packets or advert.service_uuids:
            self._reach(canonical(address), device, advert)

    def _reach(self, address: Address, device: BLEDevice, advert: AdvertisementData) -> None:
        if self._station.registered(address):
            self._visits.reach(address, device, self._station.connect(advert))

    def _paused(self, since_ms: int) -> bool:
        """Whether scanning stands still, as it does while an adapter waits for a connection."""
        return self.hearing.busy and self._now() - max(self.hearing.last_ms, since_ms) > PAUSE_MS

    def _state(self, now: int) -> State:
        if self._mode is None:
            return State.DOWN
        if self.hearing.heard and self.hearing.silence(now) < max(self.hearing.gap_ms, NEIGHBOUR_MS):
            return State.HEARS
        return State.QUIET if self._ladder.resting(now) and not self._ladder.deaf else State.LISTENING

    def _now(self) -> int:
        return self._station.clock().mono_ms


_MODES = {
    # BlueZ scans without pause when active, and half of the time when passive: what hears more goes first
    ScanMode.AUTO: (ScanMode.ACTIVE, ScanMode.PASSIVE),
    ScanMode.ACTIVE: (ScanMode.ACTIVE,),
    ScanMode.PASSIVE: (ScanMode.PASSIVE, ScanMode.ACTIVE),
}
