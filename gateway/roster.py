"""Which device is whose: read from devices.yaml, looked up by address."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from drivers.base import Address
from drivers.marked import Document, Problem, Refused, Where, read
from drivers.validated import validated
from gateway.config import Section
from gateway.written import Name

LOW_DIGITS = 8
"""Hex digits of an address that the 398 reference format shows over serial."""


def _address(value: Any) -> Any:
    text = value.lower().removeprefix("0x") if isinstance(value, str) else ""
    digits = text.replace(":", "").replace("-", "")
    if not re.fullmatch(r"[0-9a-f]{12}|[0-9a-f]{8}", digits):
        raise ValueError('not an address; write "C0:98:00:01:02:03", or a serial id of 8 hex digits, in quotes')
    return digits


class Device(Section):
    """One wearable."""

    id: Annotated[Name, Field(examples=["band-0001"])]
    """The device's id on the wire: no name, no address."""
    address: Annotated[Address, BeforeValidator(_address), Field(examples=["C0:98:00:01:02:03"])]
    """Bluetooth address (12 hex digits), or the id that serial receivers tell (8 hex digits)."""
    wearer: Name | None = None
    """Pseudonym of the person who wears it."""
    zone: Name | None = None
    """Where it always is, for a fixed button; else the receiver's zone counts."""


class RosterFile(Section):
    """devices.yaml."""

    devices: Annotated[tuple[Device, ...], Field(examples=[[{"id": "band-0001", "address": "C0:98:00:01:02:03"}]])] = ()
    """Every wearable of the station."""


class Roster:
    """Immutable. `find` knows a device by its full address, and by its low 32 bits where only these are heard."""

    def __init__(self, devices: tuple[Device, ...]) -> None:
        self.devices = devices
        self._by_address = {device.address[-LOW_DIGITS:]: device for device in devices}
        self._by_address |= {device.address: device for device in devices}

    def find(self, address: Address) -> Device | None:
        return self._by_address.get(address)

    @property
    def wearers(self) -> int:
        return len({device.wearer for device in self.devices if device.wearer})


def load_roster(path: Path) -> Roster:
    """Read devices.yaml. Refused: with every problem, each at its line."""
    document = read(path)
    devices = validated(document, RosterFile).devices
    problems = tuple(_twice(document, devices))
    if problems:
        raise Refused(problems)
    return Roster(devices)


def _twice(document: Document, devices: tuple[Device, ...]) -> Iterator[Problem]:
    """Devices that could be taken for one another."""
    ids: dict[str, int] = {}
    addresses: dict[str, int] = {}
    for index, device in enumerate(devices):
        here: Where = ("devices", index)
        if (first := ids.setdefault(device.id, index)) != index:
            line = document.mark(("devices", first)).line
            what = f"the id {device.id!r} stands in line {line} already"
            yield Problem(document.mark((*here, "id")), what, "give each device an id of its own")
        if (first := addresses.setdefault(device.address[-LOW_DIGITS:], index)) != index:
            line = document.mark(("devices", first)).line
            same = device.address == devices[first].address
            what = (
                f"the address stands in line {line} already"
                if same
                else (f"its last {LOW_DIGITS} digits are those of line {line}: a serial receiver tells only these")
            )
            yield Problem(document.mark((*here, "address")), what, "each device wants an address of its own")
