"""Our decoding of the vectors beside that of independent programs; exit 1 where they differ without a known reason."""

import json
import subprocess
import sys
from math import isclose
from pathlib import Path
from typing import NamedTuple

from drivers.base import BadFrame, KeyPress, Measurement, Metric, Occurrence, OccurrenceKind
from drivers.profile.recognition import carriers
from drivers.registry import Profiles
from tests.support import vectors

FOREIGN = Path(__file__).parents[2] / ".venv-independent/bin/python"
ANYBODY = "a4c1388d18b2"
NAMES = {
    Metric.AMBIENT_TEMPERATURE: "temperature",
    Metric.BODY_TEMPERATURE: "temperature",
    Metric.AMBIENT_HUMIDITY: "humidity",
    Metric.AMBIENT_PRESSURE: "pressure",
    Metric.ILLUMINANCE: "illuminance",
    Metric.BODY_WEIGHT: "mass",
    Metric.BATTERY_LEVEL: "battery",
    Metric.BATTERY_VOLTAGE: "voltage",
    Metric.CHARGING: "charging",
    Metric.MOVING: "moving",
    Metric.WORN: "worn",
    Metric.ACCELERATION_X: "acceleration_x",
    Metric.ACCELERATION_Y: "acceleration_y",
    Metric.ACCELERATION_Z: "acceleration_z",
}
"""The quantities that are compared, by the programs' names for them."""
PRESSES = {press: f"{press}_press" for press in KeyPress} | {KeyPress.SINGLE: "press"}
TOLERANCE = {"bthome": 1e-9, "mibeacon": 0.051, "ruuvi-rawv2": 0.0051}
"""Theirs is rounded: to tenths, or to thousandths of G and hundredths of a percent."""
REASONS = {
    (profile, name): reason
    for profile, reason, names in (
        ("bthome", "a tenth of a volt is no battery's step", ["0x4A voltage", "mains and battery, ids out of order"]),
        ("bthome", "Shelly documents 0xFE as hold", ["hold by Shelly's number", "Shelly BLU H&T, its key held"]),
        ("bthome", "a press is never dropped for being unknown", ["a press of a later version"]),
        ("bthome", "they drop it, here it is marked", ["in the open from a device that has a key"]),
        ("bthome", "a battery's level has bounds here", ["a battery of 101 %"]),
        ("mibeacon", "a battery's level has bounds here", ["a battery of 101 %"]),
        ("mibeacon", "so has any number", ["a temperature that is no number", "a temperature beyond all bounds"]),
        ("mibeacon", "they estimate the body's temperature from it", ["MMC-T201, skin and board"]),
        ("mibeacon", "a cube's turn to them, a key's press by the definition", ["XMMF01JQD, its second way to turn"]),
        ("mibeacon", "a dimmer's numbers to them", ["a triple press", "a key let go"]),
        ("mibeacon", "a press is never dropped", ["a press of a later version", "a key object that is too short"]),
        ("mibeacon", "which keys and how is not told here", ["K9B, a wall switch with numbers of its own"]),
        ("mibeacon", "they round down for this product", ["LYWSD03MMC"]),
    )
    for name in names
}
"""Where the two differ on purpose, and why."""


class Frame(NamedTuple):
    profile: str
    name: str
    payload: str
    sender: str
    key: str | None


class Answer(NamedTuple):
    values: dict[str, float]
    presses: list[str]


def frames(profiles: Profiles) -> list[Frame]:
    found = [_frame(name, each) for name in ("bthome", "mibeacon") for listed in vectors.load(name) for each in listed]
    tags = [(each.name, each.manufacturer) for each in profiles["ruuvi-rawv2"].file.golden]
    return found + [Frame("ruuvi-rawv2", name, octets.hex(), ANYBODY, None) for name, octets in tags if octets]


def _frame(profile: str, vector: vectors.Vector) -> Frame:
    sender = vector.get("sender", vector.get("address", ANYBODY))
    return Frame(profile, vector["name"], vectors.payload(vector).hex(), sender, vector.get("key"))


def ours(profiles: Profiles, frame: Frame) -> Answer:
    """What is refused says nothing."""
    profile, key = profiles[frame.profile], bytes.fromhex(frame.key) if frame.key else None
    carrier = carriers(profile.file.bluetooth)[0]
    try:
        said = profile.read(bytes.fromhex(frame.payload)[carrier.skipped :], frame.sender, key)
    except BadFrame:
        said = None
    values, presses = {}, []
    for each in said.readings if said else ():
        if isinstance(each, Measurement) and each.metric in NAMES:
            values[NAMES[each.metric]] = each.value
        if isinstance(each, Occurrence) and each.kind is OccurrenceKind.BUTTON:
            presses.append(PRESSES[each.press] if each.press else "unknown")
    return Answer(values, sorted(presses))


def theirs(asked: list[Frame]) -> list[Answer]:
    lines = "".join(f"{json.dumps(frame._asdict())}\n" for frame in asked)
    program = [FOREIGN, Path(__file__).with_name("foreign.py")]
    told = subprocess.run(program, input=lines, stdout=subprocess.PIPE, text=True, timeout=120, check=True).stdout
    answers = [Answer(**json.loads(line)) for line in told.splitlines()]
    named = frozenset(NAMES.values())
    return [Answer({name: each.values[name] for name in named & each.values.keys()}, each.presses) for each in answers]


def alike(mine: Answer, other: Answer, tolerance: float) -> bool:
    return (
        mine.values.keys() == other.values.keys()
        and mine.presses == other.presses
        and all(isclose(value, other.values[name], rel_tol=0, abs_tol=tolerance) for name, value in mine.values.items())
    )


def main() -> int:
    profiles = Profiles.load()
    asked = frames(profiles)
    unlike = set()
    for frame, other in zip(asked, theirs(asked), strict=True):
        mine, which = ours(profiles, frame), (frame.profile, frame.name)
        if not alike(mine, other, TOLERANCE[frame.profile]):
            unlike.add(which)
            print(f"{frame.profile}, {frame.name}: {REASONS.get(which, 'NO REASON KNOWN')}")
            print(f"  ours   {mine.values} {mine.presses}\n  theirs {other.values} {other.presses}")
    for profile, name in REASONS.keys() - unlike:
        print(f"{profile}, {name}: alike, so it needs no reason")
    print(f"{len(asked)} frames: {len(asked) - len(unlike)} alike, {len(unlike & REASONS.keys())} unlike on purpose")
    return 0 if unlike == REASONS.keys() else 1


if __name__ == "__main__":
    sys.exit(main())
