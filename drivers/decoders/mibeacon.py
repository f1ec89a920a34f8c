"""MiBeacon versions 2 to 5: what Xiaomi's devices say in the service data of FE95, in the open or sealed with AES-CCM.

Frame: MiEcosystem/mijia_ble_common, mible_beacon.c, and the MiBeacon protocol v5 beside pvvx/ATC_MiThermometer
(InfoMijiaBLE). Frame control, product and frame counter come first, then what the frame control promises: the device's
address, its capability, objects. The frame counter and three bytes behind the objects are one number of 32 bits; with
the address and the product it is the nonce. What versions 2 and 3 encrypt cannot be proved and is refused, and so are
frames of a mesh, which have another layout.
"""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from drivers.base import Address, Auth, BadFrame, Edge, Level, Occurrence, OccurrenceKind, Said
from drivers.decoders.ccm import TAG, octets_of, opened
from drivers.decoders.contract import Decoder, Part, part
from drivers.decoders.findings import Findings
from drivers.decoders.mibeacon_objects import KEY, LEVELS, NUMBERS, ONLY_OF, OWN_WAY, PRESSED, PRESSES, RELEASED
from drivers.decoders.numbers import Number

ENCRYPTED, ADDRESS, CAPABILITY, OBJECTS, MESH = 0x08, 0x10, 0x20, 0x40, 0x80
INPUT_OUTPUT = 0x20
"""A bit of the capability: two bytes more."""
VERSIONS, PROVABLE = range(2, 6), range(4, 6)
HEADER, OBJECT_HEADER = 5, 3
EXTENSION = 3
"""Bytes of the counter behind the objects."""
MOST_OBJECTS = 16
"""Objects of one frame that are heeded; devices send one or two."""
ASSOCIATED = b"\x11"
SEALED_KEYS = 0x100
"""Where the keys of sealed frames begin, above all those of open ones: nobody can use one up beforehand."""


class _Frame(NamedTuple):
    """Service data taken apart: the objects in the open, where they begin, and who proved them."""

    product: int
    objects: bytes
    begin: int
    address: Address | None
    auth: Auth
    edge: Edge
    counter: int | None = None


class _Object(NamedTuple):
    """One object: where its header stands in the payload, its id, and the bytes of its value.

    `means` is the id once more, or 0 where only other products mean something by it.
    """

    at: int
    id: int
    octets: bytes
    means: int


def decode(payload: bytes, sender: Address | None, key: bytes | None) -> Said:
    frame = _frame(payload, sender, key)
    found = Findings()
    for each in islice(_objects(frame), MOST_OBJECTS):
        if (fields := NUMBERS.get(each.means)) is not None:
            _add(found, each, fields)
        elif each.means in LEVELS:
            found.happened(Occurrence(LEVELS[each.means], Level(active=any(each.octets))))
        elif (press := _press(frame, each)) is not None:
            found.happened(press)
    return found.said(frame.address, frame.auth, frame.counter)


def _add(found: Findings, each: _Object, fields: tuple[Number, ...]) -> None:
    if not _fits(each, fields):
        found.unreadable(f"object 0x{each.id:04X}")
        return
    for field, octets in _split(each.octets, fields):
        if field.metric is not None:
            found.add(field.metric, field.value(octets))


def _fits(each: _Object, fields: tuple[Number, ...]) -> bool:
    return len(each.octets) == sum(field.size for field in fields)


def _split(octets: bytes, fields: tuple[Number, ...]) -> Iterator[tuple[Number, bytes]]:
    at = 0
    for field in fields:
        yield field, octets[at : at + field.size]
        at += field.size


def _press(frame: _Frame, each: _Object) -> Occurrence | None:
    """The press that an object tells of; which key and how, where it is as long as it should be."""
    press, button = None, None
    if (pressed := PRESSED.get(each.means)) is not None:
        press = pressed.press
        button = (each.octets[0] - pressed.first + 1 or None) if pressed.first is not None and each.octets else None
    elif each.means != KEY or each.octets[2:] == RELEASED:
        return None
    elif len(each.octets) == 3:
        press, button = PRESSES.get(each.octets[2]), int.from_bytes(each.octets[:2], "little") + 1
    if frame.product in OWN_WAY:
        press, button = None, None
    return Occurrence(OccurrenceKind.BUTTON, frame.edge, press=press, button=button)


