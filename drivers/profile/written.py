"""How single values are written in a profile: hex digits, UUIDs, addresses, times, names."""

import re
from difflib import get_close_matches
from typing import Annotated, Any, Literal

import re2
from pydantic import BeforeValidator, Field, StringConstraints

from drivers.base import BASE_UUID, KeyPress
from drivers.checksum import CHECKSUMS
from drivers.decoders.catalogue import DECODERS

PATTERN_MEMORY = 1 << 20
"""Bytes that the machine of one pattern may take."""


def digits(value: object) -> str:
    """Hex digits as they were written, without spaces, colons and 0x; lower case."""
    found = re.sub(r"[\s:]|^0x", "", value.lower()) if isinstance(value, str) else "a number"
    if re.search(r"[^0-9a-f]", found):
        raise ValueError("not hex digits in quotes; write them like '98 03'")
    return found


def _octets(value: object) -> bytes:
    found = digits(value)
    if len(found) % 2:
        raise ValueError("an odd number of hex digits; write two for each byte")
    return bytes.fromhex(found)


def uuid(value: object) -> str:
    found = digits(value.replace("-", "") if isinstance(value, str) else value)
    if len(found) in {4, 8}:
        return found.rjust(8, "0") + BASE_UUID
    if len(found) != 32:
        raise ValueError("no UUID; write 4, 8 or 32 hex digits in quotes")
    return "-".join((found[:8], found[8:12], found[12:16], found[16:20], found[20:]))


def _address(value: object) -> str:
    found = re.sub(r"[\s:]|^0x", "", value.lower()) if isinstance(value, str) else ""
    if not re.fullmatch(r"[0-9a-z]{4,20}", found):
        raise ValueError("no address; write 8 or 12 hex digits, or what the device calls itself, in quotes")
    return found


def _checksum(value: object) -> str:
    if not isinstance(value, str) or value not in CHECKSUMS:
        nearest = get_close_matches(str(value), CHECKSUMS, 1, 0)
        raise ValueError(f"no checksum has this name; the nearest is {nearest[0]}")
    return value


_PRESSES = "|".join(KeyPress)
_BUTTON = re.compile(rf"any|{_PRESSES}|\d{{1,3}}(?: (?:{_PRESSES}))?")


def _pattern(value: object) -> str:
    written = str(value)
    try:
        compiled(written)
    except re2.error as error:
        raise ValueError(f"no pattern ({error}); write a regular expression as RE2 reads it") from error
    return written


def compiled(pattern: str) -> Any:
    """A pattern on bytes, on an engine whose time is linear in what it reads. re2.error where it is none."""
    options = re2.Options()
    options.log_errors, options.max_mem = False, PATTERN_MEMORY
    return re2.compile(pattern.encode(), options)


def groups_in(pattern: Any) -> dict[str, int]:
    """The named groups of a compiled pattern, by their numbers."""
    return {name.decode(): group for name, group in pattern.groupindex.items()}


def _button(value: object) -> str:
    written = str(value).strip().lower()
    if not _BUTTON.fullmatch(written):
        raise ValueError(f"no press of a key; write {', '.join(KeyPress)}, a key's number such as 2, '2 long', or any")
    return written


def number(written: object) -> int:
    """A key that is a number, decimal or 0x; keys come as text."""
    found = re.fullmatch(r"-?\d+|0x[0-9a-f]+", str(written).lower())
    if found is None:
        raise ValueError("not a number; write a decimal or a 0x number")
    return int(found[0], 16 if "x" in found[0] else 10)


def _milliseconds(value: object) -> int:
    written = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|min)", value.strip()) if isinstance(value, str) else None
    if written is None:
        raise ValueError("no time; write 500ms, 20s or 2min")
    return round(float(written[1]) * {"ms": 1, "s": 1000, "min": 60_000}[written[2]])


def _interval(value: object) -> int:
    return 0 if value == "none" else _milliseconds(value)


def listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _decoder(value: object) -> str:
    if not isinstance(value, str) or value not in DECODERS:
        raise ValueError(f"no decoder has this name; there are {', '.join(sorted(DECODERS)) or 'none'}")
    return value


Order = Literal["little", "big"]
FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
ProfileName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
ServiceName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Octets = Annotated[bytes, BeforeValidator(_octets, json_schema_input_type=str)]
SomeOctets = Annotated[Octets, Field(min_length=1)]
Uuid = Annotated[str, BeforeValidator(uuid)]
AddressDigits = Annotated[str, BeforeValidator(_address)]
Pattern = Annotated[str, BeforeValidator(_pattern, json_schema_input_type=str)]
ButtonName = Annotated[str, BeforeValidator(_button)]
DecoderName = Annotated[str, BeforeValidator(_decoder)]
ChecksumName = Annotated[str, BeforeValidator(_checksum)]
Milliseconds = Annotated[int, BeforeValidator(_milliseconds, json_schema_input_type=str)]
Interval = Annotated[int, BeforeValidator(_interval, json_schema_input_type=str)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Number = Annotated[int, BeforeValidator(number)]
Numbers = Annotated[tuple[int, ...], BeforeValidator(listed, json_schema_input_type=int | tuple[int, ...])]
Values = Annotated[
    tuple[int | str, ...],
    BeforeValidator(listed, json_schema_input_type=int | str | tuple[int | str, ...]),
    Field(min_length=1),
]
