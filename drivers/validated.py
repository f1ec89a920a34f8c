"""A document held against a typed model: every problem, with its place and what would be right there."""

import difflib
from collections.abc import Iterator, Mapping
from types import EllipsisType
from typing import Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from drivers.marked import Document, Problem, Refused, Where

M = TypeVar("M", bound=BaseModel)

SHOWN = 60
"""So much of a wrong text is told back."""
_WANTED = {
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "greater": "a number",
    "less": "a number",
    "bool": "true or false",
    "tuple": "a list, each entry after a dash",
    "list": "a list, each entry after a dash",
    "dict": "keys with their values below it, indented",
    "model": "keys with their values below it, indented",
    "path": "a path",
}
"""What a field wants, by the first word of pydantic's name for the fault."""


class Confidential(ValueError):
    """A refusal that must not repeat what was written: it may be a secret, and this goes to the journal."""


def validated(document: Document, model: type[M]) -> M:
    """The document as `model`. Refused: with everything that is wrong; unknown keys name the nearest known one."""
    value = {} if document.value is None else document.value
    try:
        return model.model_validate(value)
    except ValidationError as error:
        faults = [fault for fault in error.errors(include_url=False) if not _echo(fault)]
        problems = [_problem(document, model, fault) for fault in faults]
        problems.sort(key=lambda problem: (problem.mark.line, problem.mark.column))
        raise Refused(tuple(dict.fromkeys(problems))) from error


def _echo(fault: Any) -> bool:
    """Whether a list is called too short only because its entries are wrong, which is told of each of them."""
    return bool(fault["type"] == "too_short" and len(fault["input"]) >= fault["ctx"]["min_length"])


def _problem(document: Document, model: type[BaseModel], fault: Any) -> Problem:
    where = _present(document.value, fault["loc"])
    match fault["type"]:
        case "extra_forbidden":
            name = str(where[-1])
            return Problem(document.key_mark(where), f"unknown key {name!r}", _meant(model, where[:-1], name))
        case "missing":
            missing = fault["loc"][-1]
            cure = f"add {_added(model, (*where, missing))}"
            return Problem(document.mark(where), f"the key {missing!r} is missing", cure)
        case "model_type" if not where:
            first = next(iter(model.model_fields))
            return Problem(document.mark(()), "no keys stand in the file", f"begin with {_added(model, (first,))}")
    name = ".".join(map(str, where)) or "the file"
    what, cure = _said(model, where, fault)
    return Problem(document.mark(where), f"{name}{_shown(fault)}: {what}", cure)


def _present(value: Any, loc: tuple[str | int, ...]) -> Where:
    """The part of pydantic's location that is a path in the document: names of union members are left out."""
    where: list[str | int] = []
    for step in loc:
        inside = (isinstance(value, dict) and step in value) or (
            isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value)
        )
        if inside:
            value = value[step]
            where.append(step)
    return tuple(where)


def _shown(fault: Any) -> str:
    """What was written, as YAML has it; nothing where it is long, or may be a secret."""
    value = fault["input"]
    if isinstance(fault.get("ctx", {}).get("error"), Confidential):
        return ""
    match value:
        case bool():
            return f" {_yaml(value)}"
        case str() if len(value) > SHOWN:
            return f" {value[:SHOWN]!r}…"
        case str() | int() | float():
            return f" {value!r}"
        case _:
            return ""


def _said(model: type[BaseModel], where: Where, fault: Any) -> tuple[str, str]:
    """A model's own refusals are written `what; cure`; pydantic's are brought into that form."""
    context, such_as = fault.get("ctx", {}), _such_as(model, where)
    match fault["type"]:
        case "value_error" | "assertion_error":
            what, _, cure = str(context["error"]).partition("; ")
            return what, cure or f"write another value{such_as}"
        case "enum" | "literal_error":
            return "not one of the known words", f"write {context['expected']}"
        case "too_short":
            return "is empty", f"write at least {context['min_length']}{such_as}"
        case "string_pattern_mismatch":
            return "not written as it must be", f"write text that fits {context['pattern']}{such_as}"
        case kind:
            return _of_another_kind(kind, fault, _fields(model, where), such_as)


