"""The radio world of the machine: wearables that speak the 398 reference format, and the adapters that hear them.

Adapters are bumble controllers behind /dev/vhci, so that the kernel and bluetoothd take them for hardware. Most
wearables only advertise; the first ones are whole peripherals with services, asleep until they are woken. It does
what it is asked on a socket, one JSON object a line: {"do": …} in, how things stand out.

Usage: world.py WEARABLES SOCKET
"""

import asyncio
import contextlib
import heapq
import itertools
import json
import os
import struct
import sys
import time
from collections.abc import Callable

from bumble import hci, ll
from bumble.controller import Controller
from bumble.core import UUID, AdvertisingData
from bumble.device import Device
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.hci import Address
from bumble.host import Host
from bumble.keys import MemoryKeyStore
from bumble.link import LocalLink
from bumble.pairing import PairingConfig
from wearables import ADVERTISED_BPM, BAND, BATTERY, FIRST, NOTIFIED_BPM, PENDANTS, SHY, STRAP

COMPANY = 0xFFFF
HEARTBEAT, EVENT = 1, 3
SERVICES = dict.fromkeys((*PENDANTS, STRAP), 0x180D) | {SHY: 0xFFF0}
"""What is advertised by those that want to be called."""
VENDOR = 0xFF
"""The kind of packet in which /dev/vhci speaks of itself."""
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
    """What BlueZ takes for hardware. `deaf`: it is there, it answers, and it hears nothing.

    bumble 0.0.236 promises the kernel features of Bluetooth 5 and then tells of a connection as Bluetooth 4 did, which
    the kernel does not wait for; it goes on calling when it is told to stop; and its connections outlive a reset.
    """

    le_features = hci.LeFeatureMask.LE_ENCRYPTION
    deaf = False
    rssi = -60

    def on_hci_le_create_connection_cancel_command(self, _):
        called, self.pending_le_connection = self.pending_le_connection, None
        if called is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        ended = hci.HCI_LE_Connection_Complete_Event(
            status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
            connection_handle=0,
            role=hci.Role.CENTRAL,
            peer_address_type=called.peer_address_type,
            peer_address=called.peer_address,
            connection_interval=0,
            peripheral_latency=0,
            supervision_timeout=0,
            central_clock_accuracy=0,
        )
        asyncio.get_running_loop().call_soon(self.send_hci_packet, ended)
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)

    def on_hci_reset_command(self, command):
        self.hang_up()
        self.le_scan_enable = False
        return super().on_hci_reset_command(command)

    def hang_up(self) -> None:
        """Be gone from the air: whoever was connected notices."""
        self.pending_le_connection = None
        for connection in self.le_connections.values():
            connection.send_ll_control_pdu(ll.TerminateInd(hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR))
        self.le_connections.clear()

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


class Port:
    """An adapter's plug: what goes through /dev/vhci. What is said to one that is down is lost.

    bumble's own transport takes that for the end of it.
    """

    def __init__(self) -> None:
        self._file = os.open("/dev/vhci", os.O_RDWR | os.O_NONBLOCK)
        os.write(self._file, bytes([VENDOR, 0]))
        asyncio.get_running_loop().add_reader(self._file, self._read)

    def set_packet_sink(self, sink) -> None:
        self._sink = sink

    def on_packet(self, packet: bytes) -> None:
        with contextlib.suppress(OSError):
            os.write(self._file, packet)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._file)
        os.close(self._file)

    def _read(self) -> None:
        packet = os.read(self._file, 4096)
        if packet[0] != VENDOR:
            self._sink.on_packet(packet)


class Radio:
    """An adapter that can be pulled out and plugged in again."""

    def __init__(self, air: Air, number: int) -> None:
        self._air, self._number = air, number
        self.adapter: Adapter | None = None

    def plug(self) -> None:
        self._port = Port()
        public = Address(f"F0:F0:F0:00:00:{self._number + 1:02X}", Address.PUBLIC_DEVICE_ADDRESS)
        self.adapter = Adapter(f"radio {self._number}", self._port, self._port, self._air, public_address=public)
        self.adapter.rssi = RSSI[self._number % len(RSSI)]

    def unplug(self) -> None:
        self.adapter.hang_up()
        self._air.remove_controller(self.adapter)
        self.adapter = None
        self._port.close()


