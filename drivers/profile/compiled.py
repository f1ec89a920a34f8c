"""A profile ready for use: every decision that the file alone settles was taken when it was compiled."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from drivers.base import Address, BadFrame, BuzzPattern, Decoded, KeyOf, Occurrence, Packet, Said, Write
from drivers.decoders import characteristics as standard
from drivers.decoders.catalogue import DECODERS
from drivers.framing import Refusal
from drivers.profile.buttons import mapper
from drivers.profile.fields import value_of
from drivers.profile.framings import framing
from drivers.profile.kinds import Verdict
from drivers.profile.layout import Layout
from drivers.profile.links import Bluetooth, FieldPlace, Serial
from drivers.profile.model import ProfileFile
from drivers.profile.recognition import Carrier

Reads = Callable[[bytes, Address | None, bytes | None], Said | None]
"""From a payload, its sender and the key known for that one to what it says; None where it is not of this profile."""
DecodesOrPasses = Callable[[Packet], Decoded | None]
WEAKEST, STRONGEST = -150, 30
"""dBm; a receiver that tells more or less than that tells nothing."""
ADDRESS = re.compile(r"[0-9a-z]{4,20}")


class Profile:
    """One device format. All methods are pure; what decodes raises BadFrame and nothing else."""

    def __init__(self, file: ProfileFile) -> None:
        self.file = file
        self.name = file.profile
        self.layouts = tuple(Layout(shape, file.order) for shape in file.ways)
        self.read: Reads = _mapped(file, DECODERS[file.decoder].decode if file.decoder else _reader(self.layouts))
        self.framing = framing(file.serial.framing, file.order) if file.serial else None
        self.frame: DecodesOrPasses | None = _frames(self, file.serial) if file.serial else None

    @property
    def alerts(self) -> bool:
        """Whether such a device can call for help: it goes first where connections are few."""
        return self.file.decoder is not None or any(way.occurrences for way in self.file.ways)

    @property
    def services(self) -> frozenset[str]:
        """What its wearer can order."""
        shapes = [shape for way in self.file.ways for shape in way.occurrences]
        codes = [code for shape in shapes for code in (*shape.codes.values(), shape.means)]
        return frozenset(code.service for code in (*codes, *self.file.buttons.values()) if code.service is not None)

    @property
    def relays(self) -> bool:
        """Whether its frames hold whole adverts of others."""
        return self.file.serial is not None and self.file.serial.relays is not None

    def layout(self, payload: bytes) -> tuple[Layout, Sequence[Any]] | None:
        """The first layout that fits, and the payload's cells under it."""
        for layout in self.layouts:
            if (cells := layout.cells(payload)) is not None:
                return layout, cells
        return None

    def advert(self, carrier: Carrier, key_of: KeyOf) -> DecodesOrPasses:
        """What decodes the advert sections that `carrier` describes."""
        skipped, digits, read, name = carrier.skipped, self.file.address_bits // 4, self.read, self.name
        coded = self.file.decoder is not None

        def decode(packet: Packet) -> Decoded | None:
            address = packet.address
            if address is None:
                raise BadFrame("no_address", packet.payload)
            said = read(packet.payload[skipped:], address, key_of(address) if coded else None)
            return None if said is None else Decoded(name, address[-digits:], packet.rssi, said)

        return decode

    def characteristic(self, packet: Packet) -> Decoded:
        """What a standard characteristic of such a device says; KeyError where nothing reads it."""
        if packet.address is None:
            raise BadFrame("no_address", packet.payload)
        said = standard.DECODERS[str(packet.key)](packet.payload)
        return Decoded(self.name, packet.address[-(self.file.address_bits // 4) :], packet.rssi, said)

    def buzz(self, link: str, address: Address, pattern: BuzzPattern) -> Write | None:
        """What makes the device buzz over `link`; None where this format cannot."""
        way, _, _ = link.partition(":")
        serial, bluetooth = self.file.serial, self.file.bluetooth
        if way == "serial" and serial and serial.buzz and self.framing:
            body = _body(serial, self.file, address, serial.buzz.octets(pattern))
            try:
                return Write(link, address, self.framing.wrap(body))
            except ValueError:  # an address that holds the end of a line cannot be written on one
                return None
        if way == "ble" and bluetooth and bluetooth.buzz:
            return Write(link, address, bluetooth.buzz.patterns.octets(pattern), bluetooth.buzz.characteristic)
        return None


def characteristics(bluetooth: Bluetooth | None) -> tuple[str, ...]:
    """The characteristics that a profile connects for."""
    connect = bluetooth.connect if bluetooth else None
    return (*connect.notify, *connect.read) if connect else ()


def _reader(layouts: Sequence[Layout]) -> Reads:
    ways = [(layout.cells, layout.said) for layout in layouts]
    (cells_of, said_by), *others = ways

    def only(payload: bytes, _sender: Address | None, _key: bytes | None) -> Said | None:
        cells = cells_of(payload)
        return None if cells is None else said_by(cells)

    def first(payload: bytes, _sender: Address | None, _key: bytes | None) -> Said | None:
        for cells_by, said in ways:
            if (cells := cells_by(payload)) is not None:
                return said(cells)
        return None

    return first if others else only


def _mapped(file: ProfileFile, read: Reads) -> Reads:
    """What `read` says, with the profile's own purposes for keys."""
    if not file.buttons:
        return read
    purpose = mapper(file.buttons)

    def mapped(payload: bytes, sender: Address | None, key: bytes | None) -> Said | None:
        said = read(payload, sender, key)
        if said is None:
            return None
        readings = [purpose(each) if isinstance(each, Occurrence) else each for each in said.readings]
        return replace(said, readings=tuple(readings))

    return mapped


def _frames(profile: Profile, serial: Serial) -> DecodesOrPasses:
    """The decoder of bodies that the profile's framing unwrapped."""
    begin, read, name = serial.payload.at, profile.read, profile.name
    address_of, rssi_of, of_receiver = _address(profile, serial), _rssi(profile, serial), _receiver(profile, serial)

    def decode(packet: Packet) -> Decoded | None:
        body = packet.payload
        payload = body[begin:]
        if len(body) < begin:
            raise BadFrame(Refusal.TOO_SHORT.value, body)
        said = read(payload, None, None)
        if said is None:
            return None
        address, rssi = said.address or address_of(body), rssi_of(body)
        if address is not None and of_receiver(address, payload):
            return Decoded(name, None, rssi, Said())
        return Decoded(name, address, rssi, said)

    return decode


def _address(profile: Profile, serial: Serial) -> Callable[[bytes], Address | None]:
    """Who a body is from, where the decoder does not say so."""
    place, file = serial.address, profile.file
    if place is None:
        return lambda _: None
    if isinstance(place, FieldPlace):
        return _address_field(profile, place)
    begin, end, digits = place.at, place.at + place.size, file.address_bits // 4
    if (place.order or file.order) == "little":
        return lambda body: body[begin:end][::-1].hex()[-digits:]
    return lambda body: body[begin:end].hex()[-digits:]


def _address_field(profile: Profile, place: FieldPlace) -> Callable[[bytes], Address]:
    """An address that stands in a field: digits as they are, a text in lower case, a number in hex."""
    value = field_of(profile, place.field)
    width = place.digits

    def address(body: bytes) -> Address:
        raw = value(body)
        written = f"{raw:0{width}x}" if isinstance(raw, int) and width else str(raw)
        told = re.sub(r"[^0-9a-z]", "", written.lower())
        if isinstance(raw, Verdict) or not ADDRESS.fullmatch(told):
            raise BadFrame("no_address", body)
        return told

    return address


def field_of(profile: Profile, name: str) -> Callable[[bytes], Any]:
    """A field's own number or text in a body, or the Verdict that there is none."""
    begin = profile.file.serial.payload.at if profile.file.serial else 0

    def value(body: bytes) -> Any:
        found = profile.layout(body[begin:])
        access = found[0].fields.get(name) if found else None
        if found is None or access is None:
            return Verdict.MISSING
        cell = found[1][access.index]
        return cell if isinstance(cell, Verdict) else access.raw(cell)

    return value


def _rssi(profile: Profile, serial: Serial) -> Callable[[bytes], int | None]:
    place, file = serial.rssi, profile.file
    if place is None:
        return lambda _: None
    if isinstance(place, FieldPlace):
        value, fields = field_of(profile, place.field), [way.fields.get(place.field) for way in file.ways]
        scaled = next(value_of(field) for field in fields if field is not None)

        def told(body: bytes) -> int | None:
            raw = value(body)
            dbm = None if isinstance(raw, Verdict | str) else round(scaled(raw))
            return dbm if dbm is not None and WEAKEST <= dbm <= STRONGEST else None

        return told
    at, absent, signed = place.at, frozenset(place.absent), place.type == "i8"

    def rssi(body: bytes) -> int | None:
        number = body[at] - 256 if signed and body[at] > 127 else body[at]
        return None if number in absent else number

    return rssi


def _receiver(profile: Profile, serial: Serial) -> Callable[[Address, bytes], bool]:
    """Whether a frame is the receiver speaking of itself."""
    receiver = serial.receiver
    if receiver is None:
        return lambda _address, _payload: False
    own, when = receiver.address, receiver.when
    if when is None:
        return lambda address, _: address == own
    holds = {layout: layout.condition(when) for layout in profile.layouts if when.field in layout.fields}

    def of_receiver(address: Address, payload: bytes) -> bool:
        if address != own or (found := profile.layout(payload)) is None:
            return False
        layout, cells = found
        return layout in holds and holds[layout](cells)

    return of_receiver


def _body(serial: Serial, file: ProfileFile, address: Address, payload: bytes) -> bytes:
    """The body of a downlink frame: the address in its place, all else before the payload 0."""
    place, header = serial.address, bytearray(serial.payload.at)
    if place is None or isinstance(place, FieldPlace):
        return payload
    number = int(address, 16) & (1 << 8 * place.size) - 1
    header[place.at : place.at + place.size] = number.to_bytes(place.size, place.order or file.order)
    return bytes(header) + payload
