"""Occurrences compiled: from what was read to what happened, and to what tells copies of it apart."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from drivers.base import Behaviour, Counter, Edge, Identity, KeyPress, Level, Occurrence, OccurrenceKind
from drivers.profile.fields import Access, absent_in, tabled
from drivers.profile.kinds import ABSURD, Verdict
from drivers.profile.model import BUTTON, FALL_WINDOW_MS, NONE, BehaviourName, Code, CounterShape, OccurrenceShape

Teller = Callable[[Sequence[Any]], Occurrence | Literal[Verdict.ABSURD] | None]
"""From all cells read to the occurrence; None where this payload has none to tell."""


class Terms(NamedTuple):
    """What a code says of an occurrence."""

    kind: OccurrenceKind
    service: str | None
    window_ms: int
    confirms_fall: bool
    press: KeyPress | None
    number: int | None

    def told(self, behaviour: Behaviour) -> Occurrence:
        kind, service, window_ms, confirms_fall, press, number = self
        return Occurrence(kind, behaviour, service, window_ms, confirms_fall, press, number)


def teller(shape: OccurrenceShape, fields: Mapping[str, Access]) -> Teller:
    match shape.behaviour:
        case BehaviourName.LEVEL:
            return _level(shape, fields[shape.field])
        case BehaviourName.IDENTITY:
            return _identity(shape, fields[shape.field])
        case BehaviourName.COUNTER if shape.counter is not None:
            return _counter(shape, shape.counter, fields)
        case _:
            return _edge(shape, fields)


def _terms(code: Code) -> Terms:
    default = FALL_WINDOW_MS if code.kind is OccurrenceKind.FALL else 0
    window = default if code.window is None else code.window
    return Terms(code.kind, code.service, window, code.confirms_fall, code.press, code.number)


def _meanings(shape: OccurrenceShape, told: Access) -> Callable[[Any], Terms | None]:
    """From the cell of the event's field to what it says; a code that is not listed is a button."""
    codes = {told.field.own(written): _terms(code) for written, code in shape.codes.items()}
    wanted = told.wanted(shape.equals) if shape.equals is not None else None
    means, unlisted, absent = _terms(shape.means), _terms(BUTTON), absent_in(told.field)

    def meaning(cell: Any) -> Terms | None:
        raw = cell if isinstance(cell, Verdict) else told.raw(cell)
        if isinstance(raw, Verdict) or raw in absent:
            return None
        if codes:
            return codes.get(raw, unlisted)
        return means if (raw in wanted if wanted is not None else raw) else None

    return tabled(meaning, told.field)


def _counter(shape: OccurrenceShape, counting: CounterShape, fields: Mapping[str, Access]) -> Teller:
    told, counter, fresh = fields[shape.field], fields[counting.field], fields[counting.fresh.field]
    wrap = counting.wrap or (1 << 8 * (counter.field.width or 8)) - 1
    meaning, number_of, is_fresh = _meanings(shape, told), counter.raw, fresh.holds(counting.fresh.equals)

    def tell(cells: Sequence[Any]) -> Occurrence | Literal[Verdict.ABSURD] | None:
        terms, cell = meaning(cells[told.index]), cells[counter.index]
        if terms is None or isinstance(cell, Verdict):
            return None
        number, (kind, service, window, confirms, press, button) = number_of(cell), terms
        if (number == 0) is not (kind is OccurrenceKind.NONE):
            return ABSURD  # the counter says that nothing happened since power-up, the code that something did
        counted = Counter(number, is_fresh(cells[fresh.index]), wrap)
        return Occurrence(kind, counted, service, window, confirms, press, button)

    return tell


def _level(shape: OccurrenceShape, told: Access) -> Teller:
    meaning = _meanings(shape, told)
    on, off = (_terms(shape.means).told(Level(active)) for active in (True, False))
    return _whatever(told, lambda cell: on if meaning(cell) else off)


def _identity(shape: OccurrenceShape, told: Access) -> Teller:
    """Another identity than those that mean something is told too, for it ends them."""
    meaning, other = _meanings(shape, told), _terms(NONE)
    return _whatever(told, lambda cell: (meaning(cell) or other).told(Identity()))


def _whatever(told: Access, tell: Callable[[Any], Occurrence]) -> Teller:
    """What is told whatever the value is, as long as there is one."""
    absent = absent_in(told.field)

    def occurrence(cell: Any) -> Occurrence | None:
        raw = cell if isinstance(cell, Verdict) else told.raw(cell)
        return None if isinstance(raw, Verdict) or raw in absent else tell(cell)

    occurrence_of = tabled(occurrence, told.field)
    return lambda cells: occurrence_of(cells[told.index])


def _edge(shape: OccurrenceShape, fields: Mapping[str, Access]) -> Teller:
    told = fields[shape.field]
    key = fields[shape.key] if shape.key is not None else None
    meaning = _meanings(shape, told)

    def tell(cells: Sequence[Any]) -> Occurrence | None:
        terms = meaning(cells[told.index])
        if terms is None or terms.kind is OccurrenceKind.NONE:
            return None
        cell = cells[key.index] if key is not None else None
        number = key.raw(cell) if key is not None and not isinstance(cell, Verdict) else None
        return terms.told(Edge(number if isinstance(number, int) else None))

    return tell
