"""bleak's client as a Call: what is asked of it, and what it raises in words."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from bleak import BleakClient
from bleak.backends.device import BLEDevice
from bleak.exc import BleakDBusError, BleakError

from drivers.ble import call as call_module
from drivers.ble.call import BleakCall, CallFailed, NotOffered, call

UUID = "00002a37-0000-1000-8000-00805f9b34fb"
PATH = "/org/bluez/hci0/dev_C0_98_00_01_02_03/service0010/char0011"


class Characteristic:
    obj = (PATH, {})


class Client:
    """As much of bleak's client as is used. `raises` is what each of its methods comes to."""

    def __init__(self, raises: Exception | None = None) -> None:
        self.raises, self.asked = raises, list[Any]()
        self.services = self

    def get_characteristic(self, uuid: str) -> Characteristic | None:
        return Characteristic() if uuid == UUID else None

    async def _does(self, *what: Any) -> None:
        if self.raises is not None:
            raise self.raises
        self.asked.append(what)

    async def start_notify(self, found: Characteristic, told: Callable[[Characteristic, bytearray], None]) -> None:
        await self._does("notify", found.obj[0])
        told(found, bytearray(b"\x06\x48"))

    async def read_gatt_char(self, found: Characteristic) -> bytearray:
        await self._does("read", found.obj[0])
        return bytearray(b"\x58")

    async def write_gatt_char(self, found: Characteristic, payload: bytes) -> None:
        await self._does("write", found.obj[0], payload)

    async def pair(self) -> None:
        await self._does("pair")

    async def disconnect(self) -> None:
        await self._does("disconnect")


def made(client: Client) -> BleakCall:
    return BleakCall(cast("BleakClient", client))


def steps(of: BleakCall, told: list[bytes]) -> dict[str, Callable[[], Awaitable[object]]]:
    return {
        "pairing": of.pair,
        f"{UUID} subscribed": lambda: of.subscribe(UUID, told.append),
        f"{UUID} read": lambda: of.read(UUID),
        f"{UUID} written": lambda: of.write(UUID, b"\x02"),
        "disconnecting": of.leave,
    }


def test_each_step_is_asked_of_bleak_by_the_characteristic_that_was_found() -> None:
    async def run() -> None:
        client, told = Client(), list[bytes]()
        came = [await step() for step in steps(made(client), told).values()]
        assert client.asked == [("pair",), ("notify", PATH), ("read", PATH), ("write", PATH, b"\x02"), ("disconnect",)]
        assert (came[2], told, made(client).path(UUID)) == (b"\x58", [b"\x06\x48"], PATH)

    asyncio.run(run())


@pytest.mark.parametrize(
    "error",
    [BleakError("it broke"), BleakDBusError("org.bluez.Error.Failed", ["it broke"]), OSError("it broke"), EOFError()],
)
def test_what_bleak_and_the_bus_raise_is_told_with_its_place(error: Exception) -> None:
    async def run() -> None:
        for place, step in steps(made(Client(error)), []).items():
            with pytest.raises(CallFailed) as failed:
                await step()
            assert str(failed.value).startswith(f"{place.split()[0]}: ")
            assert str(failed.value).endswith(str(error) or "EOFError")

    asyncio.run(run())


def test_a_defect_is_not_taken_for_a_failed_connection() -> None:
    with pytest.raises(ZeroDivisionError):
        asyncio.run(made(Client(ZeroDivisionError())).read(UUID))


def test_what_the_wearable_does_not_offer_is_told_as_that() -> None:
    async def run() -> None:
        of = made(Client())
        for step in (of.subscribe("absent", print), of.read("absent"), of.write("absent", b"")):
            with pytest.raises(NotOffered):
                await step
        with pytest.raises(NotOffered):
            of.path("absent")

    asyncio.run(run())


def test_a_connection_is_made_once_with_a_fresh_client_and_its_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    async def establish(client_class: type[BleakClient], device: BLEDevice, name: str, **more: Any) -> Client:
        asked.update(more, device=device)
        return Client()

    monkeypatch.setattr(call_module, "establish_connection", establish)
    device, ends = BLEDevice("C0:98:00:01:02:03", None, {}), list[bool]()
    connection = asyncio.run(call(device, lambda: ends.append(True)))
    assert connection.path(UUID) == PATH
    assert (asked["device"], asked["max_attempts"], asked["use_services_cache"]) == (device, 1, False)
    asked["disconnected_callback"](None)
    assert ends == [True]


def test_a_connection_that_cannot_be_made_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def establish(*_: object, **__: object) -> Client:
        raise BleakError("out of slots")

    monkeypatch.setattr(call_module, "establish_connection", establish)
    with pytest.raises(CallFailed, match="connecting: out of slots"):
        asyncio.run(call(BLEDevice("C0:98:00:01:02:03", None, {}), lambda: None))


def test_a_client_whose_connection_has_ended_and_so_knows_no_services_has_failed() -> None:
    class Ended(Client):
        def get_characteristic(self, uuid: str) -> Characteristic | None:
            raise BleakError("Service Discovery has not been performed yet")

    ended = made(Ended())
    with pytest.raises(CallFailed, match=f"{UUID}: Service Discovery"):
        ended.path(UUID)
    with pytest.raises(CallFailed, match=f"{UUID}: Service Discovery"):
        asyncio.run(ended.read(UUID))
