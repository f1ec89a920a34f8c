"""JT/T 808, the protocol of Chinese positioning terminals: position reports with their alarm word.

The payload is a message without flags, escapes and checksum: id, attributes, in the version of 2019 a version number,
the terminal's number in BCD (6 bytes, in 2019 10), a serial number, the body. A position report (0200) begins with 32
alarm bits; a bundle of them (0704) holds what could not be sent at its time. Bit 0 is the emergency button, and stays
set until the platform has answered; bit 7 is a low supply, and stays set while it is low. So both are levels.

Layout: JT/T 808-2011 and 808-2019, tables 1, 2, 23 and 24, as terminal makers repeat them (AIPorto/GPS-Tracker-SDK,
G10LS_Protocol.md). Without an answer to its registration, authentication and heartbeats a terminal sends no reports.
"""

from typing import NamedTuple

from drivers.base import Address, Level, Occurrence, OccurrenceKind, Said
from drivers.checksum import CHECKSUMS
from drivers.decoders.walk import Walk, walked
from drivers.framing import Check, EscapedFraming

WIRE = EscapedFraming(0x7E, 0x7D, {0x01: 0x7D, 0x02: 0x7E}, Check(CHECKSUMS["xor8"]), longest=120)
HEARTBEAT, REGISTRATION, AUTHENTICATION, POSITION, POSITIONS = 0x0002, 0x0100, 0x0102, 0x0200, 0x0704
ANSWER, REGISTERED = 0x8001, 0x8100
ANSWERED = (HEARTBEAT, AUTHENTICATION, POSITION, POSITIONS)
LENGTH, ENCRYPTED, DIVIDED, VERSIONED = 0x03FF, 0x1C00, 0x2000, 0x4000
"""Bits of the attributes."""
NUMBER, NUMBER_2019 = 6, 10
DIGITS = 12
"""Of a terminal's number; the longer form of 2019 is filled up with zeros."""
DONE = b"\0"
BITS = {0: OccurrenceKind.SOS, 7: OccurrenceKind.LOW_BATTERY}
REPORT = 28
"""Bytes of a report without what its maker adds: alarms, status, place, speed, course, time."""


class Header(NamedTuple):
    """Whose message it is, and what an answer to it must repeat. `version` is empty before 2019."""

    kind: int
    version: bytes
    terminal: bytes
    serial: bytes
    divided: bool
    length: int

    @property
    def address(self) -> Address:
        return self.terminal.hex().lstrip("0").rjust(DIGITS, "0")

    def reply(self) -> bytes | None:
        """What the platform answers; None where the terminal waits for nothing."""
        if self.kind == REGISTRATION:
            return self._reply(REGISTERED, self.serial + DONE + self.address.encode())
        if self.kind in ANSWERED:
            return self._reply(ANSWER, self.serial + self.kind.to_bytes(2, "big") + DONE)
        return None

    def _reply(self, kind: int, body: bytes) -> bytes:
        """In the version that the terminal speaks. The platform's serial number is the terminal's own."""
        attributes = len(body) | (VERSIONED if self.version else 0)
        head = kind.to_bytes(2, "big") + attributes.to_bytes(2, "big") + self.version + self.terminal + self.serial
        return WIRE.wrap(head + body)


def _header(walk: Walk) -> Header:
    kind, attributes = walk.number("message", 2), walk.number("attributes", 2)
    if attributes & ENCRYPTED:
        raise walk.bad("encrypted")
    version = walk.take("version", 1) if attributes & VERSIONED else b""
    terminal, serial = walk.take("terminal", NUMBER_2019 if version else NUMBER), walk.take("serial number", 2)
    divided = bool(attributes & DIVIDED)
    if divided:
        walk.take("number of parts, and which", 4)
    return Header(kind, version, terminal, serial, divided, attributes & LENGTH)


def _read(walk: Walk) -> Said:
    header = _header(walk)
    if walk.left != header.length:  # XOR alone misses an escape that lost its meaning
        raise walk.bad("too_short" if walk.left < header.length else "malformed")
    readings: tuple[Occurrence, ...] = ()
    if header.kind == POSITION and not header.divided:
        readings = _levels(_report(walk, header.length))
    elif header.kind == POSITIONS and not header.divided:
        readings = _levels(_reports(walk))
    if walk.left:
        walk.rest("the rest")
    return Said(readings, address=header.address, reply=header.reply())


def _levels(alarms: int) -> tuple[Occurrence, ...]:
    return tuple(Occurrence(kind, Level(bool(alarms >> bit & 1))) for bit, kind in BITS.items())


def _report(walk: Walk, size: int) -> int:
    """The alarm bits of one report."""
    if size < REPORT:
        raise walk.bad("too_short")
    alarms = walk.number("alarms", 4)
    walk.means(", ".join(kind.value for bit, kind in BITS.items() if alarms >> bit & 1) or "none that is told")
    walk.take("position", size - 4)
    return alarms


def _reports(walk: Walk) -> int:
    """What any of several reports tells."""
    alarms = 0
    count = walk.number("number of reports", 2)
    walk.number("kind of bundle", 1)
    for _ in range(count):
        alarms |= _report(walk, walk.number("length", 2))
    return alarms


DECODER = walked(_read)
