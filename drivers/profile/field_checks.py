"""What the fields of a layout must be, each for itself and to each other."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from drivers.profile.fields import BOOLEAN
from drivers.profile.kinds import Kind
from drivers.profile.model import FieldShape, LayoutShape
from drivers.profile.shape import Finding, Where
from drivers.profile.written import compiled, groups_in, number

WRITTEN = (Kind.TEXT, Kind.DECIMAL, Kind.HEX, Kind.ADDRESS)
"""What can stand in a line's group or at a JSON path."""
SIZED = (Kind.BCD, Kind.ADDRESS)
UNSIZED = (Kind.TEXT, Kind.BYTES, Kind.DECIMAL, Kind.HEX)
"""Kinds that may go on to the payload's end."""


def fields_amiss(layout: LayoutShape) -> Iterator[Finding]:
    seen: dict[object, str] = {}
    for name, field in layout.fields.items():
        local = [*_placed(layout, name, field), *field_amiss(field), *_when(layout, name, field)]
        yield from (Finding(("fields", name, *found.where), found.what, found.cure) for found in local)
        if layout.least is not None:
            yield from _least(layout.least, name, field)
        if field.metric is None or field.when is not None:
            continue
        if (first := seen.setdefault(field.metric, name)) != name:
            yield Finding(
                ("fields", name, "metric"),
                f"{field.metric.value} is already read from the field '{first}'",
                "keep one field per metric",
            )


def _placed(layout: LayoutShape, name: str, field: FieldShape) -> Iterator[Finding]:
    """Whether a field stands in exactly one place, which there is."""
    ways = {"at": field.at, "after": field.after, "object": field.object, "group": field.group, "path": field.path}
    given = [way for way, value in ways.items() if value is not None and not (way == "at" and field.object is not None)]
    if len(given) != 1:
        what = "it stands nowhere" if not given else f"both {given[0]} and {given[1]} are given"
        yield Finding((), what, "write at: or after: for bytes, object:, group: or path:, and one of them")
        return
    before = list(layout.fields)[: list(layout.fields).index(name)]
    if field.after is not None and field.after not in before:
        cure = f"name a field that stands above it: {', '.join(before) or 'there is none'}"
        yield Finding(("after",), f"no field above it is called '{field.after}'", cure)
    if field.object is not None and layout.objects is None:
        yield Finding(("object",), "the layout has no objects", "add objects:, which says how they follow each other")
    if field.group is not None:
        groups = sorted(groups_in(compiled(layout.pattern))) if layout.pattern is not None else []
        if field.group not in groups:
            cure = f"there are {', '.join(groups)}" if groups else "add pattern: with (?P<name>…)"
            yield Finding(("group",), f"the pattern has no group '{field.group}'", cure)


def _least(least: int, name: str, field: FieldShape) -> Iterator[Finding]:
    end = (field.at or 0) + (field.width or 0)
    if field.fixed and end > least:
        what = f"the field '{name}' ends at byte {end}, after the least size {least}"
        yield Finding(("least",), what, f"write least: {end} or more")


def _when(layout: LayoutShape, name: str, field: FieldShape) -> Iterator[Finding]:
    if field.when is None:
        return
    before = {each: shape for each, shape in layout.fields.items() if shape.fixed or each in _above(layout, name)}
    yield from condition_amiss(before, field.when.field, field.when.equals, ("when",))


def _above(layout: LayoutShape, name: str) -> list[str]:
    return list(layout.fields)[: list(layout.fields).index(name)]


def field_amiss(field: FieldShape) -> Iterator[Finding]:
    yield from _typed(field)
    yield from _bits(field)
    if field.min is not None and field.max is not None and field.min > field.max:
        yield Finding(("min",), f"min {field.min:g} is above max {field.max:g}", "exchange them")
    yield from _metric(field)
    for written in field.absent or ():
        yield from outside(field, written, ("absent",), _signed_cure(field, written))
    for written in field.values:
        yield from outside(field, written, ("values", written), "correct the number")
    for written in field.true_when or ():
        yield from outside(field, written, ("true_when",), "correct the number")


def _typed(field: FieldShape) -> Iterator[Finding]:
    kind = field.kind
    written = field.group is not None or field.path is not None
    if written and kind not in WRITTEN:
        cure = "write text, decimal, hex or address"
        yield Finding(("type",), f"{kind.value} stands in bytes, and this is text", cure)
    elif not written and kind.width is not None and (field.size is not None or field.length is not None):
        key = "size" if field.size is not None else "length"
        yield Finding((key,), f"{kind.value} is always {kind.width} bytes", "take it out")
    elif not written and kind in SIZED and field.width is None:
        yield Finding(("type",), f"how many bytes the {kind.value} has is not said", "add size:")
    if field.size is not None and field.length is not None:
        cure = "keep size: for a fixed one, length: for a stated one"
        yield Finding(("length",), "both size and length are given", cure)
    if (kind is Kind.UUID_OFFSET) is not (field.base is not None):
        yield Finding((), "a uuid_offset is counted from a base, and nothing else is", 'write base: "…", the UUID')


