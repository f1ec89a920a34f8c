"""A payload field by field, for the bench: which bytes, which number, which value."""

from collections.abc import Iterator
from typing import NamedTuple

from drivers.base import UNITS, BadFrame
from drivers.framing import Refusal
from drivers.profile.compiled import Profile
from drivers.profile.fields import ABSURD, outcome_of
from drivers.profile.model import FieldShape


class Explained(NamedTuple):
    """One field: `place` counts bytes from 0 at the payload's start, `value` is in words, with its unit."""

    place: str
    octets: str
    name: str
    raw: int
    value: str


def explained(profile: Profile, payload: bytes) -> Iterator[Explained]:
    """Every field of `payload`, in the profile's order; raises BadFrame where it is too short."""
    if len(payload) < profile.least:
        raise BadFrame(Refusal.TOO_SHORT.value, payload)
    cells = profile.cells.read(payload)
    for name, access in profile.fields.items():
        field, cell = access.field, cells[access.index]
        octets = payload[field.at : field.at + field.type.size].hex()
        raw = access.raw(cell)
        yield Explained(_place(field), octets, name, raw, _value(profile, field, raw, cell))


def _place(field: FieldShape) -> str:
    place = f"{field.at}" if field.type.size == 1 else f"{field.at}-{field.at + field.type.size - 1}"
    if field.bit is not None:
        return f"{place} bit {field.bit}"
    return f"{place} bits {field.bits[0]}-{field.bits[1]}" if field.bits else place


def _value(profile: Profile, field: FieldShape, raw: int, cell: object) -> str:
    if raw in field.absent:
        return "absent"
    if field.metric is None:
        return field.values.get(raw, str(bool(raw)).lower() if field.bit is not None else "")
    measured = outcome_of(field, field.metric, profile.file.order)(cell)
    if measured is ABSURD or measured is None:
        return "absurd: out of bounds"
    unit = UNITS.get(field.metric, "")
    return f"{str(measured.value).lower()} {'' if unit == '1' else unit}".strip()
