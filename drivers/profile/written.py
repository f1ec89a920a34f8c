"""How single values are written in a profile: hex digits, UUIDs, addresses, times, names."""

import re
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from drivers.checksum import CHECKSUMS

BASE_UUID = "-0000-1000-8000-00805f9b34fb"
"""What the Bluetooth specification appends to a short UUID."""


def digits(value: object) -> str:
    """Hex digits as they were written, without spaces, colons and 0x; lower case."""
    found = re.sub(r"[\s:]|^0x", "", value.lower()) if isinstance(value, str) else "a number"
    if re.search(r"[^0-9a-f]", found):
        raise ValueError(f"{value!r} is not made of hex digits in quotes")
    return found


def _octets(value: object) -> bytes:
    found = digits(value)
    if len(found) % 2:
        raise ValueError(f"'{value}' has an odd number of hex digits")
    return bytes.fromhex(found)


def _uuid(value: object) -> str:
    found = digits(value.replace("-", "") if isinstance(value, str) else value)
    if len(found) in {4, 8}:
        return found.rjust(8, "0") + BASE_UUID
    if len(found) != 32:
        raise ValueError(f"'{value}' is no UUID: 4, 8 or 32 hex digits")
    return "-".join((found[:8], found[8:12], found[12:16], found[16:20], found[20:]))


def _address(value: object) -> str:
    found = digits(value)
    if len(found) not in {8, 12}:
        raise ValueError(f"'{value}' is no address: 8 or 12 hex digits")
    return found


def _checksum(value: object) -> str:
    if value not in CHECKSUMS:
        nearest = get_close_matches(str(value), CHECKSUMS, 1, 0)
        raise ValueError(f"no checksum is called {value!r}; the nearest is {nearest[0]}")
    return str(value)


def _milliseconds(value: object) -> int:
    written = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|min)", value.strip()) if isinstance(value, str) else None
    if written is None:
        raise ValueError(f"'{value}' is no time: write 500ms, 20s or 2min")
    return round(float(written[1]) * {"ms": 1, "s": 1000, "min": 60_000}[written[2]])


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Order = Literal["little", "big"]
FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
ProfileName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
ServiceName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Octets = Annotated[bytes, BeforeValidator(_octets)]
SomeOctets = Annotated[Octets, Field(min_length=1)]
Uuid = Annotated[str, BeforeValidator(_uuid)]
AddressDigits = Annotated[str, BeforeValidator(_address)]
ChecksumName = Annotated[str, BeforeValidator(_checksum)]
Milliseconds = Annotated[int, BeforeValidator(_milliseconds)]
Numbers = Annotated[tuple[int, ...], BeforeValidator(_listed)]
Values = Annotated[tuple[int | str, ...], BeforeValidator(_listed), Field(min_length=1)]
