"""A whole advert, as a sniffer or a receiver hands it over, walked into its sections. Pure; it raises nothing.

The AD types are those of the Bluetooth SIG's Assigned Numbers. UUIDs stand in an advert the other way round.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from drivers.base import BASE_UUID, Address, Instant, Packet, PacketKind

FLAGS, MANUFACTURER = 0x01, 0xFF
NAMES = (0x09, 0x08)
"""The whole name, and one that was cut."""
SERVICES = {0x02: 2, 0x03: 2, 0x04: 4, 0x05: 4, 0x06: 16, 0x07: 16}
"""Lists of services, complete or not, by the bytes of each UUID."""
SERVICE_DATA = {0x16: 2, 0x20: 4, 0x21: 16}


class Section(NamedTuple):
    """One AD structure; `at` is the place of its length byte."""

    at: int
    ad_type: int
    content: bytes


class Sections(msgspec.Struct, frozen=True):
    """What an advert holds, in its order. `wrong` tells what could not be read, a sentence for each."""

    all: tuple[Section, ...]
    wrong: tuple[str, ...] = ()

    @property
    def flags(self) -> int | None:
        return next((each.content[0] for each in self.all if each.ad_type == FLAGS and each.content), None)

    @property
    def name(self) -> str | None:
        """What the device calls itself; the whole name where both are there."""
        names = {each.ad_type: each.content.decode("utf-8", "replace") for each in self.all if each.ad_type in NAMES}
        return next((names[ad_type] for ad_type in NAMES if ad_type in names), None)

    @property
    def services(self) -> tuple[str, ...]:
        """The services that it lists: UUIDs of 128 bits, lower case."""
        return tuple(uuid for each in self.all for uuid in listed(each))

    @property
    def manufacturer(self) -> dict[int, bytes]:
        """By company id; of two sections of one company the later one, as BlueZ does."""
        told = (maker(each) for each in self.all)
        return dict(each for each in told if each is not None)

    @property
    def service_data(self) -> dict[str, bytes]:
        """By UUID; of two sections of one service the later one."""
        told = (served(each) for each in self.all)
        return dict(each for each in told if each is not None)

    def packets(self, link: str, received: Instant, address: Address | None, rssi: int | None = None) -> list[Packet]:
        """Every section that a profile can read."""
        found: list[tuple[PacketKind, int | str, bytes]] = []
        for section in self.all:
            if (made := maker(section)) is not None:
                found.append((PacketKind.MANUFACTURER, *made))
            if (data := served(section)) is not None:
                found.append((PacketKind.SERVICE_DATA, *data))
        name = self.name
        return [Packet(link, kind, key, payload, received, address, rssi, name) for kind, key, payload in found]


def walk(advert: bytes) -> Sections:
    """The sections of an advert, as far as they can be read. Zeros up to its end are padding."""
    found: list[Section] = []
    wrong: list[str] = []
    at = 0
    while at < len(advert) and any(advert[at:]):
        size, rest = advert[at], advert[at + 1 :]
        if size == 0:
            wrong.append(f"a section of length 0 at byte {at} ends the advert, and {rest.hex()} stands behind it")
            break
        if size > len(rest):
            wrong.append(f"the section at byte {at} claims {size} bytes, {len(rest)} are there")
            break
        section = Section(at, rest[0], rest[1:size])
        found.append(section)
        wrong += _misshapen(section)
        at += 1 + size
    return Sections(tuple(found), tuple(wrong))


def listed(section: Section) -> Iterator[str]:
    """The UUIDs in a list of services; none where it is another section."""
    size = SERVICES.get(section.ad_type)
    if size is not None:
        for end in range(size, len(section.content) + 1, size):
            yield uuid_of(section.content[end - size : end])


def maker(section: Section) -> tuple[int, bytes] | None:
    """The company id and the payload of manufacturer data; None where it is another section, or cut."""
    content = section.content
    if section.ad_type != MANUFACTURER or len(content) < 2:
        return None
    return int.from_bytes(content[:2], "little"), content[2:]


def served(section: Section) -> tuple[str, bytes] | None:
    """The UUID and the payload of service data; None where it is another section, or cut."""
    size, content = SERVICE_DATA.get(section.ad_type), section.content
    if size is None or len(content) < size:
        return None
    return uuid_of(content[:size]), content[size:]


def uuid_of(octets: bytes) -> str:
    """A UUID of 2, 4 or 16 bytes as it stands in an advert, written out: 128 bits, lower case."""
    digits = octets[::-1].hex()
    if len(octets) < 16:
        return digits.rjust(8, "0") + BASE_UUID
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _misshapen(section: Section) -> Iterator[str]:
    size = len(section.content)
    each = SERVICES.get(section.ad_type, 1)
    if size % each:
        yield f"the section at byte {section.at} lists services of {each} bytes in {size} bytes"
    least = 2 if section.ad_type == MANUFACTURER else SERVICE_DATA.get(section.ad_type, 0)
    if size < least:
        yield f"the section at byte {section.at} has {size} bytes of the {least} that say whose it is"
