"""BTHome version 2: objects in the service data of FCD2, each an id and a value, in the open or sealed with AES-CCM.

Layout and table: bthome.io/format and bthome.io/encryption. A receiver stops at the first id that it does not know,
for it cannot know how long that object is; senders put their ids in ascending order so that old receivers read much,
and what comes out of order is read all the same. An object that is cut off is named as absurd, what stands before it
counts. Quantities that are none of our metrics, dimmers and commands are passed over.
"""

from collections.abc import Iterator
from typing import NamedTuple
from zlib import crc32

from drivers.base import Address, Auth, BadFrame, Edge, Level, Occurrence, OccurrenceKind, Said
from drivers.decoders.bthome_objects import (
    BUTTON,
    COMMAND,
    COUNTED,
    FIRMWARE,
    LEVELS,
    NUMBERS,
    PACKET_ID,
    PRESSES,
    TEXT,
)
from drivers.decoders.ccm import TAG, octets_of, opened
from drivers.decoders.contract import Decoder, Part, part
from drivers.decoders.findings import Findings
from drivers.decoders.numbers import Number

UUID = b"\xd2\xfc"
ENCRYPTED, NAMES_ADDRESS, TRIGGERED = 0x01, 0x02, 0x04
VERSION = 2
COUNTER = 4
MOST_KEYS = 16
"""Keys of one device that are heeded: a frame that holds more is made to cause trouble."""


class _Frame(NamedTuple):
    """Service data taken apart: the objects in the open, where they begin, and who proved them."""

    objects: bytes
    begin: int
    address: Address | None
    auth: Auth
    counter: int | None = None


class _Object(NamedTuple):
    """One object: where it stands in the payload with its id, and the bytes of its value."""

    at: int
    end: int
    id: int
    octets: bytes


def decode(payload: bytes, sender: Address | None, key: bytes | None) -> Said:
    frame = _frame(payload, sender, key)
    objects, stopped = _objects(frame)
    found = Findings()
    levels: dict[OccurrenceKind, bool] = {}
    for each in objects:
        number = NUMBERS.get(each.id)
        if number is not None and number.metric is not None:
            found.add(number.metric, number.value(each.octets))
        elif (kind := LEVELS.get(each.id)) is not None:
            levels[kind] = levels.get(kind, False) or any(each.octets)
    for kind, active in levels.items():
        found.happened(Occurrence(kind, Level(active)))
    for press in _presses(frame, objects):
        found.happened(press)
    if stopped is not None and (name := _name(stopped)) is not None:
        found.unreadable(name)
    return found.said(frame.address, frame.auth, frame.counter)


def _frame(payload: bytes, sender: Address | None, key: bytes | None) -> _Frame:
    if not payload:
        raise BadFrame("too_short", payload)
    if payload[0] >> 5 != VERSION:
        raise BadFrame("version", payload)
    # Bit 1 is reserved today; earlier senders put their address there, and the reference parser reads it.
    begin = 7 if payload[0] & NAMES_ADDRESS else 1
    end = len(payload) - (COUNTER + TAG if payload[0] & ENCRYPTED else 0)
    if end < begin:
        raise BadFrame("too_short", payload)
    named = payload[6:0:-1].hex() if payload[0] & NAMES_ADDRESS else None
    if not payload[0] & ENCRYPTED:
        return _Frame(payload[begin:], begin, named, Auth.NONE if key is None else Auth.DOWNGRADED)
    address, counter = octets_of(named or sender), payload[end : end + COUNTER]
    nonce = address + UUID + payload[:1] + counter if address else None
    objects = opened(payload, payload[begin:end] + payload[end + COUNTER :], key, nonce)
    return _Frame(objects, begin, named, Auth.OK, int.from_bytes(counter, "little"))


