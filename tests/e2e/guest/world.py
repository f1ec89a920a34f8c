"""The radio world of the machine: wearables that speak the 398 reference format, and the adapters that hear them.

Adapters are bumble controllers behind /dev/vhci, so that the kernel and bluetoothd take them for hardware. Most
wearables only advertise; the first ones are whole peripherals with services. It does what it is asked on a socket,
one JSON object a line: {"do": …} in, {"ok": …} or {"error": …} out.

Usage: world.py WEARABLES CONNECTABLE INTERVAL_S RADIOS SOCKET
"""

import asyncio
import heapq
import itertools
import json
import struct
import sys
import time

from bumble import hci
from bumble.controller import Controller
from bumble.core import UUID, AdvertisingData
from bumble.device import Device
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.hci import Address
from bumble.host import Host
from bumble.link import LocalLink
from bumble.transport import open_transport

COMPANY = 0xFFFF
HEARTBEAT, EVENT = 1, 3
EVENT_S, EVENT_EVERY_S = 10.0, 0.2
RSSI = (-55, -75)
"""How strongly each adapter hears everything."""


class Air(LocalLink):
    """bumble 0.0.236 takes what a central sends for its random address; BlueZ calls from the public one."""

    def send_acl_data(self, sender_controller, destination_address, transport, data):
        connection = sender_controller.le_connections.get(destination_address)
        peer = self.find_le_controller(destination_address)
        if connection is None or peer is None:
            super().send_acl_data(sender_controller, destination_address, transport, data)
        else:
            loop = asyncio.get_running_loop()
            loop.call_soon(peer.on_link_acl_data, connection.self_address, transport, data)


class Adapter(Controller):
    """What BlueZ takes for hardware. `deaf`: it is there, it answers, and it hears nothing."""

    deaf = False
    rssi = -60

    def hear(self, address: Address, data: bytes) -> None:
        """One advert of a wearable that cannot be connected."""
        if self.deaf or not self.le_scan_enable:
            return
        report = hci.HCI_LE_Advertising_Report_Event.Report(
            event_type=hci.HCI_LE_Advertising_Report_Event.EventType.ADV_IND,
            address_type=address.address_type,
            address=address,
            data=data,
            rssi=self.rssi,
        )
        self.send_hci_packet(hci.HCI_LE_Advertising_Report_Event([report]))

    def on_advertising_pdu(self, pdu) -> None:
        if not self.deaf:
            super().on_advertising_pdu(pdu)


class Radio:
    """An adapter that can be pulled out and plugged in again."""

    def __init__(self, air: Air, number: int) -> None:
        self._air, self._number = air, number
        self._transport = None
        self.adapter: Adapter | None = None

    async def plug(self) -> None:
        self._transport = transport = await open_transport("vhci")
        public = Address(f"F0:F0:F0:00:00:{self._number + 1:02X}", Address.PUBLIC_DEVICE_ADDRESS)
        self.adapter = Adapter(
            f"radio {self._number}", transport.source, transport.sink, self._air, public_address=public
        )
        self.adapter.rssi = RSSI[self._number % len(RSSI)]

    async def unplug(self) -> None:
        if self._transport is not None:
            self._air.remove_controller(self.adapter)
            self.adapter = None
            await self._transport.close()
            self._transport = None


class Wearable:
    """A band or pendant: what it says when asked by the clock."""

    def __init__(self, number: int, interval_s: float) -> None:
        self.number = number
        self.address = Address(f"C0:98:00:01:{number >> 8:02X}:{number & 255:02X}", Address.RANDOM_DEVICE_ADDRESS)
        self.interval_s = interval_s
        self.counter, self.code = 0, 0
        self.event_until = 0.0
        self._beats = 0

    def press(self, code: int) -> int:
        self.counter, self.code = self.counter % 65535 + 1, code
        self.event_until = time.monotonic() + EVENT_S
        return self.counter

    def payload(self, now: float) -> bytes:
        self._beats += 1
        kind = EVENT if now < self.event_until else HEARTBEAT
        heart_rate, steps = 60 + self._beats % 60, self._beats % 60000
        said = struct.pack("<BHBBBBBhH", kind, self.counter, self.code, 1, 88, heart_rate, 97, 3312, steps)
        return b"\x98\x03" + said

    def every_s(self, now: float) -> float:
        return EVENT_EVERY_S if now < self.event_until else self.interval_s

    def advert(self, now: float, services: tuple[int, ...] = ()) -> bytes:
        parts = [(AdvertisingData.FLAGS, b"\x06")]
        if services:
            listed = b"".join(service.to_bytes(2, "little") for service in services)
            parts.append((AdvertisingData.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS, listed))
        own = COMPANY.to_bytes(2, "little") + self.payload(now)
        parts.append((AdvertisingData.MANUFACTURER_SPECIFIC_DATA, own))
        return bytes(AdvertisingData(parts))


