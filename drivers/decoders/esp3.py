"""EnOcean: switches and push buttons, as a radio module tells of them in ESP3 packets.

The payload is the packet's type and its data. A radio telegram (type 1) holds a RORG, its content, the sender's id
and a status byte. Of RPS telegrams (RORG F6) those with NU set are presses: the energy bow is pressed, the three bits
above it say which button, and with the lowest bit set another one is pressed too. Numbers: 1 A-I, 2 A-0, 3 B-I, 4 B-0,
and so on to 8, D-0; the single key of a push button (F6-01-01) is 1. Which sensor a 1BS or 4BS telegram is of cannot
be told from it, so it says only that its sender was heard.

Sources: EnOcean Serial Protocol 3 and Equipment Profiles 2.6 (F6-01, F6-02, F6-03), as kipe/enocean's EEP.xml has them.
"""

from drivers.base import Edge, Occurrence, OccurrenceKind, Said
from drivers.decoders.walk import Walk, walked
from drivers.framing.esp3 import RADIO_ERP1

RPS = 0xF6
SECURE = (0x30, 0x31)
"""Encrypted telegrams, with and without the RORG inside."""
PRESSED, ANOTHER = 0x10, 0x01
NU = 0x10
"""In the status: this telegram says of which button it is."""
AROUND = 6
"""The RORG, the sender and the status stand around the content."""


def _read(walk: Walk) -> Said:
    if walk.number("packet type", 1) != RADIO_ERP1:
        if walk.left:
            walk.rest("data")
        return Said()
    rorg = walk.number("RORG", 1)
    if rorg in SECURE:
        raise walk.bad("encrypted")
    if walk.left < AROUND - 1:
        raise walk.bad("too_short")
    content = walk.take("content", walk.left - AROUND + 1)
    sender, status = walk.take("sender", 4).hex(), walk.number("status", 1)
    pressed = _pressed(content[0]) if rorg == RPS and len(content) == 1 and status & NU else ()
    if pressed:
        walk.means(f"pressed {', '.join(map(str, pressed))}")
    presses = (Occurrence(OccurrenceKind.BUTTON, Edge(None), button=number) for number in pressed)
    return Said(tuple(presses), address=sender)


def _pressed(content: int) -> tuple[int, ...]:
    """The numbers of the buttons that are down; none when they are let go."""
    if not content & PRESSED:
        return ()
    first, second = (content >> 5) + 1, (content >> 1 & 7) + 1
    return (first, second) if content & ANOTHER else (first,)


DECODER = walked(_read)