def _objects(frame: _Frame) -> tuple[list[_Object], int | None]:
    """The objects up to the first that cannot be read, and the id of that one."""
    octets, at = frame.objects, 0
    found: list[_Object] = []
    while at < len(octets):
        begin, end = _span(octets, at)
        if end > len(octets):
            return found, octets[at]
        found.append(_Object(frame.begin + at, frame.begin + end, octets[at], octets[begin:end]))
        at = end
    return found, None


def _span(octets: bytes, at: int) -> tuple[int, int]:
    """Where the value of the object at `at` begins and ends; beyond all octets where that cannot be known."""
    number = NUMBERS.get(octets[at])
    if number is not None:
        return at + 1, at + 1 + number.size
    if octets[at] not in COUNTED or at + 1 == len(octets):
        return at + 1, len(octets) + 1
    length = octets[at + 1]
    return at + 2, at + 2 + (1 + (length & 0x1F) if octets[at] == COMMAND else length)


def _presses(frame: _Frame, objects: list[_Object]) -> Iterator[Occurrence]:
    """The keys pressed; several in one frame are numbered in their order, those without an event count along."""
    buttons = [each.octets[0] for each in objects if each.id == BUTTON]
    edge = Edge(_key(frame) if any(each.id == PACKET_ID for each in objects) else None)
    for number, event in enumerate(buttons[:MOST_KEYS], 1):
        if event:
            which = number if len(buttons) > 1 else None
            yield Occurrence(OccurrenceKind.BUTTON, edge, press=PRESSES.get(event), button=which)


def _key(frame: _Frame) -> int:
    """What tells one press from the next: the whole contents, packet id included.

    Copies are "exactly the same" by the table's word. Another packet id is another press, however soon; the same one
    with other contents is another too, for some firmware does not count as it should. The packet id is back after 256:
    of sealed frames the counter's upper bytes are in the key, for it has then counted as far at least.
    """
    lap = b"" if frame.counter is None else (frame.counter >> 8).to_bytes(3, "little")
    return crc32(frame.objects, crc32(lap))


def _name(identity: int) -> str | None:
    number = NUMBERS.get(identity)
    return number.name if number is not None else COUNTED.get(identity)


def parts(payload: bytes, sender: Address | None, key: bytes | None) -> list[Part]:
    frame = _frame(payload, sender, key)
    objects, stopped = _objects(frame)
    found = [part(0, payload[:1], "device information", f"0x{payload[0]:02X}", _information(payload[0]))]
    if frame.address is not None:
        found.append(part(1, payload[1:7], "address", value=frame.address))
    found += [_part(frame, each) for each in objects]
    if stopped is not None:
        at = objects[-1].end if objects else frame.begin
        why = "cut off" if _name(stopped) else "unknown: nothing is read from here on"
        found.append(part(at, frame.objects[at - frame.begin :], _name(stopped) or "object", value=why))
    if frame.counter is not None:
        at = len(payload) - COUNTER - TAG
        found.append(part(at, payload[at : at + COUNTER], "counter", frame.counter))
        found.append(part(at + COUNTER, payload[at + COUNTER :], "integrity check", value="right"))
    return found


def _part(frame: _Frame, each: _Object) -> Part:
    number, written = NUMBERS.get(each.id), frame.objects[each.at - frame.begin : each.end - frame.begin]
    if number is not None:
        return part(each.at, written, number.name, number.raw(each.octets), _words(number, each))
    text = each.octets.decode("utf-8", "replace") if each.id == TEXT else ""
    return part(each.at, written, COUNTED[each.id], each.octets.hex(), text)


def _words(number: Number, each: _Object) -> str:
    if each.id == BUTTON:
        press = PRESSES.get(each.octets[0])
        return press.value if press else "unknown" if each.octets[0] else "none"
    if each.id in FIRMWARE:
        return ".".join(str(octet) for octet in reversed(each.octets))
    return number.words(each.octets)


def _information(octet: int) -> str:
    said = [f"version {octet >> 5}", "encrypted" if octet & ENCRYPTED else "in the open"]
    return ", ".join([*said, "sent when something happens"] if octet & TRIGGERED else said)


DECODER = Decoder(decode, parts)