class Wearable:
    """A band or pendant: what it says when asked by the clock."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.address = Address(f"C0:98:00:01:{number >> 8:02X}:{number & 255:02X}", Address.RANDOM_DEVICE_ADDRESS)
        self.interval_s = 1.0
        self.counter, self.code = 0, 0
        self.event_until = 0.0
        self._beats = 0

    def press(self, code: int) -> None:
        self.counter, self.code = self.counter % 65535 + 1, code
        self.event_until = time.monotonic() + EVENT_S

    def payload(self, now: float) -> bytes:
        self._beats += 1
        kind = EVENT if now < self.event_until else HEARTBEAT
        heart_rate, steps = ADVERTISED_BPM[self._beats % 60], self._beats % 60000
        said = struct.pack("<BHBBBBBhH", kind, self.counter, self.code, 1, 88, heart_rate, 97, 3312, steps)
        return b"\x98\x03" + said

    def every_s(self, now: float) -> float:
        return EVENT_EVERY_S if now < self.event_until else self.interval_s

    def advert(self, now: float) -> bytes:
        parts = [(AdvertisingData.FLAGS, b"\x06")]
        if self.number in SERVICES:
            listed = SERVICES[self.number].to_bytes(2, "little")
            parts.append((AdvertisingData.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS, listed))
        if self.number not in {STRAP, SHY}:
            own = COMPANY.to_bytes(2, "little") + self.payload(now)
            parts.append((AdvertisingData.MANUFACTURER_SPECIFIC_DATA, own))
        return bytes(AdvertisingData(parts))


class Peripheral:
    """A wearable with services: heart rate notified each second, a battery, and a buzzer that notes what is written."""

    def __init__(self, wearable: Wearable, called: Callable[[], None]) -> None:
        self.wearable, self._called = wearable, called
        self.written: list[str] = []
        self.calls = 0
        """How often somebody connected to it."""
        self.bonds = 0
        self._rate = Characteristic("2A37", Characteristic.Properties.NOTIFY, Characteristic.READABLE, b"\x06\x78")
        readable = Characteristic.READABLE
        if wearable.number == SHY:
            readable |= Characteristic.Permissions.READ_REQUIRES_ENCRYPTION
        battery = Characteristic("2A19", Characteristic.Properties.READ, readable, bytes([BATTERY]))
        alert = Characteristic(
            "2A06",
            Characteristic.Properties.WRITE_WITHOUT_RESPONSE,
            Characteristic.WRITEABLE,
            CharacteristicValue(write=lambda _, value: self.written.append(bytes(value).hex())),
        )
        buzzer, pulse = Service(UUID("1802"), [alert]), Service(UUID("180D"), [self._rate])
        charge, own = Service(UUID("180F"), [battery]), Service(UUID("FFF0"), [])
        # once BlueZ has seen a wearable's services, it tells of them as if they were advertised
        self._services = {BAND: [buzzer], SHY: [charge, own]}.get(wearable.number, [buzzer, pulse, charge])

    async def begin(self, air: Air) -> None:
        number = self.wearable.number
        self._controller = Controller(f"wearable {number}", link=air, public_address=f"D0:00:00:00:00:{number:02X}")
        host = Host()
        host.controller = self._controller
        self._device = Device(name=f"band {number}", address=self.wearable.address, host=host)
        for service in self._services:
            self._device.add_service(service)
        self._device.on("connection", self._connected)
        self._device.keystore = MemoryKeyStore()
        self._device.pairing_config_factory = lambda _: PairingConfig(mitm=False)
        await self._device.power_on()

    async def wake(self) -> None:
        await self._device.start_advertising(
            advertising_data=self.wearable.advert(time.monotonic()),
            auto_restart=True,
            advertising_interval_min=1000,
            advertising_interval_max=1000,
        )
        self._task = asyncio.create_task(self._live())

    @property
    def connected(self) -> bool:
        return bool(self._device.connections)

    def _connected(self, connection) -> None:
        self.calls += 1
        self._called()
        connection.on("pairing", self._bonded)

    def _bonded(self, _) -> None:
        self.bonds += 1

    async def _live(self) -> None:
        for beat in itertools.count():
            data = self.wearable.advert(time.monotonic())
            self._controller.le_legacy_advertiser.advertising_data = data
            for advertising in self._controller.advertising_sets.values():
                advertising.data = bytearray(data)
            await self._device.notify_subscribers(self._rate, bytes([0x06, NOTIFIED_BPM[beat % 60]]))
            await asyncio.sleep(self.wearable.every_s(time.monotonic()))


class World:
    def __init__(self, wearables: int) -> None:
        self._air = Air()
        self.wearables = [Wearable(number) for number in range(wearables)]
        self.peripherals = [Peripheral(wearable, self._count) for wearable in self.wearables[:FIRST]]
        self.radios = [Radio(self._air, number) for number in range(len(RSSI))]
        self._decoys: list[Radio] = []
        self._due: list[tuple[float, int]] = []
        self.most = 0
        """Wearables that were connected at once, at most."""

    async def begin(self) -> None:
        self.radios[0].plug()
        for peripheral in self.peripherals:
            await peripheral.begin(self._air)

    async def live(self) -> None:
        """Advertise for all that cannot be called."""
        light = self.wearables[FIRST:]
        begun = time.monotonic()
        self._due = [(begun + place / len(light), wearable.number) for place, wearable in enumerate(light)]
        while True:
            at, number = self._due[0]
            now = time.monotonic()
            if at > now:
                await asyncio.sleep(min(at - now, 0.05))
                continue
            wearable = self.wearables[number]
            heapq.heapreplace(self._due, (max(at, now - 1) + wearable.every_s(now), number))
            data = wearable.advert(now)
            for radio in self.radios:
                if radio.adapter is not None:
                    radio.adapter.hear(wearable.address, data)
            await asyncio.sleep(0)

    def _press(self, pressed: int, code: int) -> None:
        """Its first advert is due at once."""
        self._due = [(0.0 if number == pressed else at, number) for at, number in self._due]
        heapq.heapify(self._due)
        self.wearables[pressed].press(code)

    async def do(self, verb: str, asked: dict) -> dict:
        match verb:
            case "press":
                self._press(asked["wearable"], asked["code"])
            case "wake":
                await self.peripherals[asked["wearable"]].wake()
            case "pace":
                for wearable in self.wearables:
                    wearable.interval_s = asked["every_s"]
            case "deafen":
                self.radios[asked["radio"]].adapter.deaf = asked["on"]
            case "unplug":
                self.radios[asked["radio"]].unplug()
            case "plug":
                self.radios[asked["radio"]].plug()
            case "decoy":
                decoy = Radio(Air(), 0x70 + len(self._decoys))
                decoy.plug()
                self._decoys.append(decoy)
            case "state":
                pass
            case _:
                raise ValueError(f"no such verb: {verb}")
        return {
            "most": self.most,
            "connected": [peripheral.connected for peripheral in self.peripherals],
            "bonds": [peripheral.bonds for peripheral in self.peripherals],
            "calls": [peripheral.calls for peripheral in self.peripherals],
            "written": [peripheral.written for peripheral in self.peripherals],
        }

    def _count(self) -> None:
        self.most = max(self.most, sum(peripheral.connected for peripheral in self.peripherals))

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for line in reader:
            asked = json.loads(line)
            writer.write(json.dumps(await self.do(asked.pop("do"), asked)).encode() + b"\n")
            await writer.drain()
        writer.close()


async def main() -> None:
    wearables, socket = sys.argv[1:]
    world = World(int(wearables))
    await world.begin()
    server = await asyncio.start_unix_server(world.answer, socket)
    print("the world turns", flush=True)
    async with server:
        await world.live()


asyncio.run(main())
