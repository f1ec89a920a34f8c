"""Every key that a configuration file may hold, from the models that read it; and what is told of a file."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from drivers.marked import Problem, Refused, read
from drivers.validated import validated
from gateway.sections import Section

Where = tuple[str | int, ...]


def keys(section: type[Section], where: Where = ()) -> Iterator[tuple[Where, FieldInfo]]:
    """Each key with the way to it, sections before what they hold; 0 stands for an entry of a list."""
    for name, field in section.model_fields.items():
        yield (*where, name), field
        for inner, listed in sections(field.annotation):
            yield from keys(inner, (*where, name, 0) if listed else (*where, name))


def sections(annotation: Any, *, listed: bool = False) -> Iterator[tuple[type[Section], bool]]:
    """The sections that a key holds, and whether as a list of them."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation, listed
    for part in get_args(annotation):
        yield from sections(part, listed=listed or get_origin(annotation) is tuple)


def dotted(where: Where) -> str:
    """As people say it: an entry of a list has no name of its own."""
    return ".".join(step for step in where if isinstance(step, str))


def written(where: Where, value: Any) -> str:
    """A file in which only this stands."""
    for step in reversed(where):
        value = [value] if step == 0 else {step: value}
    return json.dumps(value)


def problems(folder: Path, text: str, section: type[BaseModel]) -> tuple[Problem, ...]:
    """Everything that is wrong with `file.yaml` of that text."""
    (folder / "file.yaml").write_text(text)
    try:
        validated(read(folder / "file.yaml"), section)
    except Refused as refused:
        return refused.problems
    return ()
