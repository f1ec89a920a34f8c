"""YAML with the place of everything in it, and every problem at once.

Plain scalars are narrower than YAML 1.1's: only `true`/`false` are booleans, only decimal and 0x digits are
integers, only what has a point is another number. So `no`, `11:22:33` and `00012e03` stay the text that the
technician wrote.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]  # the stubs leave it out
from yaml.events import CollectionEndEvent, CollectionStartEvent, Event
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.resolver import BaseResolver

Where = tuple[str | int, ...]
DEPTH_MAX = 40


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong, where it is, and what would be right."""

    mark: Mark
    what: str
    cure: str

    def __str__(self) -> str:
        return f"{self.mark}: {self.what}; {self.cure}"


class Refused(Exception):
    """A file, or several, cannot be used; `problems` holds everything that is wrong with them."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class Document:
    """A file's plain value (dicts, lists, scalars), and the mark of each part of it."""

    def __init__(self, path: Path, value: Any, root: Node | None) -> None:
        self.path = path
        self.value = value
        self._root = root

    def mark(self, where: Where) -> Mark:
        """Where the value stands; of a value that is not there, where its nearest parent stands."""
        node = self._root
        for step in where:
            _, inner = _child(node, step)
            if inner is None:
                break
            node = inner
        return _mark(self.path, node)

    def key_mark(self, where: Where) -> Mark:
        """Where the key itself stands, for what is wrong with the key; in a list, where the entry stands."""
        node = self._root
        for step in where[:-1]:
            _, node = _child(node, step)
        key, _ = _child(node, where[-1]) if where else (None, None)
        return _mark(self.path, key) if key is not None else self.mark(where)


class _Resolver(BaseResolver):
    pass


for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", ["n", "~", ""]),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?[0-9]+\.[0-9]*(?:[eE][-+]?[0-9]+)?", "-+0123456789"),
):
    _Resolver.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


class _Parser(CParser, _Resolver):
    def __init__(self, text: str) -> None:
        CParser.__init__(self, text)
        _Resolver.__init__(self)


def read(path: Path) -> Document:
    """Read a file. Refused: absent, unreadable, not UTF-8, not YAML, or with duplicate keys or tags (all of them)."""
    text = _text(path)
    parser = _Parser(text)
    try:
        _hold_depth(path, text)
        root = parser.get_single_node()
    except yaml.MarkedYAMLError as error:
        raise Refused((_syntax(path, text, error),)) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise _refused(path, f"not YAML ({error})", "see where the text stops being YAML") from error
    finally:
        parser.dispose()
    problems: list[Problem] = []
    value = _value(path, root, problems, 0) if root is not None else None
    if problems:
        raise Refused(tuple(problems))
    return Document(path, value, root)


def _text(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except IsADirectoryError as error:
        raise _refused(path, "this is a folder, not a file", "name the file in it") from error
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _refused(path, "there is no such file", "create it, or correct the path") from error
    except OSError as error:
        raise _refused(path, f"cannot be read ({error.strerror})", "make it readable for this user") from error
    except UnicodeDecodeError as error:
        *above, line = error.object[: error.start].decode("utf-8").split("\n")
        place = Mark(str(path), len(above) + 1, len(line) + 1)
        what = f"not UTF-8 (a byte 0x{error.object[error.start]:02x})"
        raise Refused((Problem(place, what, "save the file as UTF-8"),)) from error
    return text


def _syntax(path: Path, text: str, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    place = Mark(str(path), mark.line + 1, mark.column + 1) if mark else Mark(str(path), 1, 1)
    line = "".join(text.split("\n")[place.line - 1 : place.line])
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return Problem(place, "a tab indents this line", "indent with spaces")
    what = ", ".join(part for part in (error.context, error.problem) if part)
    return Problem(place, f"not YAML: {what}", "look at this line and the one above: indentation, colons, quotes")


def _hold_depth(path: Path, text: str) -> None:
    """Refuse nesting before it is composed: the composer in C descends on the process's stack and would end it."""
    parser, depth = _Parser(text), 0
    try:
        while (event := parser.get_event()) is not None:
            depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
            if depth > DEPTH_MAX + 1:
                raise Refused((_too_deep(path, event),))
    finally:
        parser.dispose()


def _too_deep(path: Path, where: Node | Event) -> Problem:
    return Problem(_mark(path, where), "nested too deeply", f"at most {DEPTH_MAX} levels are read")


def _value(path: Path, node: Node, problems: list[Problem], depth: int) -> Any:
    if depth > DEPTH_MAX:
        problems.append(_too_deep(path, node))  # an alias of what it stands in
        return None
    match node:
        case MappingNode():
            return _mapping(path, node, problems, depth)
        case SequenceNode():
            return [_value(path, inner, problems, depth + 1) for inner in node.value]
        case _:
            return _scalar(path, node, problems)


def _mapping(path: Path, node: MappingNode, problems: list[Problem], depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for key, inner in node.value:
        if not isinstance(key, ScalarNode):
            problems.append(Problem(_mark(path, key), "a key must be a word", "write it as plain text"))
            continue
        name: str = key.value
        if name in lines:
            what = f"the key {name!r} stands here again; it stands in line {lines[name]} already"
            problems.append(Problem(_mark(path, key), what, "keep one of them"))
            continue
        lines[name] = key.start_mark.line + 1
        value[name] = _value(path, inner, problems, depth + 1)
    return value


def _scalar(path: Path, node: Node, problems: list[Problem]) -> Any:
    kind, text = node.tag.rsplit(":", 1)[-1], node.value
    match kind:
        case "str":
            return text
        case "null":
            return None
        case "bool" if text in ("true", "false"):
            return text == "true"
        case "int" if len(text) <= 40 and re.fullmatch(r"[-+]?[0-9]+|0x[0-9a-fA-F]+", text):
            return int(text, 0 if "x" in text else 10)
        case "float" if re.fullmatch(r"[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?", text):
            return float(text)
    problems.append(Problem(_mark(path, node), f"{node.tag!r} is not read", "write plain text, numbers, true or false"))
    return None


def _child(node: Node | None, step: str | int) -> tuple[Node | None, Node | None]:
    """The key's and the value's node one step down."""
    match node, step:
        case MappingNode(), str():
            entries: Iterator[tuple[Node, Node]] = iter(node.value)
            return next((entry for entry in entries if entry[0].value == step), (None, None))
        case SequenceNode(), int() if 0 <= step < len(node.value):
            return None, node.value[step]
        case _:
            return None, None


def _mark(path: Path, part: Node | Event | None) -> Mark:
    start = part.start_mark if part is not None else None
    return Mark(str(path), start.line + 1, start.column + 1) if start is not None else Mark(str(path), 1, 1)


def _refused(path: Path, what: str, cure: str) -> Refused:
    return Refused((Problem(Mark(str(path), 1, 1), what, cure),))
