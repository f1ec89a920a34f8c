"""Fields whose place depends on the payload: behind others, behind a length, in objects of a stream, in a text.

Each reader fills cells in place: `Verdict.MISSING` where the payload has no such field this time, ABSENT where a
JSON line says null. Every one looks at each byte once at most.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from drivers.base import BadFrame
from drivers.framing import Refusal
from drivers.profile.kinds import ABSENT, MISSING, cell_from
from drivers.profile.model import FieldShape, ObjectsShape
from drivers.profile.written import Order, compiled, groups_in

Span = tuple[int, int]
"""The first byte, and the one behind the last."""
Fill = Callable[[bytes, list[Any]], None]
"""Puts into its places among the cells what a payload says; BadFrame where that is cut short."""
Holds = Callable[[Sequence[Any]], bool]


@dataclass(frozen=True, slots=True)
class Link:
    """A field of a chain: where its cell is, where it begins, and how long it is."""

    index: int
    field: FieldShape
    cell: Callable[[bytes], Any] | None
    """None where the bytes are the cell."""
    begin: int | str
    """A place, or the field that it stands behind."""
    prefix: int
    """Bytes of the length in front of it."""
    order: Order
    holds: Holds | None


def link(index: int, field: FieldShape, order: Order, ends: Mapping[str, int], holds: Holds | None) -> Link:
    """`ends` says where fields at fixed places end."""
    order, width = field.order or order, field.width
    cell = cell_from(field.kind, width, order) if width is not None else None
    begin = field.at if field.after is None else ends.get(field.after, field.after)
    prefix = int(field.length[1:]) // 8 if field.length else 0
    return Link(index, field, cell, begin or 0, prefix, order, holds)


def chained(links: Mapping[str, Link]) -> Callable[[bytes, list[Any]], dict[str, Span]]:
    """Fill the cells of fields that follow each other; where each one stood."""

    def fill(payload: bytes, cells: list[Any]) -> dict[str, Span]:
        spans: dict[str, Span] = {}
        for name, each in links.items():
            begin = spans[each.begin][1] if isinstance(each.begin, str) else each.begin
            if each.holds is not None and not each.holds(cells):
                spans[name] = (begin, begin)
                continue
            begin, end = _span(each, begin, payload)
            octets = payload[begin:end]
            cells[each.index] = each.cell(octets) if each.cell else octets
            spans[name] = (begin, end)
        return spans

    return fill


def _span(each: Link, begin: int, payload: bytes) -> Span:
    """Where a field stands that begins, with its length if it has one, at `begin`."""
    size = each.field.width
    if each.prefix:
        size = int.from_bytes(payload[begin : begin + each.prefix], each.order)
        begin += each.prefix
    end = len(payload) if size is None else begin + size
    if begin > len(payload) or end > len(payload):
        raise BadFrame(Refusal.TOO_SHORT.value, payload)
    return begin, end


def objects(shape: ObjectsShape, fields: Iterable[tuple[int, FieldShape]], order: Order) -> Fill:
    """Fill the cells of fields in objects; of objects with the same id the first counts."""
    order = shape.order or order
    readers: dict[int, list[tuple[int, Span, Callable[[bytes], Any] | None]]] = {}
    sizes = {int(written, 0): size for written, size in shape.sizes.items()}
    for index, field in fields:
        begin, width = field.at or 0, field.width
        cell = cell_from(field.kind, width, field.order or order) if width is not None else None
        ident = field.object if field.object is not None else -1
        readers.setdefault(ident, []).append((index, (begin, begin + (width or 0)), cell))
        if shape.length == "none":
            sizes[ident] = max(sizes.get(ident, 0), begin + (width or 0))
    id_size = int(shape.id[1:]) // 8
    length_size = 0 if shape.length == "none" else int(shape.length[1:]) // 8
    stops = shape.unknown == "stop"

    def fill(payload: bytes, cells: list[Any]) -> None:
        at, end = shape.at, len(payload)
        while at < end:
            ident = int.from_bytes(payload[at : at + id_size], order)
            at += id_size
            size = int.from_bytes(payload[at : at + length_size], order) if length_size else sizes.get(ident)
            if size is None or (stops and ident not in readers and ident not in sizes):
                return  # how long it is nobody knows, or what follows is said to mean nothing any more
            at += length_size
            if at + size > end:
                raise BadFrame(Refusal.TOO_SHORT.value, payload)
            _fill_object(payload[at : at + size], readers.get(ident, ()), cells)
            at += size

    return fill


def _fill_object(
    content: bytes, readers: Iterable[tuple[int, Span, Callable[[bytes], Any] | None]], cells: list[Any]
) -> None:
    for index, (begin, end), cell in readers:
        if cells[index] is not MISSING:
            continue
        if cell is None:
            cells[index] = content[begin:]
        elif end <= len(content):
            cells[index] = cell(content[begin:end])


def matched(pattern: str, groups: Mapping[str, int]) -> Callable[[bytes, list[Any]], bool]:
    """Fill the cells of named groups; false where the line is not of this pattern. Linear in the line's length."""
    expression = compiled(pattern)
    match, numbers = expression.fullmatch, groups_in(expression)
    wanted = [(numbers[name], index) for name, index in groups.items()]

    def fill(line: bytes, cells: list[Any]) -> bool:
        found = match(line)
        if found is None:
            return False
        for group, index in wanted:
            text = found[group]
            if text is not None:
                cells[index] = text
        return True

    return fill


def walked(paths: Mapping[str, int]) -> Callable[[bytes, list[Any]], bool]:
    """Fill the cells of values in a JSON line; false where it is none."""
    ways = [(tuple(path.split(".")), index) for path, index in paths.items()]

    def fill(line: bytes, cells: list[Any]) -> bool:
        try:
            document = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        for steps, index in ways:
            cells[index] = _found(document, steps)
        return True

    return fill


def _found(value: Any, steps: tuple[str, ...]) -> Any:
    for step in steps:
        match value:
            case dict() if step in value:
                value = value[step]
            case list() if step.isdecimal() and int(step) < len(value):
                value = value[int(step)]
            case _:
                return MISSING
    return ABSENT if value is None else MISSING if isinstance(value, dict | list) else value
