"""A file held against its model: whatever is wrong is told where it stands, with what would be right there."""

import re
from pathlib import Path
from typing import Annotated, Any

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field

from drivers.marked import Problem
from gateway.config import Config
from gateway.roster import RosterFile
from gateway.sections import Section
from tests.support.keys import Where, dotted, keys, problems, written

MINIMAL = "station: xinhua-03\nmqtt:\n  brokers: [mqtts://platform.example]\n"
KEYS = "keys with their values below it, indented"
FITS = "write text that fits ^[neo]$, such as n"
LIST = "a list, each entry after a dash"
PORT = "{port: /dev/serial/by-id/usb-398_receiver_0001-if00-port0, name: lobby}"
BROKER = "mqtts://platform.example:8883"
STATION = "station: xinhua-03  # The station's id: part of every topic."
MQTT_KEYS = (
    "ack_timeout, brokers, keepalive, password, reconnect_max, return_after, "
    "root, session_expiry, tls, username, version"
)
WRONG: list[Any] = [None, True, -1, 10**12, 1.5, "", "Ä", "x" * 90, [], ["Ä"], {}, {"surprise": 1}]


def told(folder: Path, text: str) -> list[str]:
    return [str(problem).removeprefix(f"{folder}/file.yaml:") for problem in problems(folder, text, Config)]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("sreial: []\n", "4:1: unknown key 'sreial'; did you mean 'serial'?"),
        ("serial:\n  - {port: /dev/a, buad: 9600}\n", "5:20: unknown key 'buad'; did you mean 'baud'?"),
        ("log: {colour: red}\n", "4:7: unknown key 'colour'; known here are format, level"),
        ("LOG: {}\n", "4:1: unknown key 'LOG'; did you mean 'log'?"),
        ("  cert: a.pem\n", f"4:3: unknown key 'cert'; known here are {MQTT_KEYS}"),
        ("  tls: {cert: a.pem}\n", "4:9: unknown key 'cert'; did you mean 'certificate'?"),
        ("  tls: {ca_file: a.pem}\n", "4:9: unknown key 'ca_file'; did you mean 'ca'?"),
        ("  port: 1883\n", f"4:3: unknown key 'port'; known here are {MQTT_KEYS}"),
        ("keepalive: 8s\n", "4:1: unknown key 'keepalive'; it belongs below 'mqtt', indented further"),
        ("port: /dev/a\n", "4:1: unknown key 'port'; it belongs below 'metrics' or 'serial', indented further"),
        (
            "zone: a\n",
            "4:1: unknown key 'zone'; it belongs below 'bluetooth' or 'replay' or 'serial', indented further",
        ),
        ("  serial: []\n", "4:3: unknown key 'serial'; it belongs beside 'mqtt', indented less"),
        ("  tls: {username: a}\n", "4:9: unknown key 'username'; it belongs beside 'tls', indented less"),
        ("station: b\n", "4:1: the key 'station' stands here again; it stands in line 1 already; keep one of them"),
        ("telemetry:\n", f"4:11: telemetry: nothing is written here; write {KEYS}, or leave the key out"),
        ("log: info\n", f"4:6: log 'info': of the wrong kind; write {KEYS}"),
        ("serial: {port: /dev/a}\n", f"4:9: serial: of the wrong kind; write {LIST}, such as - {PORT}"),
        ("serial: [/dev/a]\n", f"4:10: serial.0 '/dev/a': of the wrong kind; write {KEYS}, such as {PORT}"),
        ("serial:\n", f"4:8: serial: nothing is written here; write {LIST}, such as - {PORT}, or leave the key out"),
    ],
)
def test_a_slip_of_the_pen_is_told_with_what_was_meant(tmp_path: Path, more: str, sentence: str) -> None:
    assert told(tmp_path, MINIMAL + more) == [sentence]


def test_an_empty_file_says_which_keys_are_missing_and_what_they_are(tmp_path: Path) -> None:
    assert told(tmp_path, "") == [
        f"1:1: the key 'station' is missing; add {STATION}",
        f"1:1: the key 'mqtt' is missing; add mqtt: {{brokers: ['{BROKER}']}}  # The uplink to the 398 platform.",
    ]


@pytest.mark.parametrize("text", ["hello", "[]", "- station: a", "12"])
def test_a_file_of_something_else_is_told_how_it_begins(tmp_path: Path, text: str) -> None:
    assert told(tmp_path, text) == [f"1:1: no keys stand in the file; begin with {STATION}"]


