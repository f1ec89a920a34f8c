"""How a value stands in a payload: its type, what it takes of the bytes, and how it becomes a number or a text."""

import re
import struct
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from math import isinf, isnan
from typing import Any, Final, Literal

from drivers.decoders.ieee11073 import Special, float32, sfloat
from drivers.profile.written import Order


class Kind(Enum):
    """A field's type; the value is how profiles write it."""

    U8 = "u8"
    I8 = "i8"
    U16 = "u16"
    I16 = "i16"
    U24 = "u24"
    I24 = "i24"
    U32 = "u32"
    I32 = "i32"
    U64 = "u64"
    I64 = "i64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    SFLOAT = "sfloat"
    FLOAT = "float"
    BCD = "bcd"
    ADDRESS = "address"
    UUID_OFFSET = "uuid_offset"
    TEXT = "text"
    BYTES = "bytes"
    DECIMAL = "decimal"
    HEX = "hex"

    @property
    def whole(self) -> bool:
        """Whether it is an integer in bytes, of which bits can be taken."""
        return self.value[0] in "ui" and self.value[1:].isdecimal()

    @property
    def signed(self) -> bool:
        return self.whole and self.value[0] == "i"

    @property
    def textual(self) -> bool:
        """Whether its value is a text."""
        return self in (Kind.TEXT, Kind.BYTES, Kind.ADDRESS)

    @property
    def width(self) -> int | None:
        """Its bytes; None where the field states them."""
        return int(self.value[1:]) // 8 if self.whole else _WIDTHS.get(self)


_WIDTHS = {Kind.FLOAT32: 4, Kind.FLOAT64: 8, Kind.SFLOAT: 2, Kind.FLOAT: 4, Kind.UUID_OFFSET: 16}
_FORMATS = {1: "b", 2: "h", 4: "i", 8: "q"}
DIGITS = 32
"""The longest number in a text, with its sign and what stands behind the point."""
PLACES = 18
"""Decimal places before the point: so many fit into 64 bits."""
_DECIMAL = re.compile(rf"[+-]?(\d{{1,{PLACES}}}(\.\d{{0,12}})?|\.\d{{1,12}})")
_HEX = re.compile(r"(?:0x)?([0-9a-f]{1,16})", re.IGNORECASE)


class Verdict(Enum):
    """What may stand in the place of a value."""

    ABSURD = "absurd"
    """Out of its bounds, or in contradiction to other fields: told by name, and nothing is read."""
    ABSENT = "absent"
    """The device says that it has none."""
    MISSING = "missing"
    """The payload has no such field this time."""


ABSURD: Final = Verdict.ABSURD
ABSENT: Final = Verdict.ABSENT
MISSING: Final = Verdict.MISSING
Unread = Literal[Verdict.ABSURD, Verdict.ABSENT, Verdict.MISSING]
Raw = Callable[[Any], Any]
"""From a cell to the field's own number or text, or to ABSURD or ABSENT."""


def layout_of(kind: Kind, size: int) -> str:
    """The struct format of one cell: integers and floats as such, all else as bytes."""
    match kind:
        case Kind.FLOAT32:
            return "f"
        case Kind.FLOAT64:
            return "d"
        case _ if kind.whole and size in _FORMATS:
            return _FORMATS[size] if kind.signed else _FORMATS[size].upper()
        case _:
            return f"{size}s"


def cell_from(kind: Kind, size: int, order: Order) -> Callable[[bytes], Any]:
    """The cell in bytes of its own: what `layout_of` would have read in place."""
    unpack = struct.Struct(("<" if order == "little" else ">") + layout_of(kind, size)).unpack
    return lambda octets: unpack(octets)[0]


def raw_from(kind: Kind, order: Order, base: int = 0) -> Raw:
    """How a cell of this kind is read. `base` is what a UUID is counted from."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind in _BIG_ENDIAN:
        read = _BIG_ENDIAN[kind]
        return read if order == "big" else lambda octets: read(octets[::-1])
    if kind is Kind.UUID_OFFSET:
        return lambda octets: int.from_bytes(octets, "big") - base
    if kind.width == 3:
        return lambda octets: int.from_bytes(octets, order, signed=kind.signed)
    return int


def _finite(number: float) -> float | Unread:
    return ABSENT if isnan(number) else ABSURD if isinf(number) else number


def _medical(number: Decimal | Special) -> Decimal | Unread:
    if isinstance(number, Decimal):
        return number
    return ABSURD if number in (Special.POSITIVE_INFINITY, Special.NEGATIVE_INFINITY) else ABSENT


def _bcd(octets: bytes) -> int | Unread:
    digits = octets.hex().lstrip("0") or "0"
    return int(digits) if digits.isdecimal() and len(digits) <= PLACES else ABSURD


def _text(cell: Any) -> str:
    """Texts are read as UTF-8 and without what pads them; a JSON value as it is written."""
    match cell:
        case bytes():
            return cell.decode(errors="replace").strip("\0 ")
        case bool():
            return str(cell).lower()
        case _:
            return str(cell)


def _decimal(cell: Any) -> Any:
    """A number in decimal digits; JSON's own numbers and truth values as they are."""
    match cell:
        case bool():
            return int(cell)
        case int():
            return cell if abs(cell) < 10**PLACES else ABSURD
        case float():
            return _finite(cell)
        case _:
            written = _text(cell)
            if len(written) > DIGITS or not _DECIMAL.fullmatch(written):
                return ABSURD
            return Decimal(written) if "." in written else int(written)


def _hex(cell: Any) -> int | Unread:
    found = _HEX.fullmatch(_text(cell))
    return int(found[1], 16) if found else ABSURD


_PLAIN: dict[Kind, Raw] = {
    Kind.FLOAT32: lambda number: _finite(float(f"{number:.7g}")),
    Kind.FLOAT64: _finite,
    Kind.TEXT: _text,
    Kind.BYTES: bytes.hex,
    Kind.DECIMAL: _decimal,
    Kind.HEX: _hex,
}
_BIG_ENDIAN: dict[Kind, Raw] = {
    Kind.SFLOAT: lambda octets: _medical(sfloat(octets[::-1])),
    Kind.FLOAT: lambda octets: _medical(float32(octets[::-1])),
    Kind.BCD: _bcd,
    Kind.ADDRESS: bytes.hex,
}
