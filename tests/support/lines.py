"""InfluxDB's line protocol, read back by its own rules and not by ours."""

import re
from dataclasses import dataclass

TOKEN = re.compile(r"((?:\\[,= ]|[^,= ])+)=((?:\\[,= ]|[^,= ])+)")


@dataclass(frozen=True)
class Point:
    measurement: str
    tags: dict[str, str]
    fields: dict[str, float | bool | str]
    at_ns: int


def parsed(payload: bytes) -> list[Point]:
    return [_point(line) for line in payload.decode().split("\n")]


def _point(line: str) -> Point:
    series, fields, stamp = re.split(r"(?<!\\) ", line)
    measurement, *tags = re.split(r"(?<!\\),", series)
    values = {name: _field(value) for name, value in map(_pair, fields.split(","))}
    return Point(measurement, dict(map(_pair, tags)), values, int(stamp))


def _pair(text: str) -> tuple[str, str]:
    found = TOKEN.fullmatch(text)
    assert found, text
    return _plain(found[1]), _plain(found[2])


def _plain(text: str) -> str:
    return re.sub(r"\\([,= ])", r"\1", text)


def _field(text: str) -> float | bool | str:
    """A number with an i or a u at its end would be an integer."""
    if text in ("true", "false"):
        return text == "true"
    return text[1:-1] if text.startswith('"') else float(text)
