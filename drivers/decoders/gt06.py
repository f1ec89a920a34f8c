"""GT06 and the trackers of its family (Concox, Jimi): login, heartbeat and alarms.

The payload is the id of the device that logged in on this line (8 bytes, zeros before it did), then a packet without
its start, length, checksum and end: type, content, serial number. What an alarm is of stands in a code, and in older
devices in three bits of the terminal information as well; both are told as a `button` with the code as its number, for
a code's meaning differs from model to model: the profile says which is what. Codes that concern a vehicle, its power,
its place or its motion say nothing of a person, and are passed over.

Layouts: Concox JM-VL03 1.1.2 (fcode09/jimi-vl103m, docs) and JM-LL301 1.0 (tracklogin.info-trax.com), GT06 1.8.1;
where those do not reach, traccar's Gt06ProtocolDecoder and the frames of its tests, as marked below.
"""

from typing import NamedTuple

from msgspec.structs import replace

from drivers.base import Address, Edge, Metric, Occurrence, OccurrenceKind, Said
from drivers.checksum import CHECKSUMS
from drivers.decoders.findings import Findings
from drivers.decoders.walk import Walk, walked
from drivers.framing import Check, Counts, LengthFraming, Tail

WIRE = LengthFraming(
    start=b"\x78\x78",
    length_at=2,
    length_size=1,
    length_order="big",
    counts=Counts.BODY_AND_CHECKSUM,
    tail=Tail(Check(CHECKSUMS["CRC-16/IBM-SDLC"], 2), b"\r\n"),
    longest=15,
)
ID = 8
LOGIN, HEARTBEAT = 0x01, 0x13
ALARMS = (0x16, 0x19, 0x26, 0x27, 0xA4, 0xA5)


class Layout(NamedTuple):
    """Where in an alarm packet its terminal information and its code stand, counted from the type."""

    information: int
    code: int | None


LAYOUTS = {
    (0x16, 35): Layout(28, 31),
    (0x26, 35): Layout(28, 31),
    (0x26, 39): Layout(28, 31),  # with the mileage
    (0x27, 36): Layout(28, 31),  # with the fence's number
    (0xA4, 43): Layout(35, 38),  # 4G: a cell's id takes 8 bytes
    (0xA4, 44): Layout(36, 39),  # and the network code 2
    (0x16, 36): Layout(29, 32),  # traccar, "SEEWORLD": a cell's id takes 4 bytes
    (0x16, 34): Layout(27, None),  # traccar, "VXT01": only the terminal information says what it is
    (0x19, 16): Layout(9, 12),  # traccar, frames of low battery: no position
    (0xA5, 23): Layout(16, 19),  # traccar, frames of tampering: the same in 4G
}
"""By type, and size from the type to the serial number."""
TIMED = (0x16, 0x26, 0x27, 0xA4)
TIME = 6
CHARGING, SAYS = 0x04, 0x38
FROM_INFORMATION = {0x20: 0x01, 0x18: 0x0E}
"""Bits 3 to 5 of the terminal information as alarm codes: SOS and low battery."""
VEHICLE = frozenset({0x00, *range(0x02, 0x07), *range(0x09, 0x0E), *range(0x10, 0x13), 0x16, 0x17, 0x20, 0xFE, 0xFF})
"""Normal, power cut, vibration, fences, speed, tow, blind spots, switched on and off, first fix, SIM, aeroplane mode,
sound, false base stations, sleep, ignition."""
DRIVING = frozenset(range(0x26, 0x31))


def _read(walk: Walk) -> Said:
    address = _address(walk.take("device", ID))
    size = walk.left
    kind = walk.number("type", 1)
    found = Findings()
    if kind in ALARMS:
        _alarm(walk, found, kind, size)
    elif kind == HEARTBEAT:
        _information(walk, found)
    if walk.left < 2:
        raise walk.bad("too_short")
    walk.take("content", walk.left - 2)
    serial = walk.take("serial number", 2)
    said = found.said(address=address)
    if kind not in {LOGIN, HEARTBEAT, *ALARMS}:
        return said
    return replace(said, reply=WIRE.wrap(bytes([kind]) + serial))


def _address(device: bytes) -> Address:
    """An IMEI, which has 15 digits in BCD."""
    return device.hex()[1:]


def _alarm(walk: Walk, found: Findings, kind: int, size: int) -> None:
    layout = LAYOUTS.get((kind, size))
    if layout is None:
        raise walk.bad("layout")
    passed = 1
    key = 0
    if kind in TIMED:
        key = walk.number("time", TIME)
        passed += TIME
    walk.take("place", layout.information - passed)
    codes = [FROM_INFORMATION.get(_information(walk, found) & SAYS, 0)]
    if layout.code is not None:
        walk.take("voltage and signal", layout.code - layout.information - 1)
        codes.insert(0, walk.number("alarm", 1))
    for code in dict.fromkeys(codes):
        if code not in VEHICLE | DRIVING:
            found.happened(Occurrence(OccurrenceKind.BUTTON, Edge(key or None), button=code))


def _information(walk: Walk, found: Findings) -> int:
    information = walk.number("terminal information", 1)
    charging = bool(information & CHARGING)
    walk.means("charging" if charging else "not charging")
    found.add(Metric.CHARGING, charging)
    return information


DECODER = walked(_read)
