"""Durations, sizes, names and addresses: what is read as it is written, and what is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from gateway.written import Adapter, Broker, Bytes, FilePath, Milliseconds, Name, Port, TopicPrefix


def written(kind: Any, value: object) -> object:
    """What a value comes to; "refused" where it is none."""
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return "refused"


@pytest.mark.parametrize(
    ("value", "wanted"),
    [("200ms", 200), ("10s", 10_000), ("5min", 300_000), ("24h", 86_400_000), ("7d", 604_800_000), ("1.5 s", 1_500)]
    + [(2, 2_000), (0.25, 250)]
    + [(wrong, "refused") for wrong in ("", "s", "10", "-1s", "1e3s", "10 sec", "1S", True, None, [1])],
)
def test_a_duration_has_a_unit_and_a_bare_number_is_seconds(value: object, wanted: object) -> None:
    assert written(Milliseconds, value) == wanted


@pytest.mark.parametrize(
    ("value", "wanted"),
    [("12B", 12), ("128KiB", 131_072), ("512 MiB", 536_870_912), ("2GiB", 2_147_483_648), (1024, 1024)]
    + [(wrong, "refused") for wrong in ("1KB", "1.5MiB", "MiB", 1.5, True, None, "-1B")],
)
def test_a_size_counts_in_binary_units(value: object, wanted: object) -> None:
    assert written(Bytes, value) == wanted


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Name, ["a", "xinhua-03", "x" * 40], ["", "A", "x" * 41, "a/b", "a+", "a\n", "王"]),
        (FilePath, ["a", "/a b/c", "../d"], ["", "a\0b"]),
        (Adapter, ["hci0", "hci12"], ["", "hci", "wlan0", "hci0 ", "0"]),
        (TopicPrefix, ["398/v1", "a", "a b/c"], ["", "/a", "a/", "a//b", "a/+", "#", "$SYS/a", "a\0b"]),
        (Port, ["/dev/a", "socket://h:1"], ["COM3", "dev/a", "socket://h", "socket://h:1/x", "socket://:1"]),
        (
            Broker,
            ["mqtt://h", "mqtts://h:1", "mqtt://[::1]:1883", "mqtt://h:65535"],
            ["h", "http://h", "mqtt://", "mqtt://h:0", "mqtt://h:65536", "mqtt://h/x", "mqtt://u:p@h", "mqtt://h?x"],
        ),
    ],
)
def test_names_topics_ports_and_brokers_are_as_they_must_be(kind: Any, good: list[str], bad: list[str]) -> None:
    assert [str(written(kind, value)) for value in good] == good
    assert {value: written(kind, value) for value in bad} == dict.fromkeys(bad, "refused")


@given(st.integers(0, 10**9), st.sampled_from(["ms", "s", "min", "h", "d"]))
def test_whole_durations_are_exact(count: int, unit: str) -> None:
    sizes = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
    assert written(Milliseconds, f"{count}{unit}") == count * sizes[unit]
