"""Occurrences compiled: from the numbers read to what happened, and to what tells copies of it apart."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from drivers.base import Counter, Edge, Level, Occurrence, OccurrenceKind
from drivers.profile.fields import ABSURD, Access, Verdict, tabled
from drivers.profile.model import BUTTON, FALL_WINDOW_MS, BehaviourName, Code, CounterShape, OccurrenceShape

Teller = Callable[[tuple[Any, ...]], Occurrence | Literal[Verdict.ABSURD] | None]
"""From all numbers read to the occurrence; None where this frame has none to tell."""
Terms = tuple[OccurrenceKind, str | None, int, bool]
"""What a code says of an Occurrence: kind, service, window_ms, confirms_fall."""


def teller(shape: OccurrenceShape, fields: Mapping[str, Access]) -> Teller:
    if shape.counter is not None:
        return _counter(shape, shape.counter, fields)
    return _level(shape, fields) if shape.behaviour is BehaviourName.LEVEL else _edge(shape, fields)


def _terms(code: Code) -> Terms:
    default = FALL_WINDOW_MS if code.kind is OccurrenceKind.FALL else 0
    return code.kind, code.service, default if code.window is None else code.window, code.confirms_fall


def _meanings(shape: OccurrenceShape, told: Access) -> Callable[[Any], Terms | None]:
    """From the cell of the event's field to what it says; a code that is not listed is a button."""
    codes = {number: _terms(code) for number, code in shape.codes.items()}
    wanted = told.wanted(shape.equals) if shape.equals is not None else None
    means, unlisted, absent = _terms(shape.means), _terms(BUTTON), frozenset(told.field.absent)

    def meaning(cell: Any) -> Terms | None:
        raw = told.raw(cell)
        if raw in absent:
            return None
        if codes:
            return codes.get(raw, unlisted)
        return means if (raw in wanted if wanted is not None else raw) else None

    return tabled(meaning, told.field.type)


def _counter(shape: OccurrenceShape, counting: CounterShape, fields: Mapping[str, Access]) -> Teller:
    told, counter, fresh = fields[shape.field], fields[counting.field], fields[counting.fresh.field]
    wrap = counting.wrap or (1 << 8 * counter.field.type.size) - 1
    meaning, number_of, is_fresh = _meanings(shape, told), counter.raw, fresh.holds(counting.fresh.equals)

    def tell(cells: tuple[Any, ...]) -> Occurrence | Literal[Verdict.ABSURD] | None:
        terms = meaning(cells[told.index])
        if terms is None:
            return None
        number = number_of(cells[counter.index])
        kind, service, window, confirms = terms
        if (number == 0) is not (kind is OccurrenceKind.NONE):
            return ABSURD  # the counter says that nothing happened since power-up, the code that something did
        return Occurrence(kind, Counter(number, is_fresh(cells[fresh.index]), wrap), service, window, confirms)

    return tell


def _level(shape: OccurrenceShape, fields: Mapping[str, Access]) -> Teller:
    told = fields[shape.field]
    meaning, absent = _meanings(shape, told), frozenset(told.field.absent)
    kind, service, window, confirms = _terms(shape.means)
    on, off = (Occurrence(kind, Level(active), service, window, confirms) for active in (True, False))

    def level(cell: Any) -> Occurrence | None:
        return None if told.raw(cell) in absent else on if meaning(cell) else off

    level_of = tabled(level, told.field.type)
    return lambda cells: level_of(cells[told.index])


def _edge(shape: OccurrenceShape, fields: Mapping[str, Access]) -> Teller:
    told = fields[shape.field]
    key = fields[shape.key] if shape.key is not None else None
    meaning = _meanings(shape, told)

    def tell(cells: tuple[Any, ...]) -> Occurrence | None:
        terms = meaning(cells[told.index])
        if terms is None or terms[0] is OccurrenceKind.NONE:
            return None
        kind, service, window, confirms = terms
        number = key.raw(cells[key.index]) if key else None
        return Occurrence(kind, Edge(number), service, window, confirms)

    return tell