def _frame(payload: bytes, sender: Address | None, key: bytes | None) -> _Frame:
    if len(payload) < HEADER:
        raise BadFrame("too_short", payload)
    control, product = (int.from_bytes(payload[at : at + 2], "little") for at in (0, 2))
    version = control >> 12
    if version not in VERSIONS:
        raise BadFrame("version", payload)
    if control & MESH:
        raise BadFrame("mesh", payload)
    begin, named = _begin(payload, control)
    if not control & OBJECTS:
        return _Frame(product, b"", begin, named, Auth.NONE, Edge(None))
    if not control & ENCRYPTED:
        auth = Auth.NONE if key is None else Auth.DOWNGRADED
        return _Frame(product, payload[begin:], begin, named, auth, Edge(payload[4]))
    if version not in PROVABLE:
        raise BadFrame("legacy_encryption", payload)
    end = len(payload) - EXTENSION - TAG
    if end < begin:
        raise BadFrame("too_short", payload)
    extension, tag = payload[end : end + EXTENSION], payload[end + EXTENSION :]
    address = octets_of(named or sender)
    nonce = address[::-1] + payload[2:5] + extension if address else None
    objects = opened(payload, payload[begin:end] + tag, key, nonce, ASSOCIATED)
    counter = int.from_bytes(payload[4:5] + extension, "little")
    return _Frame(product, objects, begin, named, Auth.OK, Edge(SEALED_KEYS + counter), counter)


def _begin(payload: bytes, control: int) -> tuple[int, Address | None]:
    """Where the objects begin, and the address that the frame names."""
    begin, named = HEADER, None
    if control & ADDRESS:
        named = payload[HEADER : HEADER + 6][::-1].hex()
        begin += 6
    if control & CAPABILITY:
        begin += 3 if any(octet & INPUT_OUTPUT for octet in payload[begin : begin + 1]) else 1
    if begin > len(payload):
        raise BadFrame("too_short", payload)
    return begin, named


def _objects(frame: _Frame) -> Iterator[_Object]:
    """All objects that are whole. Some devices put a byte of no meaning behind them."""
    octets, at = frame.objects, 0
    while at + OBJECT_HEADER <= len(octets):
        value = at + OBJECT_HEADER
        end = value + octets[at + 2]
        if end > len(octets):
            return
        identity = int.from_bytes(octets[at : at + 2], "little")
        meant = frame.product in ONLY_OF.get(identity, (frame.product,))
        yield _Object(frame.begin + at, identity, octets[value:end], identity if meant else 0)
        at = end


def parts(payload: bytes, sender: Address | None, key: bytes | None) -> list[Part]:
    frame = _frame(payload, sender, key)
    control = int.from_bytes(payload[:2], "little")
    found = [
        part(0, payload[:2], "frame control", f"0x{control:04X}", _control(control)),
        part(2, payload[2:4], "product", f"0x{frame.product:04X}"),
        part(4, payload[4:5], "frame counter", payload[4]),
    ]
    if frame.address is not None:
        found.append(part(HEADER, payload[5:11], "address", value=frame.address))
    if control & CAPABILITY:
        at = 11 if frame.address else HEADER
        found.append(part(at, payload[at : frame.begin], "capability"))
    at = frame.begin
    for each in _objects(frame):
        found += _parts_of(frame, each)
        at = each.at + OBJECT_HEADER + len(each.octets)
    if rest := frame.objects[at - frame.begin :]:
        found.append(part(at, rest, "rest", value="no whole object"))
    if frame.counter is not None:
        at = len(payload) - EXTENSION - TAG
        found.append(part(at, payload[at : at + EXTENSION], "counter", frame.counter, "with the frame counter"))
        found.append(part(at + EXTENSION, payload[at + EXTENSION :], "integrity check", value="right"))
    return found


def _parts_of(frame: _Frame, each: _Object) -> Iterator[Part]:
    at, fields = each.at + OBJECT_HEADER, NUMBERS.get(each.means, ())
    header = frame.objects[each.at - frame.begin : at - frame.begin]
    yield part(each.at, header, f"object 0x{each.id:04X}", len(each.octets), _spoken(frame, each))
    if fields and _fits(each, fields):
        for field, octets in _split(each.octets, fields):
            yield part(at, octets, field.name, field.raw(octets), field.words(octets))
            at += field.size
    elif each.octets:
        yield part(at, each.octets, "value")


def _spoken(frame: _Frame, each: _Object) -> str:
    press = _press(frame, each)
    if press is None:
        return ""
    return f"key {press.button or ''} {press.press or 'pressed'}"


def _control(control: int) -> str:
    said = [f"version {control >> 12}", "encrypted" if control & ENCRYPTED else "in the open"]
    return ", ".join([*said, "objects"] if control & OBJECTS else said)


DECODER = Decoder(decode, parts)
