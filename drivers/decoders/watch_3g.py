"""4G watches for the elderly that speak as the SeTracker family does: what stands in brackets, without its length.

`3G*8800000015*LK,50,100,100`: manufacturer, the watch's own id, in some firmware a running number, a type and its
values. Layout: 4P-Touch, "Beesure GPS SeTracker Server Protocol" (4p-touch.com, edition of August 2025); published
frames: traccar, WatchProtocolDecoderTest. An alarm has a type that begins with AL, and the high half of its status
word says of what; several at once are several occurrences. A watch repeats it until it is answered, so the time that
stands in it tells one alarm from the next.
"""

import re

from msgspec.structs import replace

from drivers.base import Edge, Metric, Occurrence, OccurrenceKind, Said
from drivers.decoders.findings import Findings
from drivers.decoders.walk import Walk, walked
from drivers.framing import BracketedFraming

WIRE = BracketedFraming(longest=64)
HEAD = re.compile(rb"\w\w\*\w{1,20}\*")
NUMBERED = re.compile(rb"[0-9A-Fa-f]{4}\*")
NUMBER = re.compile(r"\d{1,6}(\.\d{1,6})?")
STATUS = re.compile(r"[0-9A-Fa-f]{1,8}")
TIME = re.compile(r"\d{12}")
PLACE = ("fix", "latitude", "N or S", "longitude", "E or W", "speed", "course", "altitude", "satellites", "signal")
ALARMS = {
    16: OccurrenceKind.SOS,
    21: OccurrenceKind.FALL,
    20: OccurrenceKind.TAKEN_OFF,
    17: OccurrenceKind.LOW_BATTERY,
    0: OccurrenceKind.LOW_BATTERY,
}
"""Bits of the status word; 0 is the state of which 17 is the alarm. Of bit 22 the sources disagree (a heart rate, a
fall), so like every other bit of the high half it is a button, and its number is the bit's."""
WHEREABOUTS = (1, 2, 18, 19)
"""Bits that say on which side of a fence the watch is: no alert of ours."""
VALUES: dict[str, tuple[Metric | None, ...]] = {
    "heart": (Metric.HEART_RATE,),
    "pulse": (Metric.HEART_RATE,),
    "bphrt": (Metric.BLOOD_PRESSURE_SYSTOLIC, Metric.BLOOD_PRESSURE_DIASTOLIC, Metric.HEART_RATE),
    "blood": (Metric.BLOOD_PRESSURE_SYSTOLIC, Metric.BLOOD_PRESSURE_DIASTOLIC),
    "oxygen": (None, Metric.SPO2),
    "temp": (Metric.BODY_TEMPERATURE,),
    "btemp2": (None, Metric.BODY_TEMPERATURE),
}
"""By type, in lower case; what stands at None says how it was measured."""
INVALID = (0, 1)
"""In place of a value that could not be measured."""


def _read(walk: Walk) -> Said:
    if not walk.follows(HEAD):
        raise walk.bad("malformed")
    head = [walk.text("manufacturer", b"*"), walk.text("device", b"*")]
    device = head[1].lower()
    if walk.follows(NUMBERED):
        head.append(walk.text("running number", b"*"))
    kind, found = walk.text("type", b","), Findings()
    if kind.startswith(("AL", "UD", "WT")):
        _position(walk, found, alarm=kind.startswith("AL"))
    elif kind == "LK":
        _link(walk, found)
    else:
        _values(walk, found, VALUES.get(kind.lower(), ()))
    if walk.left:
        walk.rest("the rest")
    said = found.said(address=device)
    answer = "AL" if kind.startswith("AL") else kind
    return replace(said, reply=WIRE.wrap("*".join([*head, answer]).encode())) if answer in {"AL", "LK"} else said


def _link(walk: Walk, found: Findings) -> None:
    """Some firmware sends nothing else, and some two values of which nobody says what they are."""
    if walk.count(b",") >= 3:
        _number(walk, found, Metric.STEPS)
        walk.text("turns in sleep", b",")
        _number(walk, found, Metric.BATTERY_LEVEL)


def _position(walk: Walk, found: Findings, *, alarm: bool) -> None:
    time = walk.text("date", b",") + walk.text("time", b",")
    for name in PLACE:
        walk.text(name, b",")
    _number(walk, found, Metric.BATTERY_LEVEL)
    _number(walk, found, Metric.STEPS)
    walk.text("turns in sleep", b",")
    status = walk.text("status", b",")
    if not STATUS.fullmatch(status):
        found.unreadable("status")
    if alarm:
        happened = _alarms(int(status, 16) if STATUS.fullmatch(status) else None)
        key = int(time) if TIME.fullmatch(time) else None
        for kind, number in happened:
            found.happened(Occurrence(kind, Edge(key), button=number))
        walk.means(", ".join(kind.value for kind, _ in happened))


def _alarms(status: int | None) -> list[tuple[OccurrenceKind, int | None]]:
    """What an alarm is of. One that does not say so, or not in a way that can be read, is a press all the same."""
    if status is None:
        return [(OccurrenceKind.BUTTON, None)]
    bits = [bit for bit in range(32) if status >> bit & 1]
    known = dict.fromkeys(kind for bit, kind in ALARMS.items() if bit in bits)
    others = [bit for bit in bits if bit >= 16 and bit not in (*ALARMS, *WHEREABOUTS)]
    found = [*((kind, None) for kind in known), *((OccurrenceKind.BUTTON, bit) for bit in others)]
    silent = not found and not any(bit in bits for bit in WHEREABOUTS)
    return [(OccurrenceKind.BUTTON, None)] if silent else found


def _values(walk: Walk, found: Findings, metrics: tuple[Metric | None, ...]) -> None:
    for metric in metrics[: walk.count(b",")]:
        if metric is None:
            walk.text("way of measuring", b",")
        else:
            _number(walk, found, metric, INVALID)


def _number(walk: Walk, found: Findings, metric: Metric, invalid: tuple[int, ...] = ()) -> None:
    text = walk.text(metric.value.replace("_", " "), b",")
    if not NUMBER.fullmatch(text):
        found.unreadable(metric.value)
    else:
        found.add(metric, None if float(text) in invalid else float(text))


DECODER = walked(_read)
