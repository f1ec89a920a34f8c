"""A payload field by field, for the bench: which bytes, which number, which value."""

from collections.abc import Iterator

from drivers.base import UNITS, Address, BadFrame
from drivers.decoders.catalogue import DECODERS
from drivers.decoders.contract import Part
from drivers.framing import Refusal
from drivers.profile.compiled import Profile
from drivers.profile.fields import ABSURD, outcome_of
from drivers.profile.model import FieldShape


def explained(profile: Profile, payload: bytes, sender: Address | None = None, key: bytes | None = None) -> list[Part]:
    """Every field of `payload`, in the profile's order. Raises BadFrame."""
    if profile.file.decoder is not None:
        return DECODERS[profile.file.decoder].parts(payload, sender, key)
    if len(payload) < profile.least:
        raise BadFrame(Refusal.TOO_SHORT.value, payload)
    return list(_parts(profile, payload))


def _parts(profile: Profile, payload: bytes) -> Iterator[Part]:
    cells = profile.cells.read(payload)
    for name, access in profile.fields.items():
        field, cell = access.field, cells[access.index]
        octets = payload[field.at : field.at + field.type.size].hex()
        raw = access.raw(cell)
        yield Part(_place(field), octets, name, str(raw), _value(profile, field, raw, cell))


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
