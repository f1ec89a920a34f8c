"""One connection to a wearable, through bleak and bleak-retry-connector: a fresh client for each."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.exc import BleakError
from bleak_retry_connector import BleakClientWithServiceCache, establish_connection
from dbus_fast import DBusError

Told = Callable[[bytes], None]


class CallFailed(Exception):
    """The wearable could not be reached, or broke off; in words for a technician."""


class NotOffered(Exception):
    """The wearable has no such characteristic."""


class Call(Protocol):
    """A standing connection. All methods raise CallFailed; those that name a characteristic NotOffered, too."""

    async def subscribe(self, characteristic: str, told: Told) -> None:
        """Have every value of it told, until the connection ends."""

    async def pair(self) -> None:
        """Return when the wearable is bonded with, now or since long."""

    def path(self, characteristic: str) -> str:
        """Its object path in BlueZ."""

    async def read(self, characteristic: str) -> bytes: ...

    async def write(self, characteristic: str, payload: bytes) -> None:
        """Return when the wearable has acknowledged it, or BlueZ taken it where the wearable acknowledges nothing."""

    async def leave(self) -> None: ...


class BleakCall:
    def __init__(self, client: BleakClient) -> None:
        self._client = client

    async def pair(self) -> None:
        with _failing("pairing"):
            await self._client.pair()

    async def subscribe(self, characteristic: str, told: Told) -> None:
        found = self._found(characteristic)
        with _failing(characteristic):
            await self._client.start_notify(found, lambda _, value: told(bytes(value)))

    def path(self, characteristic: str) -> str:
        return str(self._found(characteristic).obj[0])

    async def read(self, characteristic: str) -> bytes:
        found = self._found(characteristic)
        with _failing(characteristic):
            return bytes(await self._client.read_gatt_char(found))

    async def write(self, characteristic: str, payload: bytes) -> None:
        found = self._found(characteristic)
        with _failing(characteristic):
            await self._client.write_gatt_char(found, payload)

    async def leave(self) -> None:
        with _failing("disconnecting"):
            await self._client.disconnect()

    def _found(self, characteristic: str) -> BleakGATTCharacteristic:
        with _failing(characteristic):  # a client whose connection has ended knows no services
            found = self._client.services.get_characteristic(characteristic)
        if found is None:
            raise NotOffered(characteristic)
        return found


async def call(device: BLEDevice, gone: Callable[[], None]) -> Call:
    """Connect to `device`, heard lately; `gone` is called when the connection ends. CallFailed where it cannot be."""
    with _failing("connecting"):
        client = await establish_connection(
            BleakClientWithServiceCache,
            device,
            device.address,
            disconnected_callback=lambda _: gone(),
            max_attempts=1,  # who is tried again, and when, is for the slots to say
            use_services_cache=False,
        )
    return BleakCall(client)


@contextmanager
def _failing(at: str) -> Iterator[None]:
    """What bleak and the bus raise, as CallFailed."""
    try:
        yield
    except (BleakError, DBusError, OSError, EOFError) as error:
        raise CallFailed(f"{at}: {str(error) or type(error).__name__}") from error
