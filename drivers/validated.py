"""A document held against a typed model: every problem, with its place and what would be right."""

import difflib
from collections.abc import Iterator
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from drivers.marked import Document, Problem, Refused, Where

M = TypeVar("M", bound=BaseModel)

_WANTED = {
    "string_type": "write text",
    "int_type": "write a whole number",
    "int_from_float": "write a whole number",
    "float_type": "write a number",
    "bool_type": "write true or false",
    "tuple_type": "write a list, each entry after a dash",
    "list_type": "write a list, each entry after a dash",
    "dict_type": "write keys and values below it",
    "model_type": "write keys and values below it",
    "path_type": "write a path",
}


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
    name = ".".join(map(str, where)) or "the file"
    kind = fault["type"]
    if kind == "extra_forbidden":
        known = _known(model, where[:-1])
        return Problem(document.key_mark(where), f"unknown key {str(where[-1])!r}", _nearest(str(where[-1]), known))
    if kind == "missing":
        missing = fault["loc"][-1]
        return Problem(document.mark(where), f"the key {missing!r} is missing", f"add {missing}: {_hint(model, fault)}")
    what, cure = _said(fault)
    secret = what.startswith("a secret ")  # never repeated: this goes to the journal
    shown = f" {fault['input']!r}" if isinstance(fault["input"], str | int | float | bool) and not secret else ""
    return Problem(document.mark(where), f"{name}{shown}: {what}", cure)


def _said(fault: Any) -> tuple[str, str]:
    """A model's own refusals are written `what; cure`; pydantic's are brought into that form."""
    kind, context = fault["type"], fault.get("ctx", {})
    if kind in ("value_error", "assertion_error"):
        what, _, cure = str(context.get("error", fault["msg"])).partition("; ")
        return what, cure or "see the reference of keys"
    if kind in ("enum", "literal_error"):
        return "not one of the known words", f"write {context.get('expected')}"
    if kind in _WANTED:
        return "of the wrong kind", _WANTED[kind]
    text = str(fault["msg"])
    return text[:1].lower() + text[1:], "see the reference of keys"


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


def _known(model: type[BaseModel], where: Where) -> list[str]:
    """The keys that may stand at a place, of every model that may stand there."""
    models: list[type[BaseModel]] = [model]
    for step in where:
        if isinstance(step, str):
            fields = [m.model_fields[step] for m in models if step in m.model_fields]
            models = [inner for field in fields for inner in _models(field.annotation)]
    return sorted({name for known in models for name in known.model_fields})


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _nearest(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known here are {', '.join(known)}" if known else "no keys are known here"


def _hint(model: type[BaseModel], fault: Any) -> str:
    """What the field's own description says it wants."""
    *above, missing = fault["loc"]
    models: list[type[BaseModel]] = [model]
    for step in above:
        if isinstance(step, str):
            models = [i for m in models if step in m.model_fields for i in _models(m.model_fields[step].annotation)]
    described = [m.model_fields[missing].description for m in models if missing in m.model_fields]
    return next((text for text in described if text), "…")
