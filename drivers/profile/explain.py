"""A payload field by field, for the bench: which bytes, which number, which value."""

from collections.abc import Iterator, Sequence
from typing import Any

from drivers.base import UNITS, Address, Measurement
from drivers.decoders.catalogue import DECODERS
from drivers.decoders.contract import Part
from drivers.profile.compiled import Profile
from drivers.profile.fields import absent_in, kept, outcome_of, value_of
from drivers.profile.kinds import ABSENT, MISSING, Verdict
from drivers.profile.layout import Layout
from drivers.profile.model import FieldShape
from drivers.profile.streams import Span


def explained(profile: Profile, payload: bytes, sender: Address | None = None, key: bytes | None = None) -> list[Part]:
    """Every field of `payload`, in the profile's order; none where it is not of this profile. Raises BadFrame."""
    if profile.file.decoder is not None:
        return DECODERS[profile.file.decoder].parts(payload, sender, key)
    found = profile.layout(payload)
    return list(_parts(*found, payload)) if found else []


def _parts(layout: Layout, cells: Sequence[Any], payload: bytes) -> Iterator[Part]:
    spans = layout.spans(payload, cells)
    for name, access in layout.fields.items():
        cell, field, span = cells[access.index], access.field, spans.get(name)
        if cell is MISSING:
            continue
        octets = payload[span[0] : span[1]].hex() if span else _written(cell)
        raw = cell if isinstance(cell, Verdict) else access.raw(cell)
        value = _measured(layout, field, cell) if field.metric else _name(field, raw)
        yield Part(_place(field, span), octets, name, _written(raw), value)


def _place(field: FieldShape, span: Span | None) -> str:
    if span is None:
        named = (("group", field.group), ("path", field.path), ("object", field.object))
        return next(f"{way} {name}" for way, name in named if name is not None)
    begin, end = span
    place = f"{begin}" if end - begin <= 1 else f"{begin}-{end - 1}"
    if field.bit is not None:
        return f"{place} bit {field.bit}"
    return f"{place} bits {field.bits[0]}-{field.bits[1]}" if field.bits else place


def _written(raw: Any) -> str:
    match raw:
        case Verdict():
            return ""
        case bytes():
            return raw.decode(errors="replace")
        case _:
            return str(raw).lower() if isinstance(raw, bool) else str(raw)


def _name(field: FieldShape, raw: Any) -> str:
    """What a field without a metric says: by the profile's own names for its values."""
    if raw is ABSENT or raw in absent_in(field):
        return "absent"
    if isinstance(raw, Verdict):
        return "absurd"
    if field.scale != 1 or field.offset != 0:
        return str(value_of(field)(raw))
    return field.named.get(raw, str(bool(raw)).lower() if field.bit is not None else "")


def _measured(layout: Layout, field: FieldShape, cell: Any) -> str:
    if field.metric is None:
        return ""
    measured = kept(outcome_of(field, field.metric, layout.order), field)(cell)
    if measured is ABSENT:
        return "absent"
    if not isinstance(measured, Measurement):
        return "absurd: out of bounds"
    unit = UNITS.get(measured.metric, "")
    return f"{str(measured.value).lower()} {'' if unit == '1' else unit}".strip()
