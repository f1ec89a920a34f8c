"""Which device is whose: read from devices.yaml, looked up by address."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from drivers.base import Address, OccurrenceKind
from drivers.marked import Document, Problem, Refused, Where, read
from drivers.profile.model import Buttons
from drivers.validated import validated
from gateway.sections import Section
from gateway.written import Name

LOW_DIGITS = 8
"""Hex digits of a Bluetooth address that the 398 reference format shows over serial."""


def _address(value: Any) -> Any:
    text = value.lower().removeprefix("0x") if isinstance(value, str) else ""
    digits = text.replace(":", "").replace("-", "")
    known = r"[0-9a-z]{4,20}" if digits == text else r"[0-9a-f]{12}|[0-9a-f]{8}"
    if not re.fullmatch(known, digits):
        cure = "a serial id of 8 hex digits, or what the device calls itself, 4 to 20 of 0-9 and a-z, in quotes"
        raise ValueError(f'not an address; write "C0:98:00:01:02:03", {cure}')
    return digits


def _over_serial(address: Address) -> Address:
    """What a receiver of the 398 reference format tells of an address: the low digits of a Bluetooth address."""
    return address[-LOW_DIGITS:] if re.fullmatch(r"[0-9a-f]{12}", address) else address


def _sensible(buttons: Buttons) -> Buttons:
    for name, meaning in buttons.items():
        if meaning.kind is OccurrenceKind.NONE:
            raise ValueError(f"{name} is said to mean nothing; leave it out, and its press is an alert of kind button")
        if (meaning.kind is OccurrenceKind.SERVICE_REQUEST) != (meaning.service is not None):
            cure = f"write {name}: {{kind: service_request, service: shopping}}, say"
            raise ValueError(f"{name}: a service_request names its service, and nothing else does; {cure}")
        if meaning.window is not None and meaning.kind is not OccurrenceKind.FALL:
            raise ValueError(f"{name}: only a fall has a window; take it out")
    return buttons


class Device(Section):
    """One wearable."""

    id: Annotated[Name, Field(examples=["band-0001"])]
    """The device's id on the wire: no name, no address."""
    address: Annotated[Address, BeforeValidator(_address), Field(examples=["C0:98:00:01:02:03"])]
    """Bluetooth address (12 hex digits), id that serial receivers tell (8), or what the device calls itself."""
    wearer: Name | None = None
    """Pseudonym of the person who wears it."""
    zone: Name | None = None
    """Where it always is, for a fixed button; else the receiver's zone counts."""
    visitor: bool = False
    """Whether its wearer belongs to another station, and may come and go here."""
    buttons: Annotated[Buttons, AfterValidator(_sensible)] = Field(
        default_factory=dict, examples=[{"single": "sos", "2 long": "test"}]
    )
    """What its keys are for, where its format only says that one was pressed."""


class RosterFile(Section):
    """devices.yaml."""

    devices: Annotated[tuple[Device, ...], Field(examples=[[{"id": "band-0001", "address": "C0:98:00:01:02:03"}]])] = ()
    """Every wearable of the station."""


class Roster:
    """Immutable. `find` knows a device by its full address, and by its low 32 bits where no more is known.

    `keys` are those of the devices that have one, by the device's id.
    """

    def __init__(self, devices: tuple[Device, ...], keys: Mapping[str, bytes] = MappingProxyType({})) -> None:
        self.devices = devices
        self._keys = keys
        self._by_address = {_over_serial(device.address): device for device in devices}
        self._by_address |= {device.address: device for device in devices}
        self._by_serial_id = {device.address: device for device in devices if len(device.address) == LOW_DIGITS}

    def find(self, address: Address) -> Device | None:
        return self._by_address.get(address) or self._by_serial_id.get(_over_serial(address))

    def key_of(self, address: Address) -> bytes | None:
        device = self.find(address) if self._keys else None
        return self._keys.get(device.id) if device is not None else None

    @property
    def wearers(self) -> int:
        return len({device.wearer for device in self.devices if device.wearer})


def load_roster(path: Path) -> Roster:
    """Read devices.yaml. Refused: with every problem, each at its line."""
    document = read(path)
    problems = list(_twice(document))
    try:
        devices = validated(document, RosterFile).devices
    except Refused as refused:
        problems += refused.problems
    if problems:
        raise Refused(tuple(sorted(problems, key=lambda problem: (problem.mark.line, problem.mark.column))))
    return Roster(devices)


def _twice(document: Document) -> Iterator[Problem]:
    """Devices that could be taken for one another, whatever else is wrong with them."""
    ids: dict[str, int] = {}
    addresses: dict[str, tuple[int, Address]] = {}
    for index, ident, address in _entries(document.value):
        here: Where = ("devices", index)
        if ident is not None and (first := ids.setdefault(ident, index)) != index:
            line = document.mark(("devices", first)).line
            what = f"the id {ident!r} stands in line {line} already"
            yield Problem(document.mark((*here, "id")), what, "give each device an id of its own")
        if address is None:
            continue
        first, taken = addresses.setdefault(_over_serial(address), (index, address))
        if first != index:
            line = document.mark(("devices", first)).line
            same = address == taken
            what = (
                f"the address stands in line {line} already"
                if same
                else (f"its last {LOW_DIGITS} digits are those of line {line}: a serial receiver tells only these")
            )
            yield Problem(document.mark((*here, "address")), what, "each device wants an address of its own")


def _entries(value: Any) -> Iterator[tuple[int, str | None, Address | None]]:
    """Each entry's place, id and address as far as they are there."""
    devices = value.get("devices") if isinstance(value, dict) else None
    for index, entry in enumerate(devices if isinstance(devices, list) else ()):
        if isinstance(entry, dict):
            ident = entry.get("id")
            try:
                address = _address(entry.get("address"))
            except ValueError:
                address = None
            yield index, ident if isinstance(ident, str) else None, address
