"""One connection to a wearable, through bleak and bleak-retry-connector: a fresh client for each."""

from collections.abc import Callable
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

    def path(self, characteristic: str) -> str:
        """Its object path in BlueZ."""

    async def read(self, characteristic: str) -> bytes: ...

    async def write(self, characteristic: str, payload: bytes) -> None:
        """Return when the wearable has acknowledged it, or BlueZ taken it where the wearable acknowledges nothing."""

    async def leave(self) -> None: ...


class BleakCall:
    def __init__(self, client: BleakClient) -> None:
        self._client = client

    async def subscribe(self, characteristic: str, told: Told) -> None:
        found = self._found(characteristic)
        try:
            await self._client.start_notify(found, lambda _, value: told(bytes(value)))
        except (BleakError, DBusError, OSError, EOFError) as error:
            raise CallFailed(f"{characteristic}: {_said(error)}") from error

    def path(self, characteristic: str) -> str:
        return str(self._found(characteristic).obj[0])

    async def read(self, characteristic: str) -> bytes:
        found = self._found(characteristic)
        try:
            return bytes(await self._client.read_gatt_char(found))
        except (BleakError, DBusError, OSError, EOFError) as error:
            raise CallFailed(f"{characteristic}: {_said(error)}") from error

    async def write(self, characteristic: str, payload: bytes) -> None:
        found = self._found(characteristic)
        try:
            await self._client.write_gatt_char(found, payload)
        except (BleakError, DBusError, OSError, EOFError) as error:
            raise CallFailed(f"{characteristic}: {_said(error)}") from error

    async def leave(self) -> None:
        try:
            await self._client.disconnect()
        except (BleakError, DBusError, OSError, EOFError) as error:
            raise CallFailed(_said(error)) from error

    def _found(self, characteristic: str) -> BleakGATTCharacteristic:
        found = self._client.services.get_characteristic(characteristic)
        if found is None:
            raise NotOffered(characteristic)
        return found


async def call(device: BLEDevice, gone: Callable[[], None]) -> Call:
    """Connect to `device`, heard lately; `gone` is called when the connection ends. CallFailed where it cannot be."""
    try:
        client = await establish_connection(
            BleakClientWithServiceCache,
            device,
            device.address,
            disconnected_callback=lambda _: gone(),
            max_attempts=1,  # who is tried again, and when, is for the slots to say
            use_services_cache=False,
        )
    except (BleakError, DBusError, OSError, EOFError) as error:
        raise CallFailed(_said(error)) from error
    return BleakCall(client)


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
