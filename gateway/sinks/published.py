"""What a PUBLISH to us says, read no further than it concerns us. Pure.

paho refuses a whole connection for a property that it does not like, such as a byte order mark in one that nobody asked
for: a broker that keeps the message would send it again for ever. And it copies what is left for each property, so that
a message with many of them would hold up everything.
"""

from gateway.sinks.words import Inbound

_SIZES = {0x01: 1, 0x02: 4, 0x23: 2}
"""Properties of so many bytes."""
_PARTS = {0x03: 1, 0x08: 1, 0x09: 1, 0x26: 2}
"""Properties of so many parts, each behind its length."""
_RESPONSE_TOPIC, _CORRELATION = 0x08, 0x09
PROPERTIES = 32
"""So many are looked at; an answer wants two."""


def published(header: int, packet: bytes | bytearray, *, five: bool) -> Inbound:
    """A PUBLISH by the first byte and by all behind its length. IndexError where it is cut short."""
    qos = header >> 1 & 3
    at, octets = _part(packet, 0)
    try:
        topic = octets.decode()
    except UnicodeDecodeError:
        topic = ""  # no topic of ours; it is acknowledged and forgotten like any other stranger
    mid = 0
    if qos:
        mid, at = packet[at] << 8 | packet[at + 1], at + 2
    found: dict[int, bytes] = {}
    if five:
        at, size = _length(packet, at)
        at, found = at + size, _properties(packet, at, at + size)
    response = found.get(_RESPONSE_TOPIC)
    return Inbound(
        topic,
        bytes(packet[at:]),
        bool(header & 1),
        mid,
        qos,
        response.decode(errors="replace") if response is not None else None,
        found.get(_CORRELATION),
        len(packet),
    )


def _properties(packet: bytes | bytearray, at: int, end: int) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for _ in range(PROPERTIES):
        if at >= end:
            break
        kind, at = packet[at], at + 1
        if kind in _SIZES:
            at += _SIZES[kind]
        elif kind in _PARTS:
            for _ in range(_PARTS[kind]):
                at, found[kind] = _part(packet, at)
        else:  # a subscription's number, which we give none, or what MQTT 5 does not know
            break
    return found


def _part(packet: bytes | bytearray, at: int) -> tuple[int, bytes]:
    """What is behind a length, and where it ends."""
    end = at + 2 + (packet[at] << 8 | packet[at + 1])
    return end, bytes(packet[at + 2 : end])


def _length(packet: bytes | bytearray, at: int) -> tuple[int, int]:
    """A length in up to four bytes of seven bits, and where it ends."""
    size = 0
    for place in range(4):
        size |= (packet[at + place] & 0x7F) << 7 * place
        if packet[at + place] < 0x80:
            break
    return at + place + 1, size
