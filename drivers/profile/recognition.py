"""How the packets of a format are told from others: the sections that carry them, and what is known of the device."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from drivers.base import BASE_UUID, Packet, PacketKind
from drivers.profile.links import Bluetooth, Ibeacon

APPLE = 0x004C
IBEACON = bytes.fromhex("0215")
EDDYSTONE = f"0000feaa{BASE_UUID}"


class Carrier(NamedTuple):
    """Sections of this kind and key that begin so carry a payload, which stands behind the bytes `skipped`."""

    kind: PacketKind
    key: int | str
    prefix: bytes
    skipped: int


def carriers(bluetooth: Bluetooth | None) -> list[Carrier]:
    """The advert sections that a profile looks at."""
    return list(_carriers(bluetooth)) if bluetooth else []


def _carriers(bluetooth: Bluetooth) -> Iterator[Carrier]:
    for maker in bluetooth.manufacturer:
        yield Carrier(PacketKind.MANUFACTURER, maker.company, maker.prefix, len(maker.prefix))
    for section in bluetooth.service_data:
        yield Carrier(PacketKind.SERVICE_DATA, section.uuid, section.prefix, len(section.prefix))
    if bluetooth.ibeacon:
        yield Carrier(PacketKind.MANUFACTURER, APPLE, IBEACON + _beacon(bluetooth.ibeacon), len(IBEACON))
    if bluetooth.eddystone is not None:
        yield Carrier(PacketKind.SERVICE_DATA, EDDYSTONE, bytes([bluetooth.eddystone]), 1)


def _beacon(beacon: Ibeacon) -> bytes:
    """How the payload of such a beacon begins."""
    uuid = bytes.fromhex(beacon.uuid.replace("-", "")) if beacon.uuid else b""
    return uuid + b"".join(part.to_bytes(2, "big") for part in (beacon.major, beacon.minor) if part is not None)


def admits(bluetooth: Bluetooth | None) -> Callable[[Packet], bool] | None:
    """Whether a packet is of a device of the right name and address; None where any device will do."""
    if bluetooth is None or (bluetooth.name is None and bluetooth.address is None):
        return None
    name, address = bluetooth.name or "", bluetooth.address or ""
    return lambda packet: (packet.name or "").startswith(name) and (packet.address or "").startswith(address)
