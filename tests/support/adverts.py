"""Whole adverts, walked apart from the code under test: length, AD type, contents, by the Bluetooth Core Supplement."""

from collections.abc import Iterator

from drivers.base import BASE_UUID, PacketKind

SERVICE_DATA = {0x16: 2, 0x20: 4, 0x21: 16}
NAMES = (0x08, 0x09)
Section = tuple[PacketKind | None, int | str, bytes]
"""What carries a payload, and under which company id or UUID; None is the device's name."""


def sections(advert: bytes) -> Iterator[Section]:
    while len(advert) > 1 and advert[0]:
        ad_type, content, advert = advert[1], advert[2 : 1 + advert[0]], advert[1 + advert[0] :]
        if ad_type == 0xFF:
            yield PacketKind.MANUFACTURER, int.from_bytes(content[:2], "little"), content[2:]
        elif ad_type in SERVICE_DATA:
            size = SERVICE_DATA[ad_type]
            yield PacketKind.SERVICE_DATA, uuid(content[:size][::-1].hex()), content[size:]
        elif ad_type in NAMES:
            yield None, "", content


def uuid(digits: str) -> str:
    """A UUID of 16, 32 or 128 bits, as packets bear it."""
    if len(digits) == 32:
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    return digits.rjust(8, "0") + BASE_UUID
