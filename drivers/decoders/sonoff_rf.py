"""433 MHz remotes and pendants, as the radio chip of a Sonoff RF bridge tells of them.

The payload is a command and its content. What was heard comes as A4 with three times and a code of 24 bits, or, from
the firmware that knows other protocols, as A6 with the protocol's number and its code. Nothing in the frame says how
a code divides into a sender and its keys: an EV1527 has 20 and 4 bits, a PT2262 16 and 8. So the whole code is the
address, and each key of a remote is a device of its own in the roster.

Sources: github.com/Portisch/RF-Bridge-EFM8BB1, its wiki and src/uart.c. Both ESPHome and ESPurna answer what was
heard with AA A0 55.
"""

from drivers.base import Edge, Occurrence, OccurrenceKind, Said
from drivers.decoders.walk import Walk, walked
from drivers.framing.rf_bridge import ACKNOWLEDGED, HEARD, HEARD_BY_PROTOCOL, RfBridgeFraming

PRESS = Occurrence(OccurrenceKind.BUTTON, Edge(None))
REPLY = RfBridgeFraming(longest=3).wrap(bytes([ACKNOWLEDGED]))
CODE = 3
CODE_MAX = 9
"""Bytes of a code that an address can hold, behind the protocol's number."""


def _read(walk: Walk) -> Said:
    command = walk.number("command", 1)
    if command == HEARD:
        return Said((PRESS,), address=_basic(walk), reply=REPLY)
    if command == HEARD_BY_PROTOCOL:
        return Said((PRESS,), address=_by_protocol(walk), reply=REPLY)
    if walk.left:
        walk.rest("content")
    return Said()


def _basic(walk: Walk) -> str:
    """A pulse for 1 is longer than one for 0, and the pause before a code is longer than both; or it is noise."""
    sync, low, high = (walk.number(name, 2) for name in ("pause", "short pulse", "long pulse"))
    code = walk.take("code", CODE)
    if walk.left or not 0 < low < high < sync:
        raise walk.bad("malformed")
    return code.hex()


def _by_protocol(walk: Walk) -> str:
    size = walk.number("length", 1)
    if walk.left != size or not 1 < size <= CODE_MAX + 1:
        raise walk.bad("malformed")
    return walk.take("protocol", 1).hex() + walk.rest("code").hex()


DECODER = walked(_read)