def _bits(field: FieldShape) -> Iterator[Finding]:
    if field.bit is None and field.bits is None:
        return
    key = "bits" if field.bits else "bit"
    if field.bit is not None and field.bits is not None:
        yield Finding(("bits",), "both bit and bits are given", "keep bit for one bit, bits for a range")
    if not field.kind.whole:
        yield Finding((key,), f"{field.kind.value} has no bits to take", "write u8, u16, u24, u32 or u64")
        return
    width = 8 * (field.width or 0)
    low, high = field.bits or (field.bit or 0, field.bit or 0)
    if not 0 <= low <= high < width:
        yield Finding((key,), f"{field.kind.value} has the bits 0 to {width - 1}", "write the lower bit first, from 0")


def _metric(field: FieldShape) -> Iterator[Finding]:
    truth = field.metric in BOOLEAN
    if field.true_when is not None and not truth:
        yield Finding(("true_when",), "the metric is not true or false", "take it out")
    if field.metric is None:
        return
    if truth and field.bit is None and field.true_when is None:
        what = f"{field.metric.value} is true or false, and this is a number"
        yield Finding(("metric",), what, "name its bit: bit: 0; or the values that mean true: true_when: 1")
    if not truth and field.bit is not None:
        what = f"{field.metric.value} is a number, and this is one bit"
        yield Finding(("metric",), what, "write bits: [low, high], or no metric")
    if field.kind.textual and not truth:
        what = f"{field.metric.value} is a number, and this is a text"
        yield Finding(("metric",), what, "write type: decimal or hex")


def bounds(field: FieldShape) -> tuple[int, int] | None:
    """The least and the greatest number that the field can hold; None where it holds no whole numbers of a size."""
    if field.bit is not None or field.bits is not None:
        low, high = field.bits or (0, 0)
        return 0, (1 << max(0, high - low) + 1) - 1
    if not field.kind.whole:
        return None
    width = 8 * (field.width or 0)
    return (-(1 << width - 1), (1 << width - 1) - 1) if field.kind.signed else (0, (1 << width) - 1)


def outside(field: FieldShape, written: int | str, where: Where, cure: str) -> Iterator[Finding]:
    """A value that the field can never hold."""
    if field.kind.textual:
        return
    try:
        value = number(written)
    except ValueError:
        yield Finding(where, f"'{written}' is no number, and the field holds numbers", "write a decimal or a 0x number")
        return
    held = bounds(field)
    if held is not None and not held[0] <= value <= held[1]:
        yield Finding(where, f"{value} cannot stand in this field: {held[0]} to {held[1]}", cure)


def _signed_cure(field: FieldShape, written: int | str) -> str:
    width = 8 * (field.width or 0)
    if field.kind.signed and isinstance(written, int) and written < 1 << width:
        return f"these bytes read as {written - (1 << width)} in {field.kind.value}: write that"
    return "write the number as it stands before scale and offset"


def condition_amiss(
    fields: Mapping[str, FieldShape], field: str, values: Iterable[int | str], where: Where
) -> Iterator[Finding]:
    """A condition on a field that is not there, or on values that it never has."""
    if field not in fields:
        yield no_field(fields, (*where, "field"), field)
        return
    shape = fields[field]
    if shape.kind.textual:
        return
    names = list(shape.values.values())
    for name in (each for each in values if isinstance(each, str) and each not in names):
        cure = f"the nearest is '{nearest(name, names)}'" if names else f"add values to the field '{field}'"
        yield Finding((*where, "equals"), f"no value of the field '{field}' is called '{name}'", cure)
    held = bounds(shape)
    for value in (each for each in values if isinstance(each, int)):
        if held is not None and not held[0] <= value <= held[1]:
            what = f"{value} cannot stand in the field '{field}'"
            yield Finding((*where, "equals"), what, f"write {held[0]} to {held[1]}")


def no_field(fields: Mapping[str, FieldShape], where: Where, name: str) -> Finding:
    cure = f"the nearest is '{nearest(name, fields)}'" if fields else "add fields:"
    return Finding(where, f"no field is called '{name}'", cure)


def nearest(name: str, names: Iterable[str]) -> str:
    return get_close_matches(name, list(names), 1, 0)[0]