class Peripheral:
    """A wearable with services: heart rate notified each second, a battery, and a buzzer that notes what is written."""

    def __init__(self, wearable: Wearable) -> None:
        self.wearable = wearable
        self.written: list[str] = []
        self.connections = 0
        self._rate = Characteristic("2A37", Characteristic.Properties.NOTIFY, Characteristic.READABLE, b"\x06\x48")
        battery = Characteristic("2A19", Characteristic.Properties.READ, Characteristic.READABLE, b"\x4d")
        alert = Characteristic(
            "2A06",
            Characteristic.Properties.WRITE_WITHOUT_RESPONSE,
            Characteristic.WRITEABLE,
            CharacteristicValue(write=lambda _, value: self.written.append(bytes(value).hex())),
        )
        self._services = [
            Service(UUID("180D"), [self._rate]), Service(UUID("180F"), [battery]), Service(UUID("1802"), [alert])
        ]  # fmt: skip

    async def begin(self, air: Air) -> None:
        number = self.wearable.number
        self._controller = Controller(f"wearable {number}", link=air, public_address=f"D0:00:00:00:00:{number:02X}")
        host = Host()
        host.controller = self._controller
        self.device = Device(name=f"band {number}", address=self.wearable.address, host=host)
        for service in self._services:
            self.device.add_service(service)
        self.device.on("connection", self._connected)
        await self.device.power_on()
        every_ms = min(self.wearable.interval_s, 1) * 1000
        await self.device.start_advertising(
            advertising_data=self._advert(),
            auto_restart=True,
            advertising_interval_min=every_ms,
            advertising_interval_max=every_ms,
        )
        self._task = asyncio.create_task(self._live())

    @property
    def connected(self) -> bool:
        return bool(self.device.connections)

    def _connected(self, _) -> None:
        self.connections += 1

    def _advert(self) -> bytes:
        return self.wearable.advert(time.monotonic(), (0x180D,))

    async def _live(self) -> None:
        for beat in itertools.count():
            data = self._advert()
            self._controller.le_legacy_advertiser.advertising_data = data
            for advertising in self._controller.advertising_sets.values():
                advertising.data = bytearray(data)
            await self.device.notify_subscribers(self._rate, bytes([0x06, 60 + beat % 60]))
            await asyncio.sleep(self.wearable.every_s(time.monotonic()))


class World:
    def __init__(self, wearables: int, connectable: int, interval_s: float, radios: int) -> None:
        self._air = Air()
        self.wearables = [Wearable(number, interval_s) for number in range(wearables)]
        self.peripherals = [Peripheral(wearable) for wearable in self.wearables[:connectable]]
        self.radios = [Radio(self._air, number) for number in range(radios)]
        self._decoys: list[Radio] = []
        self._silent = False
        self.sent = 0

    async def begin(self) -> None:
        for radio in self.radios:
            await radio.plug()
        for peripheral in self.peripherals:
            await peripheral.begin(self._air)

    async def live(self) -> None:
        """Advertise for all that cannot be connected."""
        light = self.wearables[len(self.peripherals) :]
        begun = time.monotonic()
        due = [(begun + wearable.interval_s * place / len(light), place) for place, wearable in enumerate(light)]
        heapq.heapify(due)
        while due:
            at, place = due[0]
            now = time.monotonic()
            if at > now:
                await asyncio.sleep(min(at - now, 0.05))
                continue
            wearable = light[place]
            heapq.heapreplace(due, (max(at, now - 1) + wearable.every_s(now), place))
            if not self._silent:
                data = wearable.advert(now)
                for radio in self.radios:
                    if radio.adapter is not None:
                        radio.adapter.hear(wearable.address, data)
                self.sent += 1
            await asyncio.sleep(0)
        await asyncio.Event().wait()

    async def do(self, verb: str, asked: dict) -> object:
        match verb:
            case "press":
                return self.wearables[asked["wearable"]].press(asked.get("code", 1))
            case "silence":
                self._silent = asked["on"]
            case "deafen":
                self.radios[asked["radio"]].adapter.deaf = asked["on"]
            case "unplug":
                await self.radios[asked["radio"]].unplug()
            case "plug":
                await self.radios[asked["radio"]].plug()
            case "decoy":
                decoy = Radio(Air(), 0x70 + len(self._decoys))
                await decoy.plug()
                self._decoys.append(decoy)
            case "state":
                pass
            case _:
                raise ValueError(f"no such verb: {verb}")
        return {
            "sent": self.sent,
            "wearables": [[wearable.counter, wearable.code] for wearable in self.wearables],
            "connected": [peripheral.connected for peripheral in self.peripherals],
            "connections": [peripheral.connections for peripheral in self.peripherals],
            "written": [peripheral.written for peripheral in self.peripherals],
        }

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for line in reader:
            asked = json.loads(line)
            try:
                said = {"ok": await self.do(asked.pop("do"), asked)}
            except Exception as error:  # whoever asked is told
                said = {"error": repr(error)}
            writer.write(json.dumps(said).encode() + b"\n")
            await writer.drain()
        writer.close()


async def main() -> None:
    wearables, connectable, interval_s, radios, socket = sys.argv[1:]
    world = World(int(wearables), int(connectable), float(interval_s), int(radios))
    await world.begin()
    server = await asyncio.start_unix_server(world.answer, socket)
    print("the world turns", flush=True)
    async with server:
        await world.live()


asyncio.run(main())
