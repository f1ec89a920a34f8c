"""gateway/contract/fhir.py: what it makes of readings is what fhir.md shows, in codes of the schema, and sound FHIR."""

import copy
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.observation import Observation
from hypothesis import given
from hypothesis import strategies as st

from gateway.contract import MessageName, fhir, schema
from gateway.contract.fhir import CODES, COMPONENTS, LOINC, MDC, PANEL, PROFILES, UNITS, observations
from tests.support.contract import check

BASE = "https://platform.example"
PAGE = Path(fhir.__file__).with_name("fhir.md").read_text(encoding="utf-8")
MESSAGE, *SHOWN = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))
VALUES = schema(MessageName.TELEMETRY)["$defs"]["values"]["properties"]


def made(**reading: Any) -> list[dict[str, Any]]:
    """Of one reading, changed so."""
    message = copy.deepcopy(MESSAGE)
    message["data"]["readings"] = [message["data"]["readings"][0] | reading]
    return list(observations(message, BASE))


def codes(name: str, system: str) -> list[str]:
    return [code for of, code, _ in CODES[name] if of == system]


def test_the_pages_example_is_a_message_of_the_contract_and_comes_to_what_stands_there() -> None:
    check("398/v1/xinhua-03/telemetry", json.dumps(MESSAGE).encode())
    assert list(observations(MESSAGE, BASE)) == SHOWN


def test_at_a_terminal_it_takes_a_message_a_line(tmp_path: Path) -> None:
    asked = [sys.executable, fhir.__file__, f"{BASE}/"]
    told = subprocess.run(asked, input=json.dumps(MESSAGE) + "\n", capture_output=True, text=True, check=True)
    assert [json.loads(line) for line in told.stdout.splitlines()] == SHOWN


def test_the_pages_table_is_what_is_done() -> None:
    table = PAGE.split("| metric | LOINC", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    assert {row[0].strip("`"): row[1:5] for row in rows} == {
        name: [
            ", ".join(codes(name, LOINC)),
            ", ".join(codes(name, MDC)),
            UNITS.get(name, ("", ""))[1],
            PROFILES.get(name, ""),
        ]
        for name in CODES
    }
    for name, *_, category in rows:
        if name.strip("`") not in COMPONENTS:
            value = {COMPONENTS[0]: 1} if name == f"`{PANEL}`" else {name.strip("`"): 1}
            (found,) = made(values=value)
            assert found["category"][0]["coding"][0]["code"] == category


def test_the_schema_has_the_same_codes_and_units() -> None:
    for name, shape in VALUES.items():
        if name in CODES:
            assert shape["x-loinc"] == codes(name, LOINC)[-1]
            assert [shape[key] for key in ("x-mdc",) if key in shape] == codes(name, MDC)
            assert shape["x-unit"] == UNITS[name][1]
        else:
            assert shape.keys() <= {"type", "x-unit"}
    assert CODES.keys() - VALUES.keys() == {PANEL}


def test_codes_are_of_their_systems_form() -> None:
    for name in CODES:
        for code in codes(name, LOINC):
            number, digit = code.split("-")
            doubled = [int(each) * 2 if place % 2 == 0 else int(each) for place, each in enumerate(reversed(number))]
            assert (10 - sum(each // 10 + each % 10 for each in doubled) % 10) % 10 == int(digit), code
        for code in codes(name, MDC):
            assert int(code) >> 16 == 2, code  # the partition of measured things


@pytest.mark.parametrize(
    "change",
    [
        {"wearer": None},
        {"test": True},
        {"clock": "unsynced"},
        {"values": {"heart_rate": 61, "worn": False}},
        {"values": {"battery_level": 61, "worn": True, "rssi": -60}},
    ],
)
def test_what_is_nobodys_or_no_vital_sign_is_left_out(change: dict[str, Any]) -> None:
    assert len(made()) == 1
    assert made(**change) == []


@pytest.mark.parametrize("there", COMPONENTS)
def test_a_pressure_without_its_other_half_says_so(there: str) -> None:
    (found,) = made(values={there: 120})
    assert Observation.model_validate(found)
    assert [part.get("valueQuantity", {}).get("value") for part in found["component"]] == [
        120 if name == there else None for name in COMPONENTS
    ]
    assert sum("dataAbsentReason" in part for part in found["component"]) == 1


@given(st.dictionaries(st.sampled_from(sorted(VALUES)), st.floats(0, 1e6) | st.integers(0, 10**6)))
def test_whatever_is_measured_is_a_sound_observation_with_a_number_of_its_own(values: dict[str, Any]) -> None:
    found = made(values=values | {"worn": True})
    for each in found:
        sound = Observation.model_validate(each)
        assert json.loads(sound.model_dump_json())["resourceType"] == "Observation"
    assert len({each["identifier"][0]["value"] for each in found}) == len(found)
    told = sum(len(each.get("component", [0])) - str(each).count("'unknown'") for each in found)
    assert told == len(values.keys() & UNITS.keys())
