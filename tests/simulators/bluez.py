"""A bus of its own, and on it bluetoothd as far as scanning goes: what it is asked for, and adverts as it tells them.

One adapter that may be refused, switched off, taken away and returned under another name.

Run as a process it takes one advert a line on standard input, as {"address": …, "manufacturer": {key: hex}},
and says "ready" once it owns its name and "scanning" once it is asked to scan.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from tests.support.processes import wait_for

BLUEZ = "org.bluez"
PROPERTIES = "org.freedesktop.DBus.Properties"
OBJECTS = "org.freedesktop.DBus.ObjectManager"
ADAPTER1 = "org.bluez.Adapter1"
_OPEN = """<busconfig><type>system</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow own="*"/><allow user="*"/><allow send_destination="*" eavesdrop="true"/>
<allow eavesdrop="true"/></policy></busconfig>"""


class Bus:
    """A real dbus-daemon in a folder; `environment` makes it the system bus of who has it."""

    def __init__(self, folder: Path) -> None:
        self._config = folder / "bus.conf"
        self._path = folder / "bus"
        self.environment = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self._path}"}
        self._config.write_text(_OPEN.format(path=self._path))

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(["dbus-daemon", f"--config-file={self._config}", "--nofork"])
        wait_for(self._answers, 10, "the bus takes connections")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as sock:
            return sock.connect_ex(str(self._path)) == 0


class Bluez:
    """`mute` keeps it from ever answering StartDiscovery; `refuse` maps methods to the error they are answered with."""

    def __init__(self, *, mute: bool = False, powered: bool = True, passive: bool = False) -> None:
        self.asked: list[str] = []
        """Methods called on the adapter, in order; `Powered=False` and the like for its properties."""
        self.agents: list[str] = []
        """What agents can do that were registered: without one, it bonds with nobody."""
        self.filters: dict[str, Any] = {}
        self.refuse: dict[str, str] = {}
        self.adapter: str | None = "hci0"
        self._mute, self._passive = mute, passive
        self._powered, self._discovering = powered, False
        self._devices: dict[str, dict[str, Variant]] = {}

    async def __aenter__(self) -> Self:
        self._bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
        self._bus.add_message_handler(self._called)
        await self._bus.request_name(BLUEZ)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._bus.disconnect()

    @property
    def path(self) -> str:
        return f"/org/bluez/{self.adapter}"

    def unplug(self) -> None:
        """The adapter goes, and its devices with it; it is switched off first, as bluetoothd does it."""
        self.switch(on=False)
        for path in self._devices:
            self._signal("/", OBJECTS, "InterfacesRemoved", "oas", [path, ["org.bluez.Device1"]])
        self._signal("/", OBJECTS, "InterfacesRemoved", "oas", [self.path, [ADAPTER1]])
        self._devices.clear()
        self.adapter, self._discovering = None, False

    def plug(self, name: str) -> None:
        """The same adapter is there again, as `name`."""
        self.adapter = name
        self._signal("/", OBJECTS, "InterfacesAdded", "oa{sa{sv}}", [self.path, {ADAPTER1: self._properties()}])

    def switch(self, *, on: bool) -> None:
        self._powered = on
        self._discovering = self._discovering and on
        changed = [ADAPTER1, {"Powered": Variant("b", on)}, []]
        self._signal(self.path, PROPERTIES, "PropertiesChanged", "sa{sv}as", changed)

    def stop_discovering(self) -> None:
        """What a bluetoothd does that has gone astray: no signal, no adverts."""
        self._discovering = False

    def advert(
        self,
        address: str,
        manufacturer: dict[int, bytes] | None = None,
        service: dict[str, bytes] | None = None,
        rssi: int = -67,
    ) -> None:
        """A device is heard: for the first time, or again with what has changed."""
        path = f"{self.path}/dev_{address.replace(':', '_')}"
        heard = {"RSSI": Variant("n", rssi)}
        if manufacturer:
            heard["ManufacturerData"] = Variant("a{qv}", {key: Variant("ay", v) for key, v in manufacturer.items()})
        if service:
            heard["ServiceData"] = Variant("a{sv}", {uuid: Variant("ay", v) for uuid, v in service.items()})
        if path in self._devices:
            self._devices[path] |= heard
            self._signal(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", ["org.bluez.Device1", heard, []])
            return
        known = {
            "Address": Variant("s", address),
            "AddressType": Variant("s", "public"),
            "Adapter": Variant("o", self.path),
            "Alias": Variant("s", address.replace(":", "-")),
            **{name: Variant("b", False) for name in ("Paired", "Trusted", "Blocked", "Connected", "ServicesResolved")},
            "UUIDs": Variant("as", []),
        }
        self._devices[path] = known | heard
        body = [path, {"org.bluez.Device1": self._devices[path]}]
        self._signal("/", OBJECTS, "InterfacesAdded", "oa{sa{sv}}", body)

    def _signal(self, path: str, interface: str, member: str, signature: str, body: list[Any]) -> None:
        self._bus.send(Message.new_signal(path, interface, member, signature, body))

    def _called(self, message: Message) -> Message | bool | None:
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        match message.interface, message.member:
            case _, "GetManagedObjects":
                return Message.new_method_return(message, "a{oa{sa{sv}}}", [self._objects()])
            case "org.freedesktop.DBus.Introspectable", "Introspect" if message.path == "/org/bluez":
                nodes = f'<node name="{self.adapter}"/>' if self.adapter else ""
                return Message.new_method_return(message, "s", [f"<node>{nodes}</node>"])
            case "org.bluez.AgentManager1", "RegisterAgent":
                self.agents.append(message.body[1])
                return Message.new_method_return(message)
        if self.adapter is None or message.path != self.path:
            return None
        return self._properties_called(message) if message.interface == PROPERTIES else self._adapter_called(message)

    def _properties_called(self, message: Message) -> Message | None:
        match message.member, message.body:
            case "GetAll", _:
                return Message.new_method_return(message, "a{sv}", [self._properties()])
            case "Get", [_, str(name)]:
                return Message.new_method_return(message, "v", [self._properties()[name]])
            case "Set", [_, str(name), value]:
                self.asked.append(f"{name}={value.value}")
                if error := self.refuse.get(name):
                    return Message.new_error(message, error, "refused by the test")
                self.switch(on=value.value)
                return Message.new_method_return(message)
        return None

    def _adapter_called(self, message: Message) -> Message | bool | None:
        assert message.member
        if message.member == "RegisterMonitor" and not self._passive:
            return None  # dbus-fast answers UnknownMethod
        self.asked.append(message.member)
        if error := self.refuse.get(message.member):
            return Message.new_error(message, error, "refused by the test")
        match message.member:
            case "SetDiscoveryFilter":
                self.filters = {name: variant.value for name, variant in message.body[0].items()}
            case "StartDiscovery" if self._mute:
                return True
            case "StartDiscovery" | "StopDiscovery":
                self._discovering = message.member == "StartDiscovery"
        return Message.new_method_return(message)

    def _properties(self) -> dict[str, Variant]:
        return {
            "Address": Variant("s", "00:1A:7D:DA:71:13"),
            "Name": Variant("s", "station"),
            "Powered": Variant("b", self._powered),
            "Discovering": Variant("b", self._discovering),
            "Modalias": Variant("s", "usb:v1D6Bp0246d0542"),
        }

    def _objects(self) -> dict[str, Any]:
        devices = {path: {"org.bluez.Device1": known} for path, known in self._devices.items()}
        return ({self.path: {ADAPTER1: self._properties()}} if self.adapter else {}) | devices


class BluezProcess:
    """The same as a process: leaving it is bluetoothd's end."""

    def __init__(self, bus: Bus) -> None:
        self._environment = os.environ | bus.environment

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.simulators.bluez"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, env=self._environment, text=True)
        assert self._process.stdout
        assert self._process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def advert(self, address: str, key: int, payload: bytes) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"address": address, "manufacturer": {key: payload.hex()}}) + "\n")
        self._process.stdin.flush()

    def scanning(self) -> None:
        """Return once somebody has begun to scan."""
        assert self._process.stdout
        assert self._process.stdout.readline() == "scanning\n"


async def _main() -> None:
    async with Bluez() as bluez:
        print("ready", flush=True)
        lines: asyncio.Queue[str] = asyncio.Queue()
        asyncio.get_running_loop().add_reader(0, lambda: lines.put_nowait(sys.stdin.readline()))
        while "StartDiscovery" not in bluez.asked:
            await asyncio.sleep(0.01)
        print("scanning", flush=True)
        while line := await lines.get():
            said = json.loads(line)
            bluez.advert(said["address"], {int(key): bytes.fromhex(v) for key, v in said["manufacturer"].items()})


if __name__ == "__main__":
    asyncio.run(_main())