def test_a_text_without_end_is_not_told_back_whole(tmp_path: Path) -> None:
    (told_,) = told(tmp_path, MINIMAL.replace("xinhua-03", "x" * 10_000))
    assert told_.startswith(f"1:10: station '{'x' * 60}'…: not a name; ")


class Port(BaseModel):
    model_config = ConfigDict(extra="forbid")
    speed: int = Field(default=0, ge=0)
    parity: Annotated[str, Field(pattern="^[neo]$", examples=["n"])] = "n"


class Ports(BaseModel):
    ports: dict[str, Port] = Field(min_length=1)
    limits: dict[str, int] | None = None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("ports: {a: {sped: 1}}", "1:13: unknown key 'sped'; did you mean 'speed'?"),
        ("ports: {a: {colour: 1}}", "1:13: unknown key 'colour'; known here are parity, speed"),
        ("ports: {a: {speed: -1}}", "1:20: ports.a.speed -1: too small; write a number, 0 or more, such as 0"),
        ("ports: {a: {parity: x}}", f"1:21: ports.a.parity 'x': not written as it must be; {FITS}"),
        ("ports: {a: []}", f"1:12: ports.a: of the wrong kind; write {KEYS}"),
        ("ports: {}", "1:8: ports: is empty; write at least 1"),
        ("ports: {a: {}}\nlimits: {a: much}", "2:13: limits.a 'much': of the wrong kind; write a whole number"),
    ],
)
def test_keys_that_people_choose_are_followed_to_what_stands_below_them(
    tmp_path: Path, text: str, sentence: str
) -> None:
    (problem,) = problems(tmp_path, text, Ports)
    assert str(problem) == f"{tmp_path}/file.yaml:{sentence}"


def about(where: Where, found: tuple[Problem, ...]) -> list[Problem]:
    """Of what is wrong with a file: what is said of this place."""
    name = re.escape(".".join(map(str, where)))
    return [problem for problem in found if re.match(rf"{name}(\s|:)", problem.what)]


EVERY_KEY = [
    pytest.param(section, where, id=f"{section.__name__}-{dotted(where)}")
    for section in (Config, RosterFile)
    for where, _ in keys(section)
]
PYDANTIC = {"input", "string", "tuple", "dictionary", "validation", "valid"}


@pytest.mark.parametrize(("section", "where"), EVERY_KEY)
def test_what_is_wrong_with_a_key_is_told_in_plain_words(section: type[Section], where: Where, tmp_path: Path) -> None:
    found = [each for wrong in WRONG for each in problems(tmp_path, written(where, wrong), section)]
    assert about(where, tuple(found))
    for problem in found:
        assert not PYDANTIC & set(re.findall(r"\w+", f"{problem.what} {problem.cure}")), problem
        assert re.match(r"(write|use|add|name|did you mean|known here are|it belongs) ", problem.cure), problem


@pytest.mark.parametrize(("section", "where"), EVERY_KEY)
def test_the_example_that_a_cure_gives_is_right(section: type[Section], where: Where, tmp_path: Path) -> None:
    for wrong in WRONG:
        for problem in about(where, problems(tmp_path, written(where, wrong), section)):
            if example := re.search(r", such as (- )?(.*?)(?:, or leave the key out)?$", problem.cure):
                right = yaml.safe_load(example[2])
                given = written(where, [right] if example[1] else right)
                assert about(where, problems(tmp_path, given, section)) == [], problem


REQUIRED = [
    pytest.param(section, where, id=f"{section.__name__}-{dotted(where)}")
    for section in (Config, RosterFile)
    for where, field in keys(section)
    if field.is_required()
]


@pytest.mark.parametrize(("section", "where"), REQUIRED)
def test_a_missing_key_is_shown_as_a_line_that_would_be_right(
    section: type[Section], where: Where, tmp_path: Path
) -> None:
    missing = f"the key {where[-1]!r} is missing"
    (problem,) = (each for each in problems(tmp_path, written(where[:-1], {}), section) if each.what == missing)
    added = written(where[:-1], yaml.safe_load(problem.cure.removeprefix("add ")))
    assert missing not in [each.what for each in problems(tmp_path, added, section)]
    assert about(where, problems(tmp_path, added, section)) == []
