"""What the gateway asks of bluetoothd itself, over a bus connection of its own: adapters, power, and when they go."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from dbus_fast import BusType, DBusError, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from drivers.base import Address
from drivers.ble import faults, rfkill
from drivers.ble.adverts import canonical
from drivers.ble.ladder import Cause

BLUEZ = "org.bluez"
_BUS, _BUS_PATH = "org.freedesktop.DBus", "/org/freedesktop/DBus"
_PROPERTIES = "org.freedesktop.DBus.Properties"
_ADAPTER = "org.bluez.Adapter1"
_CHARACTERISTIC = "org.bluez.GattCharacteristic1"
_AGENTS, _AGENT_PATH = "org.bluez.AgentManager1", "/station_gateway/agent"
ANSWER_S = 10.0
SETTLE_S = 1.5
"""A bluetoothd that ends, and an adapter that is unplugged, are switched off first: what follows says what it is."""


class Adapter(msgspec.Struct, frozen=True):
    """One adapter as bluetoothd sees it now; `name` (hci0) may be another after it was plugged in again."""

    name: str
    address: Address
    powered: bool
    presents: str = ""
    """What it says that it is; unless told otherwise, bluetoothd of some version."""

    @property
    def path(self) -> str:
        return f"/org/bluez/{self.name}"


class Bluez:
    """`who` is the adapter as configured, by name or address: errors speak of it. All methods raise RadioDown."""

    def __init__(self, bus: MessageBus, who: str) -> None:
        self._bus, self._who = bus, who

    async def adapter(self) -> Adapter:
        """The configured adapter, wherever it is now."""
        await self._call(_BUS, _BUS_PATH, _BUS, "GetNameOwner", "s", [BLUEZ])
        (described,) = await self._call(BLUEZ, "/org/bluez", "org.freedesktop.DBus.Introspectable", "Introspect")
        names = tuple(re.findall(r'<node name="(hci\d+)"', described))
        present = [await self._described(name) for name in names]
        wanted = canonical(self._who)
        for adapter in present:
            if wanted in (adapter.name, adapter.address):
                return adapter
        raise faults.absent(self._who, tuple(f"{each.name} ({each.address})" for each in present))

    async def power(self, adapter: Adapter, *, on: bool) -> None:
        """Switch it on or off. Of a block bluetoothd may only say that it has failed: rfkill knows."""
        try:
            await self._call(BLUEZ, adapter.path, _PROPERTIES, "Set", "ssv", [_ADAPTER, "Powered", Variant("b", on)])
        except faults.RadioDown as down:
            if on and down.cause is Cause.FAILED and rfkill.blocks(adapter.name):
                raise faults.blocked(self._who) from down
            raise

    async def discovering(self, adapter: Adapter) -> bool:
        """Whether bluetoothd believes that the adapter scans."""
        return bool(await self._get(adapter.path, _ADAPTER, "Discovering"))

    async def notifying(self, characteristic: str) -> bool:
        """Whether the subscription to a characteristic, by its object path, is in force."""
        try:
            return bool(await self._get(characteristic, _CHARACTERISTIC, "Notifying"))
        except faults.RadioDown as down:
            if down.cause is not Cause.ABSENT:
                raise
            return False  # the characteristic went with its wearable

    async def bond(self) -> None:
        """Let bluetoothd bond with wearables that are called: it bonds with none where no agent is.

        This one has no keys and no display, so it is not asked; whatever it is asked otherwise the bus refuses for it.
        """
        await self._call(BLUEZ, "/org/bluez", _AGENTS, "RegisterAgent", "os", [_AGENT_PATH, "NoInputNoOutput"])

    async def watch(self, adapter: Adapter) -> "asyncio.Future[faults.RadioDown]":
        """A future that tells when scanning cannot be going on any more: whatever went first."""
        gone: asyncio.Future[faults.RadioDown] = asyncio.get_running_loop().create_future()

        def tell(down: faults.RadioDown) -> None:
            if not gone.done():
                gone.set_result(down)

        def heard(message: Message) -> None:
            if message.message_type is not MessageType.SIGNAL or (down := self._ending(message, adapter)) is None:
                return
            if down.cause is Cause.OFF:
                gone.get_loop().call_later(SETTLE_S, tell, down)
            else:
                tell(down)

        self._bus.add_message_handler(heard)
        for rule in (
            f"type='signal',member='NameOwnerChanged',arg0='{BLUEZ}'",
            f"type='signal',sender='{BLUEZ}',member='InterfacesRemoved',arg0path='{adapter.path}'",
            f"type='signal',sender='{BLUEZ}',path='{adapter.path}',member='PropertiesChanged'",
        ):
            await self._call(_BUS, _BUS_PATH, _BUS, "AddMatch", "s", [rule])
        lost = asyncio.ensure_future(self._bus.wait_for_disconnect())  # type: ignore[no-untyped-call]
        lost.add_done_callback(lambda done: tell(self._lost(done)))
        gone.add_done_callback(lambda _: lost.cancel())
        return gone

    def _lost(self, bus: "asyncio.Future[None]") -> faults.RadioDown:
        error = None if bus.cancelled() else bus.exception()
        return faults.no_bus(self._who, f"the system bus is gone{f' ({error})' if error else ''}")

    def _ending(self, message: Message, adapter: Adapter) -> faults.RadioDown | None:
        match message.member, message.body:
            case "NameOwnerChanged", [str(name), _, str(owner)] if name == BLUEZ and not owner:
                return faults.no_bluetoothd(self._who, "bluetoothd has stopped")
            case "InterfacesRemoved", [str(path), list(interfaces)] if path == adapter.path and _ADAPTER in interfaces:
                return faults.removed(self._who)
            case "PropertiesChanged", [str(interface), dict(changed), _] if message.path == adapter.path:
                powered = changed.get("Powered") if interface == _ADAPTER else None
                return faults.switched_off(self._who) if powered is not None and not powered.value else None
        return None

    async def _described(self, name: str) -> Adapter:
        (found,) = await self._call(BLUEZ, f"/org/bluez/{name}", _PROPERTIES, "GetAll", "s", [_ADAPTER])
        presents = found["Modalias"].value if "Modalias" in found else ""
        return Adapter(name, canonical(found["Address"].value), bool(found["Powered"].value), presents)

    async def _get(self, path: str, interface: str, name: str) -> object:
        (variant,) = await self._call(BLUEZ, path, _PROPERTIES, "Get", "ss", [interface, name])
        return variant.value

    async def _call(
        self, to: str, path: str, interface: str, member: str, signature: str = "", body: list[Any] | None = None
    ) -> list[Any]:
        message = Message(to, path, interface, member, signature=signature, body=body or [])
        try:
            async with asyncio.timeout(ANSWER_S):
                reply = await self._bus.call(message)
        except TimeoutError as error:
            raise faults.unanswered(self._who) from error
        except (DBusError, OSError, EOFError) as error:
            raise faults.no_bus(self._who, str(error) or "the system bus is gone") from error
        if reply is None or reply.message_type is MessageType.ERROR:
            text = reply.body[0] if reply and reply.body and isinstance(reply.body[0], str) else ""
            raise faults.refused(self._who, (reply.error_name if reply else "") or "", text)
        return reply.body


@asynccontextmanager
async def bluez(who: str) -> AsyncIterator[Bluez]:
    """A connection to the system bus, for what concerns the adapter `who`. RadioDown where there is no bus."""
    bus = MessageBus(bus_type=BusType.SYSTEM)
    try:
        await _connected(bus, who)
        yield Bluez(bus, who)
    finally:
        bus.disconnect()


async def _connected(bus: MessageBus, who: str) -> None:
    try:
        async with asyncio.timeout(ANSWER_S):
            await bus.connect()
    except TimeoutError as error:
        raise faults.no_bus(who, "the system bus does not answer") from error
    except (OSError, EOFError, DBusError) as error:
        raise faults.no_bus(who, str(error) or type(error).__name__) from error
