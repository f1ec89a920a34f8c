"""Asks bluetoothd for the adapters, and the kernel whether they are blocked. Changes nothing."""

import re
from pathlib import Path

from drivers.ble.bluez import bluez
from drivers.ble.faults import RadioDown
from gateway.doctor.facts import Adapter, Blocked, Trouble
from gateway.sensors import SYS

_BLUEZ_ITSELF = re.compile(r"usb:v1D6Bp0246d([0-9A-Fa-f]{2})([0-9A-Fa-f]{2})")
"""How bluetoothd presents itself to other devices: the Linux Foundation's number for BlueZ, then its version."""


async def adapter(who: str, sys: Path = SYS) -> Adapter | Trouble:
    """A configured adapter, by name or address, or what is wrong instead."""
    try:
        async with bluez(who) as bus:
            found = await bus.adapter()
            scanning = await bus.discovering(found)
    except RadioDown as down:
        return Trouble(down.fault, str(down), down.cure)
    version = bluetoothd_version(found.presents)
    return Adapter(found.name, found.address, found.powered, scanning, blocked(found.name, sys), version)


def bluetoothd_version(presented: str) -> str | None:
    found = _BLUEZ_ITSELF.match(presented)
    return f"{int(found[1], 16)}.{int(found[2], 16)}" if found else None


def blocked(adapter: str, sys: Path = SYS) -> Blocked:
    """By rfkill, which the kernel keeps below the adapter."""
    for switch in (sys / "class/bluetooth" / adapter).glob("rfkill*"):
        if _set(switch / "hard"):
            return Blocked.HARD
        if _set(switch / "soft"):
            return Blocked.SOFT
    return Blocked.NO


def _set(file: Path) -> bool:
    try:
        return file.read_text("ascii").strip() == "1"
    except OSError:
        return False
