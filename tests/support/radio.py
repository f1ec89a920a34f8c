"""What a radio touches, made by the test: a bluetoothd that does as told, scans, wearables to connect, a reset unit."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

import msgspec
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from drivers.base import Instant, Packet, PacketKind, ScanMode
from drivers.ble import faults
from drivers.ble.adverts import Advert, canonical
from drivers.ble.bluez import Adapter, Bluez
from drivers.ble.call import Call, CallFailed, NotOffered, Told
from drivers.ble.radio import Radio
from drivers.ble.reset import Answer, Step
from drivers.ble.scan import Advertised, PassiveUnsupported, Patterns
from drivers.ble.station import Options, Station, World
from drivers.profile.connect import Connect

COMPANY = 0xFFFF


class Words:
    """The faults that a radio names beside its own."""

    def __init__(self) -> None:
        self.now: dict[tuple[str, str], str] = {}

    def begin(self, fault: str, where: str, what: str, cure: str) -> None:
        assert cure
        self.now[fault, where] = what

    def end(self, where: str, fault: str | None = None) -> None:
        self.now = {key: what for key, what in self.now.items() if key[1] != where or fault not in (None, key[0])}


class Heard(msgspec.Struct, frozen=True):
    """An advert as bleak hands it over."""

    manufacturer_data: dict[int, bytes]
    service_data: dict[str, bytes] = {}
    service_uuids: list[str] = []
    rssi: int = -67
    local_name: str | None = None


class Wearable:
    """Something to connect to. `values` by characteristic; `fails` is why it cannot be called."""

    def __init__(self, address: str, values: dict[str, bytes] | None = None) -> None:
        self.address, self.values = address, values or {}
        self.fails: str | None = None
        self.breaks: Exception | None = None
        """What reading, writing and pairing come to."""
        self.clings = False
        """It does not let itself be disconnected."""
        self.paired = False
        self.keeps = True
        self.told: dict[str, Told] = {}
        self.written: list[tuple[str, bytes]] = []
        self.connected = 0
        self.calls = 0
        self.lost: Callable[[], None] = lambda: None


class FakeCall:
    def __init__(self, wearable: Wearable) -> None:
        self._wearable = wearable

    def _break(self) -> None:
        if self._wearable.breaks is not None:
            raise self._wearable.breaks

    def _of(self, characteristic: str) -> None:
        if characteristic not in self._wearable.values:
            raise NotOffered(characteristic)

    async def subscribe(self, characteristic: str, told: Told) -> None:
        self._of(characteristic)
        self._wearable.told[characteristic] = told

    async def pair(self) -> None:
        self._break()
        self._wearable.paired = True

    def path(self, characteristic: str) -> str:
        return f"{self._wearable.address}/{characteristic}"

    async def read(self, characteristic: str) -> bytes:
        self._of(characteristic)
        self._break()
        return self._wearable.values[characteristic]

    async def write(self, characteristic: str, payload: bytes) -> None:
        self._of(characteristic)
        self._break()
        self._wearable.written.append((characteristic, payload))

    async def leave(self) -> None:
        await asyncio.sleep(0.005)  # as long as it takes, so that an early successor shows
        self._wearable.connected -= 1
        if self._wearable.clings:
            await asyncio.Event().wait()
        self._wearable.told.clear()


class Machine:
    """One adapter of a station, and the clock: `ms` goes only when the test says so."""

    def __init__(self, station: "Street", name: str = "hci0") -> None:
        self.station, self.name = station, name
        self.address = "001a7dda7113"
        self.powered = True
        self.done: list[str] = []
        """What was done to it, in order."""
        self.present: list[faults.RadioDown] = []
        """Why it cannot be found, once each, in the next attempts."""
        self.refuses: dict[ScanMode, list[faults.RadioDown]] = {}
        """Why a scan cannot begin, once each."""
        self.passive = True
        self.scans = True
        self.answer = Answer(ok=True)
        self.advertised: Advertised | None = None
        self.gone: asyncio.Future[faults.RadioDown] | None = None
        self.mode: ScanMode | None = None
        self.world = World(self._bluez, self._scan, self._reset, station.dial)

    def advert(self, address: str, heard: Heard) -> None:
        assert self.advertised is not None
        self.advertised(BLEDevice(address, None, {}), cast("AdvertisementData", heard))

    @asynccontextmanager
    async def _bluez(self, _: str) -> AsyncIterator[Bluez]:
        yield cast("Bluez", self)

    async def adapter(self) -> Adapter:
        if self.present:
            raise self.present.pop(0)
        return Adapter(self.name, self.address, self.powered)

    async def power(self, _: Adapter, *, on: bool) -> None:
        self.done.append("on" if on else "off")
        if on and self.station.blocked:
            raise faults.blocked(self.name)
        self.powered = on

    async def bond(self) -> None:
        return None

    async def watch(self, _: Adapter) -> "asyncio.Future[faults.RadioDown]":
        self.gone = asyncio.get_running_loop().create_future()
        return self.gone

    async def discovering(self, _: Adapter) -> bool:
        return self.scans

    async def notifying(self, path: str) -> bool:
        address, _, characteristic = path.partition("/")
        wearable = self.station.wearables[address]
        return wearable.keeps and characteristic in wearable.told

    @asynccontextmanager
    async def _scan(self, adapter: str, mode: ScanMode, _: Patterns, advertised: Advertised) -> AsyncIterator[None]:
        assert adapter == self.name
        if self.refuses.get(mode):
            raise self.refuses[mode].pop(0)
        if mode is ScanMode.PASSIVE and not self.passive:
            raise PassiveUnsupported(adapter)
        self.done.append(f"scan {mode.value}")
        self.advertised, self.mode = advertised, mode
        try:
            yield
        finally:
            self.advertised = self.mode = None
            self.done.append("stop")

    async def _reset(self, step: Step, adapter: str | None) -> Answer:
        self.done.append(f"{step.value} {adapter}")
        return self.answer


class Street:
    """A station: its clock, its wearables, and the radios made by `radio`."""

    def __init__(self) -> None:
        self.ms = 0
        self.blocked = False
        self.wearables: dict[str, Wearable] = {}
        self.plans: dict[str, Connect] = {}
        """What connection an advert with this service asks for."""
        self.faults = Words()
        self.registered: set[str] = set()
        self.packets: list[Packet] = []
        self.given = Station(
            knows=lambda kind, key, _: (kind, key) == (PacketKind.MANUFACTURER, COMPANY),
            connect=self._connect,
            patterns=((0xFF, b"\xff\xff"),),
            registered=lambda address: address in self.registered,
            clock=lambda: Instant(1_000_000 + self.ms, self.ms),
            faults=self.faults,
        )

    def wearable(self, address: str, values: dict[str, bytes] | None = None) -> Wearable:
        """One of the roster."""
        self.registered.add(canonical(address))
        return self.wearables.setdefault(address, Wearable(address, values))

    async def dial(self, device: BLEDevice, gone: Callable[[], None]) -> Call:
        wearable = self.wearables[device.address]
        if wearable.fails is not None:
            if wearable.fails == "hangs":
                await asyncio.Event().wait()
            raise CallFailed(wearable.fails)
        wearable.connected += 1
        wearable.calls += 1
        wearable.lost = gone
        return FakeCall(wearable)

    def packet(self, packet: Packet) -> None:
        self.packets.append(packet)

    def rejected(self, *_: object) -> None:
        raise AssertionError("a radio rejects nothing")

    def _connect(self, advert: Advert) -> Connect | None:
        return next((self.plans[uuid] for uuid in advert.service_uuids if uuid in self.plans), None)


def radio(street: Street, options: Options | None = None, name: str = "ble:hci0") -> tuple[Radio, Machine]:
    machine = Machine(street)
    return Radio(name, options or Options("hci0"), street.given, machine.world), machine
