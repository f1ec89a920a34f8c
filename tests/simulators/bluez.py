"""A bus of its own, and on it bluetoothd as far as scanning goes: what it is asked for, and adverts as it tells them.

Run as a process it takes one advert a line on standard input, as {"address": …, "manufacturer": {key: hex}},
and says "ready" once it owns its name and "scanning" once it is asked to scan.
"""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

BLUEZ = "org.bluez"
PROPERTIES = "org.freedesktop.DBus.Properties"
OBJECTS = "org.freedesktop.DBus.ObjectManager"
ADAPTER = "/org/bluez/hci0"
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
        command = ["dbus-daemon", f"--config-file={self._config}", "--nofork", "--print-address"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._process.stdout
        assert self._process.stdout.readline()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()


class Bluez:
    """One adapter, hci0. `mute` keeps it from ever answering StartDiscovery."""

    def __init__(self, *, mute: bool = False) -> None:
        self.asked: list[str] = []
        """Methods called on the adapter, in order."""
        self.filters: dict[str, Any] = {}
        self._mute = mute
        self._devices: dict[str, dict[str, Variant]] = {}

    async def __aenter__(self) -> Self:
        self._bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
        self._bus.add_message_handler(self._called)
        await self._bus.request_name(BLUEZ)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._bus.disconnect()

    def advert(
        self,
        address: str,
        manufacturer: dict[int, bytes] | None = None,
        service: dict[str, bytes] | None = None,
        rssi: int = -67,
    ) -> None:
        """A device is heard: for the first time, or again with what has changed."""
        path = f"{ADAPTER}/dev_{address.replace(':', '_')}"
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
            "Adapter": Variant("o", ADAPTER),
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
        if message.member == "GetManagedObjects":
            return Message.new_method_return(message, "a{oa{sa{sv}}}", [self._objects()])
        if message.path != ADAPTER or message.interface != "org.bluez.Adapter1":
            return None
        assert message.member
        self.asked.append(message.member)
        if message.member == "SetDiscoveryFilter":
            self.filters = {name: variant.value for name, variant in message.body[0].items()}
        return True if self._mute and message.member == "StartDiscovery" else Message.new_method_return(message)

    def _objects(self) -> dict[str, Any]:
        adapter = {
            "Address": Variant("s", "00:1A:7D:DA:71:13"),
            "Name": Variant("s", "station"),
            "Powered": Variant("b", True),
            "Discovering": Variant("b", "StartDiscovery" in self.asked),
        }
        devices = {path: {"org.bluez.Device1": known} for path, known in self._devices.items()}
        return {ADAPTER: {"org.bluez.Adapter1": adapter}, **devices}


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
