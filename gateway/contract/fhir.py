"""From a telemetry message to FHIR R4 Observations. fhir.md says what becomes of what, and why.

    mosquitto_sub … -t '398/v1/+/telemetry' | python fhir.py https://platform.example

One message a line in, one Observation a line out. Needs Python 3.11, and nothing of the gateway.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

LOINC, MDC, UCUM = "http://loinc.org", "urn:iso:std:iso:11073:10101", "http://unitsofmeasure.org"
PROFILE = "http://hl7.org/fhir/StructureDefinition/"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
PANEL = "blood_pressure"

Json = dict[str, Any]
CODES: dict[str, list[tuple[str, str, str]]] = {
    "heart_rate": [(LOINC, "8867-4", "Heart rate"), (MDC, "149546", "MDC_PULS_RATE_NON_INV")],
    "spo2": [
        (LOINC, "2708-6", "Oxygen saturation in Arterial blood"),
        (LOINC, "59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"),
        (MDC, "150456", "MDC_PULS_OXIM_SAT_O2"),
    ],
    "body_temperature": [(LOINC, "8310-5", "Body temperature"), (MDC, "150364", "MDC_TEMP_BODY")],
    "skin_temperature": [(LOINC, "39106-0", "Temperature of Skin"), (MDC, "150388", "MDC_TEMP_SKIN")],
    PANEL: [
        (LOINC, "85354-9", "Blood pressure panel with all children optional"),
        (MDC, "150020", "MDC_PRESS_BLD_NONINV"),
    ],
    "blood_pressure_systolic": [
        (LOINC, "8480-6", "Systolic blood pressure"),
        (MDC, "150021", "MDC_PRESS_BLD_NONINV_SYS"),
    ],
    "blood_pressure_diastolic": [
        (LOINC, "8462-4", "Diastolic blood pressure"),
        (MDC, "150022", "MDC_PRESS_BLD_NONINV_DIA"),
    ],
    "respiratory_rate": [(LOINC, "9279-1", "Respiratory rate"), (MDC, "151562", "MDC_RESP_RATE")],
    "body_weight": [(LOINC, "29463-7", "Body weight"), (MDC, "188736", "MDC_MASS_BODY_ACTUAL")],
    "steps": [(LOINC, "55423-8", "Number of steps in unspecified time Pedometer")],
}
UNITS = {
    "heart_rate": ("beats/minute", "/min"),
    "spo2": ("%", "%"),
    "body_temperature": ("degrees C", "Cel"),
    "skin_temperature": ("degrees C", "Cel"),
    "blood_pressure_systolic": ("mmHg", "mm[Hg]"),
    "blood_pressure_diastolic": ("mmHg", "mm[Hg]"),
    "respiratory_rate": ("breaths/minute", "/min"),
    "body_weight": ("kg", "kg"),
    "steps": ("steps", "1"),
}
"""How people read a unit, and its UCUM code."""
PROFILES = {
    "heart_rate": "heartrate",
    "spo2": "oxygensat",
    "body_temperature": "bodytemp",
    PANEL: "bp",
    "respiratory_rate": "resprate",
    "body_weight": "bodyweight",
}
"""R4's own profiles of vital signs; it has none for the others."""
COMPONENTS = ("blood_pressure_systolic", "blood_pressure_diastolic")


def observations(message: Json, base: str) -> Iterator[Json]:
    """Of every reading what is a wearer's; `base` is the platform's own URL, below which its identifiers are."""
    for index, reading in enumerate(message["data"]["readings"]):
        if is_somebodys(reading):
            for name, value in measured(reading["values"]):
                ident = f"{message['source']}/{message['id']}/{index}/{name}"
                yield observation(name, value, reading, base) | {
                    "identifier": [{"system": f"{base}/reading", "value": ident}],
                    "issued": message["time"],
                }


def is_somebodys(reading: Json) -> bool:
    """Whether it belongs into a record: of a known wearer, who wears it, at a known time, and no trial."""
    known = reading["wearer"] is not None and reading["clock"] != "unsynced"
    return known and not reading.get("test", False) and reading["values"].get("worn", True)


def measured(values: Json) -> Iterator[tuple[str, Json]]:
    """What becomes one Observation each: its name, and its value. Both pressures of a cuff are one panel."""
    for name, value in values.items():
        if name in UNITS and name not in COMPONENTS:
            yield name, {"valueQuantity": quantity(name, value)}
    if any(name in values for name in COMPONENTS):
        yield PANEL, {"component": [component(name, values.get(name)) for name in COMPONENTS]}


def observation(name: str, value: Json, reading: Json, base: str) -> Json:
    profile = {"meta": {"profile": [f"{PROFILE}{PROFILES[name]}"]}} if name in PROFILES else {}
    category = "activity" if name == "steps" else "vital-signs"
    return {
        "resourceType": "Observation",
        **profile,
        "status": "final",
        "category": [{"coding": [{"system": CATEGORY, "code": category}]}],
        "code": concept(name),
        "subject": {"type": "Patient", "identifier": {"system": f"{base}/wearer", "value": reading["wearer"]}},
        "effectiveDateTime": reading["at"],
        "device": {"type": "Device", "identifier": {"system": f"{base}/device", "value": reading["device"]}},
        **value,
    }


def component(name: str, value: float | None) -> Json:
    """R4's profile wants both pressures, or why one is not there."""
    absent = {"dataAbsentReason": {"coding": [{"system": ABSENT, "code": "unknown"}]}}
    return {"code": concept(name)} | (absent if value is None else {"valueQuantity": quantity(name, value)})


def concept(name: str) -> Json:
    return {"coding": [{"system": system, "code": code, "display": shown} for system, code, shown in CODES[name]]}


def quantity(name: str, value: float) -> Json:
    unit, code = UNITS[name]
    return {"value": value, "unit": unit, "system": UCUM, "code": code}


if __name__ == "__main__":
    for line in sys.stdin:
        for found in observations(json.loads(line), sys.argv[1].rstrip("/")):
            print(json.dumps(found, ensure_ascii=False), flush=True)
