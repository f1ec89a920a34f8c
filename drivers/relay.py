"""Frames that carry a whole Bluetooth advert, as a receiver on a serial line passes it on. Pure."""

import msgspec

from drivers.base import BadFrame, Decoded, Packet
from drivers.ble.sections import Sections, walk
from drivers.profile.compiled import Profile, field_of


class Relayed(msgspec.Struct, frozen=True):
    """The advert inside a frame; `packets` are what the Bluetooth profiles read, as if this box had heard them."""

    sections: Sections
    packets: tuple[Packet, ...]


def relayed(profile: Profile, packet: Packet, decoded: Decoded) -> Relayed | None:
    """What a frame passes on, `decoded` by its profile; None where that passes nothing on. BadFrame: no advert."""
    serial = profile.file.serial
    if serial is None or serial.relays is None:
        return None
    written = field_of(profile, serial.relays.field)(packet.payload)
    if not isinstance(written, str):
        return None
    try:
        sections = walk(bytes.fromhex(written))
    except ValueError as error:
        raise BadFrame("relayed_advert", packet.payload) from error
    return Relayed(sections, tuple(sections.packets(packet.link, packet.received, decoded.address, decoded.rssi)))
