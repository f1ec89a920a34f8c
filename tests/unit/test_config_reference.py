"""config/README.md and the shipped files say of every key what the models say, and name no key that there is not."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import pytest
import yaml
from pydantic import TypeAdapter

from drivers.marked import Refused, read
from drivers.validated import validated
from gateway.config import Config
from gateway.roster import RosterFile
from gateway.sections import Section
from gateway.setup import load_all
from tests.support.keys import dotted, keys, problems, sections, written

SHIPPED = Path(__file__).parents[2] / "config"
README = (SHIPPED / "README.md").read_text(encoding="utf-8")
FILES: dict[str, type[Section]] = {"gateway.yaml": Config, "devices.yaml": RosterFile}
KEYS = {(file, dotted(where)): (where, field) for file, model in FILES.items() for where, field in keys(model)}
SECTIONS = {named for named, (_, field) in KEYS.items() if any(sections(field.annotation))}
NAMED_BY_HAND = {"devices.buttons", "local_alert.actions.command.environment"}
"""Keys below which the technician's own names stand."""
WRONG: list[Any] = [None, -1, 10**12, 0.5, "Ä"]


@dataclass(frozen=True)
class Row:
    meaning: str
    written: str
    default: str
    example: str


def chapters() -> Iterator[tuple[str, list[str], str]]:
    """Each heading of the reference: the file it is about, the sections it names, and what stands below it."""
    file = ""
    for level, heading, text in re.findall(r"^(#+) (.*)\n((?:(?!#).*\n)*)", README, re.MULTILINE):
        if level == "#":
            file = heading
        if file in FILES:
            yield file, re.findall(r"`([^`]+)`", heading) or [""], f"{heading}\n{text}"


def rows() -> Iterator[tuple[tuple[str, str], Row]]:
    for file, named, text in chapters():
        for cells in re.findall(r"^\| `(\w+)` \|(.*)\|$", text, re.MULTILINE):
            row = Row(*(cell.strip() for cell in cells[1].split(" | ")))
            yield from (((file, f"{above}.{cells[0]}".lstrip(".")), row) for above in named)


def code(cell: str) -> Any:
    """The value that a cell shows."""
    found = re.fullmatch(r"`(.*)`", cell)
    assert found, cell
    return yaml.safe_load(found[1])


def taken(named: tuple[str, str], value: object) -> object:
    """What the model makes of a value at that key."""
    _, field = KEYS[named]
    return TypeAdapter(Annotated[field.annotation, field]).validate_python(value)


REFERENCE = dict(rows())
every_row = pytest.mark.parametrize("named", sorted(REFERENCE.keys() & KEYS.keys()), ids=":".join)


def test_the_reference_has_every_key_and_no_other() -> None:
    named = {(file, name) for file, names, _ in chapters() for name in names if name}
    assert (REFERENCE.keys() | named) - KEYS.keys() == set()
    assert KEYS.keys() - REFERENCE.keys() - named == set()
    assert named == SECTIONS


def test_no_key_has_two_rows() -> None:
    assert len(list(rows())) == len(REFERENCE)


@every_row
def test_the_stated_default_is_the_default(named: tuple[str, str]) -> None:
    field, stated = KEYS[named][1], REFERENCE[named].default
    assert (stated == "required") == field.is_required()
    if not field.is_required():
        default = field.get_default(call_default_factory=True)
        assert (stated == "none") == (default is None)
        assert stated == "none" or taken(named, code(stated)) == default


@every_row
def test_the_stated_example_is_taken(named: tuple[str, str]) -> None:
    taken(named, code(REFERENCE[named].example))
    assert REFERENCE[named].meaning


@every_row
def test_the_stated_bounds_are_those_that_a_wrong_value_is_told(named: tuple[str, str], tmp_path: Path) -> None:
    where, _ = KEYS[named]
    cures = [each.cure for wrong in WRONG for each in problems(tmp_path, written(where, wrong), FILES[named[0]])]
    bounds = r"(?<!\w)\d+\w* to \d+\w*|\d+\w* or more"
    told = {found for cure in cures for found in re.findall(bounds, cure)}
    assert set(re.findall(bounds, REFERENCE[named].written)) == told - {"1 to 40"}  # names have bounds of their own


def test_a_section_that_must_be_there_is_said_to_be_required() -> None:
    said = {(file, name) for file, names, text in chapters() for name in names if "(required)" in text.split("\n")[0]}
    assert said == {named for named in SECTIONS - REFERENCE.keys() if KEYS[named][1].is_required()}  # a row says it too


def test_the_example_of_a_wrong_file_is_told_just_that(tmp_path: Path) -> None:
    wrong, told = re.search(r"```yaml\n(.*?)```.*?```\n(.*?)```", README, re.DOTALL).groups()  # type: ignore[union-attr]
    (tmp_path / "gateway.yaml").write_text(wrong)
    (tmp_path / "devices.yaml").write_text("")
    with pytest.raises(Refused) as refused:
        load_all(tmp_path / "gateway.yaml")
    assert str(refused.value).replace(f"{tmp_path}/", "") == told.rstrip("\n")


# The shipped files


def in_force(folder: Path) -> Any:
    """gateway.yaml with every key in force: what looks like a key or an entry of a list loses its `# `."""
    text = (SHIPPED / "gateway.yaml").read_text(encoding="utf-8")
    (folder / "gateway.yaml").write_text(re.sub(r"^( *)# (?= *([a-z_]+:|- ))", r"\1", text, flags=re.MULTILINE))
    document = read(folder / "gateway.yaml")
    validated(document, Config)
    return document.value


def stated(value: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Every key of a file by its dotted name."""
    for name, inner in value.items() if isinstance(value, dict) else ():
        here = f"{above}.{name}".lstrip(".")
        yield here, inner
        if here in NAMED_BY_HAND:
            continue
        for entry in inner if isinstance(inner, list) else [inner]:
            yield from stated(entry, here)


def test_the_shipped_files_show_every_key(tmp_path: Path) -> None:
    named = ("fleet_key", "keys", "mqtt.password", "influx.token")
    secrets = {("gateway.yaml", f"{secret}.file") for secret in named}  # or a credential
    shown = {("gateway.yaml", name) for name, _ in stated(in_force(tmp_path))}
    shown |= {("devices.yaml", name) for name, _ in stated(read(SHIPPED / "devices.yaml").value)}
    assert shown == KEYS.keys() - secrets
    assert "or {file: PATH}" in (SHIPPED / "gateway.yaml").read_text(encoding="utf-8")


def test_what_is_commented_out_in_the_shipped_file_is_the_default(tmp_path: Path) -> None:
    set_already = {name for name, _ in stated(read(SHIPPED / "gateway.yaml").value)}
    shown = {name: value for name, value in stated(in_force(tmp_path)) if name not in set_already}
    defaults = {name: KEYS["gateway.yaml", name][1].default for name in shown}
    compared = {name for name in shown if isinstance(defaults[name], int | str | Enum | Path)}
    assert len(compared) > 20
    assert {name: taken(("gateway.yaml", name), shown[name]) for name in compared} == {n: defaults[n] for n in compared}
