"""Fields without a fixed place: chains, objects, lines and JSON; cut, repeated, hostile."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import BadFrame, Measurement
from drivers.profile.layout import Layout
from drivers.profile.model import LayoutShape

HEART_RATE = {
    "fields": {
        "wide": {"at": 0, "bit": 0},
        "energetic": {"at": 0, "bit": 3},
        "rate": {"after": "wide", "metric": "heart_rate", "when": {"field": "wide", "equals": 0}},
        "wide_rate": {"after": "rate", "type": "u16", "metric": "heart_rate", "when": {"field": "wide", "equals": 1}},
        "energy": {"after": "wide_rate", "type": "u16", "when": {"field": "energetic", "equals": 1}},
        "name": {"after": "energy", "type": "text", "length": "u8"},
        "battery": {"after": "name", "metric": "battery_level"},
    }
}
SKIPPING = {
    "fields": {
        "battery": {"object": 1, "metric": "battery_level"},
        "x": {"object": 3, "at": 1, "type": "i16", "order": "big", "metric": "acceleration_x"},
        "tail": {"object": 4, "type": "bytes"},
    },
    "objects": {"at": 1, "length": "u8", "unknown": "skip"},
}
SIZED = {
    "fields": {
        "battery": {"object": 1, "metric": "battery_level"},
        "steps": {"object": 2, "type": "u24", "metric": "steps"},
    },
    "objects": {"id": "u8", "length": "none", "sizes": {"0x10": 2}},
}
LINE = {
    "pattern": r"ID=(?P<id>[0-9a-f]+)(?:,T=(?P<tenths>-?\d+))?",
    "fields": {
        "id": {"group": "id"},
        "t": {"group": "tenths", "type": "decimal", "scale": 0.1, "metric": "ambient_temperature"},
    },
}
JSON = {
    "when": {"field": "model", "equals": "Pendant"},
    "fields": {
        "model": {"path": "model"},
        "t": {"path": "values.1", "type": "decimal", "metric": "ambient_temperature"},
    },
}


def layout(shape: dict[str, Any]) -> Layout:
    return Layout(LayoutShape.model_validate(shape), "little")


def read(shape: dict[str, Any], payload: bytes) -> dict[str, Any] | None:
    """Values by metric; None where the payload is not of this layout."""
    it = layout(shape)
    cells = it.cells(payload)
    if cells is None:
        return None
    return {each.metric.value: each.value for each in it.said(cells).readings if isinstance(each, Measurement)}


@pytest.mark.parametrize(
    ("payload", "wanted"),
    [
        ("00 48 00 5a", {"heart_rate": 72, "battery_level": 90}),
        ("01 4801 02 6162 5a", {"heart_rate": 328, "battery_level": 90}),
        ("09 4800 ffff 00 5a", {"heart_rate": 72, "battery_level": 90}),
        ("08 48 ffff 01 61 5a 00 00", {"heart_rate": 72, "battery_level": 90}),
    ],
)
def test_a_chain_goes_on_behind_what_is_there(payload: str, wanted: dict[str, Any]) -> None:
    assert read(HEART_RATE, bytes.fromhex(payload)) == wanted


@pytest.mark.parametrize("size", range(8))
def test_a_chain_that_is_cut_short_is_refused(size: int) -> None:
    whole = bytes.fromhex("09 4800 ffff 01 61 5a")
    with pytest.raises(BadFrame, match="too_short"):
        read(HEART_RATE, whole[:size])


@pytest.mark.parametrize(
    ("payload", "wanted"),
    [
        ("00", {}),
        ("00 01015a", {"battery_level": 90}),
        ("00 7702ffff 01015a", {"battery_level": 90}),
        ("00 01015a 010105", {"battery_level": 90}),
        ("00 0303000064", {"acceleration_x": 100}),
        ("00 030200ff 01015a", {"battery_level": 90}),
    ],
)
def test_objects_are_found_by_their_id_and_passed_over_by_their_length(payload: str, wanted: dict[str, Any]) -> None:
    assert read(SKIPPING, bytes.fromhex(payload)) == wanted


@pytest.mark.parametrize("payload", ["00 01", "00 0102 5a", "00 7709ff"])
def test_an_object_that_is_cut_short_is_refused(payload: str) -> None:
    with pytest.raises(BadFrame, match="too_short"):
        read(SKIPPING, bytes.fromhex(payload))


@pytest.mark.parametrize(
    ("payload", "wanted"),
    [
        ("01 5a 02 010000", {"battery_level": 90, "steps": 1}),
        ("10 ffff 01 5a", {"battery_level": 90}),
        ("01 5a 99 02 010000", {"battery_level": 90}),
    ],
)
def test_without_lengths_nothing_behind_an_unknown_id_is_believed(payload: str, wanted: dict[str, Any]) -> None:
    assert read(SIZED, bytes.fromhex(payload)) == wanted


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("ID=0a", {}),
        ("ID=0a,T=-215", {"ambient_temperature": -21.5}),
        ("ID=0a,T=", None),
        (" ID=0a", None),
        ("ID=0a\0", None),
    ],
)
def test_a_line_is_read_where_the_whole_of_it_fits(line: str, wanted: dict[str, Any] | None) -> None:
    assert read(LINE, line.encode()) == wanted


def test_a_pattern_that_would_hang_a_backtracking_engine_is_answered_at_once() -> None:
    evil = {"pattern": r"(?P<a>(a|aa)+)+b", "fields": {"a": {"group": "a"}}}
    assert read(evil, b"a" * 4096) is None


@pytest.mark.parametrize(
    ("document", "wanted"),
    [
        ({"model": "Pendant", "values": [1, 21.5]}, {"ambient_temperature": 21.5}),
        ({"model": "Pendant", "values": [1]}, {}),
        ({"model": "Pendant", "values": {"1": 3}}, {"ambient_temperature": 3}),
        ({"model": "Pendant", "values": [1, None]}, {}),
        ({"model": "Pendant", "values": [1, [2]]}, {}),
        ({"model": "Doorbell"}, None),
        ({}, None),
        ([1, 2], None),
        ("text", None),
    ],
)
def test_json_is_read_by_its_paths(document: object, wanted: dict[str, Any] | None) -> None:
    assert read(JSON, json.dumps(document).encode()) == wanted


def test_null_in_json_is_a_value_that_the_device_does_not_have() -> None:
    it = layout(JSON)
    cells = it.cells(b'{"model": "Pendant", "values": [1, null]}')
    assert cells is not None
    assert it.said(cells).absent == ("t",)


@pytest.mark.parametrize("line", [b"", b"{", b"[" * 100_000, b'{"model": "Pend', b"\xff\xfe", b'"\xff"', b"1" * 4000])
def test_what_is_no_json_is_not_of_this_layout(line: bytes) -> None:
    assert read(JSON, line) is None


@given(st.sampled_from([HEART_RATE, SKIPPING, SIZED, LINE, JSON]), st.binary(max_size=60))
def test_any_bytes_are_read_passed_over_or_refused(shape: dict[str, Any], payload: bytes) -> None:
    assert refusal(shape, payload) in {None, "too_short"}


def refusal(shape: dict[str, Any], payload: bytes) -> str | None:
    try:
        read(shape, payload)
    except BadFrame as refused:
        return refused.reason
    return None


def test_a_layout_is_chosen_by_size_and_by_a_value() -> None:
    sized = {"size": 2, "when": {"field": "kind", "equals": 1}, "fields": {"kind": {"at": 0}}}
    assert [read(sized, bytes.fromhex(each)) for each in ("0100", "0200", "01", "010000")] == [{}, None, None, None]
