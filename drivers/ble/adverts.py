"""From what an adapter hears to packets: every section that some profile looks at, and little work for repetitions."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import msgspec

from drivers.base import Address, Instant, Packet, PacketKind

REPEAT_MS = 5_000
"""How often an advert that says nothing new is passed on: often enough to show that the wearable is still there."""
DEVICES = 8_192
"""Devices remembered for certain; twice as many at most, however many addresses pass."""
UNHEARD = -127
"""The RSSI that bleak states where BlueZ has none: it tells of a device that is not on the air."""

Section = tuple[PacketKind, int | str, bytes]


class Advert(Protocol):
    """What bleak hands over; its UUIDs are of 128 bits, lower case."""

    @property
    def manufacturer_data(self) -> dict[int, bytes]: ...
    @property
    def service_data(self) -> dict[str, bytes]: ...
    @property
    def service_uuids(self) -> list[str]: ...
    @property
    def local_name(self) -> str | None: ...
    @property
    def rssi(self) -> int: ...


class _Said(msgspec.Struct, gc=False):
    """What a device advertised last, and when all of it was last passed on."""

    address: Address
    manufacturer: dict[int, bytes]
    service: dict[str, bytes]
    passed_ms: int


class Adverts:
    """Of one adapter. `knows` says which sections any profile looks at; `repeated` counts adverts that were not news.

    BlueZ keeps the latest value per company id and UUID and hands over all of them with each change: only what
    differs from the last advert of the same device is passed on, and everything once in `repeat_ms`.
    """

    def __init__(
        self, link: str, knows: Callable[[PacketKind, int | str, bytes], bool], repeat_ms: int = REPEAT_MS
    ) -> None:
        self.repeated = 0
        self._link, self._knows, self._repeat_ms = link, knows, repeat_ms
        self._recent: dict[str, _Said] = {}
        self._older: dict[str, _Said] = {}

    def packets(self, address: str, advert: Advert, received: Instant) -> Sequence[Packet]:
        """What is new in an advert of `address`, as BlueZ writes it."""
        manufacturer, service = advert.manufacturer_data, advert.service_data
        said = before = self._recent.get(address) or self._remembered(address)
        if said is not None:
            if received.mono_ms - said.passed_ms >= self._repeat_ms:
                before = None
            elif said.manufacturer == manufacturer and said.service == service:
                self.repeated += 1
                return ()
        sections = [section for section in _sections(manufacturer, service, before) if self._knows(*section)]
        if said is None:
            if not sections:
                return ()  # a phone passing by is not worth remembering
            said = _Said(canonical(address), manufacturer, service, received.mono_ms)
            self._remember(address, said)
        elif before is None:
            said.passed_ms = received.mono_ms
        said.manufacturer, said.service = manufacturer, service
        link, sender, rssi, name = self._link, said.address, advert.rssi, advert.local_name
        return [Packet(link, kind, key, payload, received, sender, rssi, name) for kind, key, payload in sections]

    def __len__(self) -> int:
        return len(self._recent) + len(self._older)

    def _remembered(self, address: str) -> _Said | None:
        """A device of the older half that is heard again moves to the recent one."""
        said = self._older.pop(address, None)
        if said is not None:
            self._remember(address, said)
        return said

    def _remember(self, address: str, said: _Said) -> None:
        if len(self._recent) >= DEVICES:
            self._older, self._recent = self._recent, {}
        self._recent[address] = said


def canonical(address: str) -> Address:
    """A Bluetooth address as the drivers write it."""
    return address.replace(":", "").lower()


def spelt(address: Address) -> str:
    """A canonical address as BlueZ writes it."""
    return ":".join(address[place : place + 2] for place in range(0, len(address), 2)).upper()


def _sections(manufacturer: dict[int, bytes], service: dict[str, bytes], before: _Said | None) -> Iterator[Section]:
    old_manufacturer = before.manufacturer if before else {}
    old_service = before.service if before else {}
    for company, payload in manufacturer.items():
        if old_manufacturer.get(company) != payload:
            yield PacketKind.MANUFACTURER, company, payload
    for uuid, payload in service.items():
        if old_service.get(uuid) != payload:
            yield PacketKind.SERVICE_DATA, uuid.lower(), payload
