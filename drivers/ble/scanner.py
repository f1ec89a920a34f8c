"""Adverts heard by a Bluetooth adapter, through bleak's own scanner. So far the plain path: it hears, or it raises."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from bleak import BleakScanner
from bleak.args.bluez import BlueZDiscoveryFilters
from bleak.exc import BleakError
from dbus_fast import BusType, DBusError, Message, MessageType
from dbus_fast.aio import MessageBus

from drivers.base import Instant, LinkDown, Listener, Packet, PacketKind, Write

if TYPE_CHECKING:
    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData

START_S = 10.0
BLUEZ = "org.bluez"


class Scanner:
    """One adapter, scanning actively from `run` on. `knows` says which sections any profile looks at.

    BlueZ keeps the latest value per company id and UUID and hands over all of them with each change: a section
    may come again unchanged beside one that is new.
    """

    def __init__(
        self,
        name: str,
        adapter: str,
        knows: Callable[[PacketKind, int | str], bool],
        clock: Callable[[], Instant],
    ) -> None:
        self.name = name
        self._adapter, self._knows, self._clock = adapter, knows, clock

    async def run(self, listener: Listener, up: Callable[[], None]) -> None:
        """Hear until BlueZ or the bus goes away; LinkDown also where scanning cannot begin."""

        def advertised(device: "BLEDevice", advert: "AdvertisementData") -> None:
            for packet in self.packets(device.address, advert):
                listener.packet(packet)

        # an unchanged advert still says that the wearable is there
        filters = BlueZDiscoveryFilters(DuplicateData=True)
        scanner = BleakScanner(advertised, bluez={"adapter": self._adapter, "filters": filters})
        try:
            watching = await _Watch.begin()
            try:
                async with asyncio.timeout(START_S):
                    await scanner.start()
                up()
                why = await watching.gone()
            finally:
                watching.end()
        except (BleakError, DBusError, OSError, EOFError) as error:
            raise self._down(error) from error
        finally:
            await self._stop(scanner)
        raise LinkDown("radio_gone", f"{self._adapter}: {why}", "see `systemctl status bluetooth`")

    def packets(self, address: str, advert: "AdvertisementData") -> list[Packet]:
        """Every section of an advert that some profile looks at."""
        canonical = address.replace(":", "").lower()
        sections: list[tuple[PacketKind, int | str, bytes]] = [
            (PacketKind.MANUFACTURER, company, payload) for company, payload in advert.manufacturer_data.items()
        ]
        sections += [(PacketKind.SERVICE_DATA, uuid.lower(), payload) for uuid, payload in advert.service_data.items()]
        received = self._clock()
        return [
            Packet(self.name, kind, key, payload, received, canonical, advert.rssi)
            for kind, key, payload in sections
            if self._knows(kind, key)
        ]

    async def write(self, write: Write) -> None:
        what = f"{write.address}: this release only listens over Bluetooth"
        raise LinkDown("ble_write", what, "nothing is to be done")

    async def _stop(self, scanner: BleakScanner) -> None:
        try:
            async with asyncio.timeout(2.0):
                await scanner.stop()
        except (BleakError, DBusError, OSError, EOFError):
            return  # what ended the scan has been said; a BlueZ that is gone has stopped scanning

    def _down(self, error: Exception) -> LinkDown:
        what = f"{self._adapter}: {str(error) or type(error).__name__}"
        match error:
            case FileNotFoundError() | ConnectionError():
                return LinkDown("no_dbus", what, "start the system bus: `systemctl start dbus`")
            case TimeoutError():
                what = f"{self._adapter}: BlueZ does not answer"
                return LinkDown("radio_failed", what, "`systemctl restart bluetooth`")
            case _:
                cure = "see `bluetoothctl list` for the adapter, and `systemctl status bluetooth`"
                return LinkDown("radio_failed", what, cure)


class _Watch:
    """A bus connection of our own that notices when org.bluez leaves, or the bus itself does."""

    def __init__(self, bus: MessageBus) -> None:
        self._bus = bus
        self._gone: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        bus.add_message_handler(self._heard)

    @classmethod
    async def begin(cls) -> "_Watch":
        bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
        watch = cls(bus)
        rule = f"type='signal',member='NameOwnerChanged',arg0='{BLUEZ}'"
        await bus.call(
            Message(
                destination="org.freedesktop.DBus",
                path="/org/freedesktop/DBus",
                interface="org.freedesktop.DBus",
                member="AddMatch",
                signature="s",
                body=[rule],
            )
        )
        return watch

    async def gone(self) -> str:
        """Return when scanning cannot be going on any more, with the reason."""
        lost = asyncio.ensure_future(self._bus.wait_for_disconnect())  # type: ignore[no-untyped-call]
        done, _ = await asyncio.wait({lost, self._gone}, return_when=asyncio.FIRST_COMPLETED)
        if self._gone in done:
            lost.cancel()
            return self._gone.result()
        lost.exception()
        return "the system bus is gone"

    def end(self) -> None:
        self._bus.disconnect()

    def _heard(self, message: Message) -> None:
        if message.message_type is MessageType.SIGNAL and message.member == "NameOwnerChanged":
            name, _, owner = message.body
            if name == BLUEZ and not owner and not self._gone.done():
                self._gone.set_result("bluetoothd has stopped")