def _of_another_kind(kind: str, fault: Any, fields: list[FieldInfo], such_as: str) -> tuple[str, str]:
    begins = kind.split("_", maxsplit=1)[0]
    wanted = f"write {_WANTED.get(begins, 'another value')}{_bounds(fields)}{such_as}"
    if begins not in _WANTED:
        return _lowered(str(fault["msg"])), wanted
    if fault["input"] is None:
        needed = not fields or fields[0].is_required()
        return "nothing is written here", wanted if needed else f"{wanted}, or leave the key out"
    return {"greater": "too small", "less": "too large"}.get(begins, "of the wrong kind"), wanted


def _bounds(fields: list[FieldInfo]) -> str:
    found = {
        side: bound
        for field in fields
        for part in field.metadata
        for side in ("ge", "le")
        if (bound := getattr(part, side, None)) is not None
    }
    match found:
        case {"ge": low, "le": high}:
            return f" from {low} to {high}"
        case {"ge": low}:
            return f", {low} or more"
        case {"le": high}:
            return f", {high} or less"
        case _:
            return ""


def _such_as(model: type[BaseModel], where: Where) -> str:
    found = _example(model, where)
    if found is None:
        return ""
    return f", such as - {_yaml(found[0])}" if isinstance(found, list) else f", such as {_yaml(found)}"


def _added(model: type[BaseModel], where: Where) -> str:
    """How a missing key may be written, and what it is."""
    about = next((field.description for field in _fields(model, where) if field.description), "…")
    found = _example(model, where)
    return f"{where[-1]}: {about if found is None else f'{_yaml(found)}  # {about}'}"


def _example(model: type[BaseModel], where: Where) -> Any:
    """What would be right at a place: of its field's own examples, or its default. None where there is neither."""
    if where and isinstance(where[-1], int):
        whole = _example(model, where[:-1])
        return whole[0] if isinstance(whole, list) else None
    for field in _fields(model, where):
        if field.examples:
            return field.examples[0]
        if isinstance(field.default, int | float | str):
            return field.default
    return None


def _yaml(value: Any) -> str:
    written: str = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=1_000, sort_keys=False)
    return written.removesuffix("\n").removesuffix("\n...")


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _meant(model: type[BaseModel], where: Where, name: str) -> str:
    """What an unknown key may have been meant to be, or where it may have been meant to stand."""
    here = _known(model, where)
    begun = [key for key in here if key.startswith(name.lower()) or name.lower().startswith(key)]
    if close := difflib.get_close_matches(name.lower(), here, n=1, cutoff=0.6) or begun:
        return f"did you mean {close[0]!r}?"
    if below := [key for key in here if any(name in _known(model, (*where, key, *entry)) for entry in ((), (0,)))]:
        return f"it belongs below {' or '.join(map(repr, below))}, indented further"
    for depth in reversed(range(len(where))):
        if name in _known(model, where[:depth]) and where[depth] != name:
            above = f"beside {where[depth]!r}" if isinstance(where[depth], str) else "further out"
            return f"it belongs {above}, indented less"
    return f"known here are {', '.join(here)}" if here else "no keys are known here"


def _known(model: type[BaseModel], where: Where) -> list[str]:
    """The keys that may stand at a place, of every model that may stand there."""
    models = [part for found in _allowed(model, where) for part in _models(found)]
    return sorted({name for known in models for name in known.model_fields})


def _fields(model: type[BaseModel], where: Where) -> list[FieldInfo]:
    """The fields of the model that a place may be."""
    if not where:
        return []
    *above, name = where
    models = [part for found in _allowed(model, tuple(above)) for part in _models(found)]
    return [known.model_fields[name] for known in models if isinstance(name, str) and name in known.model_fields]


def _allowed(model: type[BaseModel], where: Where) -> list[Any]:
    """The types of what may stand at a place."""
    found: list[Any] = [model]
    for step in where:
        found = [inner for outer in found for inner in _inside(outer, step)]
    return found


def _inside(outer: Any, step: str | int) -> Iterator[Any]:
    parts = get_args(outer)
    if isinstance(outer, type) and issubclass(outer, BaseModel):
        if step in outer.model_fields:
            yield outer.model_fields[str(step)].annotation
    elif get_origin(outer) in (dict, Mapping):
        yield parts[1]
    elif get_origin(outer) in (tuple, list):
        yield from (part for part in parts if not isinstance(part, EllipsisType))
    else:
        for part in parts:
            yield from _inside(part, step)


def _models(found: Any) -> Iterator[type[BaseModel]]:
    """The models that stand there themselves, not in a list below."""
    if isinstance(found, type) and issubclass(found, BaseModel):
        yield found
    elif get_origin(found) not in (tuple, list, dict, Mapping):
        for part in get_args(found):
            yield from _models(part)
