"""A profile ready for use: every decision that the file alone settles was taken when it was compiled."""

from collections.abc import Callable
from typing import Any

from drivers.base import Address, BadFrame, BuzzPattern, Decoded, Packet, PacketKind, Reading, Write
from drivers.checksum import CHECKSUMS
from drivers.decoders.characteristics import DECODERS
from drivers.framing import Framing, LengthFraming, LineFraming, Refusal
from drivers.profile.fields import ABSURD, Access, Cells, cell_of, outcome_of, raw_of
from drivers.profile.links import Bluetooth, FramingShape, Serial
from drivers.profile.model import ProfileFile
from drivers.profile.occurrences import teller
from drivers.profile.written import Order

Said = tuple[tuple[Reading, ...], tuple[str, ...]]
"""What a payload says: its readings, and the names of the fields that were absurd."""


class Profile:
    """One device format. All methods are pure; `read`, `advert` and `frame` raise BadFrame and nothing else."""

    def __init__(self, file: ProfileFile) -> None:
        self.file = file
        self.name = file.profile
        cells = [cell_of(field, file.order) for field in file.fields.values()]
        self.cells = Cells(cells)
        self.least = max(self.cells.least, file.least or 0)
        self.fields = {
            name: Access(self.cells.index[cell], raw_of(field, file.order), field)
            for (name, field), cell in zip(file.fields.items(), cells, strict=True)
        }
        self.read: Callable[[bytes], Said] = _reader(self)
        self.framing = framing(file.serial.framing, file.order) if file.serial else None
        self.frame: Callable[[Packet], Decoded] | None = _frames(self, file.serial) if file.serial else None

    def advert(self, prefix: bytes) -> Callable[[Packet], Decoded]:
        """The decoder of advert sections whose payload stands behind `prefix`."""
        skipped, digits, read, name = len(prefix), self.file.address_bits // 4, self.read, self.name

        def decode(packet: Packet) -> Decoded:
            if packet.address is None:
                raise BadFrame("no_address", packet.payload)
            readings, absurd = read(packet.payload[skipped:])
            return Decoded(name, packet.address[-digits:], packet.rssi, readings, absurd)

        return decode

    def characteristic(self, packet: Packet) -> Decoded:
        """What a standard characteristic of such a device says; KeyError where nothing reads it."""
        if packet.address is None:
            raise BadFrame("no_address", packet.payload)
        readings, absurd = DECODERS[str(packet.key)](packet.payload)
        return Decoded(self.name, packet.address[-(self.file.address_bits // 4) :], packet.rssi, readings, absurd)

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


def carriers(bluetooth: Bluetooth | None) -> list[tuple[PacketKind, int | str, bytes]]:
    """The advert sections that a profile looks at: kind, key and prefix."""
    found: list[tuple[PacketKind, int | str, bytes]] = []
    if bluetooth and (manufacturer := bluetooth.manufacturer):
        found.append((PacketKind.MANUFACTURER, manufacturer.company, manufacturer.prefix))
    if bluetooth and (section := bluetooth.service_data):
        found.append((PacketKind.SERVICE_DATA, section.uuid, section.prefix))
    return found


def framing(shape: FramingShape, order: Order) -> Framing:
    if shape.line:
        return LineFraming(shape.line.end, shape.line.longest)
    if shape.start_length is None:
        raise ValueError("a framing names no way of framing")
    frame = shape.start_length
    length, check = frame.length, frame.checksum
    return LengthFraming(
        start=frame.start,
        length_at=length.at,
        length_size=int(length.type[1:]) // 8,
        length_order=length.order or order,
        counts=length.counts,
        checksum=CHECKSUMS[check.name] if check else None,
        covers=check.covers_from if check else 0,
        checksum_order=check.order or order if check else order,
        longest=frame.longest,
    )


def _reader(profile: Profile) -> Callable[[bytes], Said]:
    file, fields, least, cells_of = profile.file, profile.fields, profile.least, profile.cells.read
    measures = [
        (fields[name].index, outcome_of(field, field.metric, file.order), name)
        for name, field in file.fields.items()
        if field.metric is not None
    ]
    tellers = [(teller(shape, fields), shape.field) for shape in file.occurrences]

    def read(payload: bytes) -> Said:
        if len(payload) < least:
            raise BadFrame(Refusal.TOO_SHORT.value, payload)
        cells = cells_of(payload)
        readings: list[Any] = []
        absurd: tuple[str, ...] = ()
        for index, outcome, name in measures:
            measured = outcome(cells[index])
            if measured is ABSURD:
                absurd += (name,)
            elif measured is not None:
                readings.append(measured)
        for tell, name in tellers:
            told = tell(cells)
            if told is ABSURD:
                absurd += (name,)
            elif told is not None:
                readings.append(told)
        return tuple(readings), absurd

    return read


def _frames(profile: Profile, serial: Serial) -> Callable[[Packet], Decoded]:
    """The decoder of bodies that the profile's framing unwrapped."""
    begin, read, name = serial.payload.at, profile.read, profile.name
    address_of, rssi_of, of_receiver = _address(serial, profile.file), _rssi(serial), _receiver(profile, serial)

    def decode(packet: Packet) -> Decoded:
        body = packet.payload
        payload = body[begin:]
        if len(body) < begin:
            raise BadFrame(Refusal.TOO_SHORT.value, body)
        readings, absurd = read(payload)
        address, rssi = address_of(body), rssi_of(body)
        if of_receiver(address, payload):
            return Decoded(name, None, rssi, ())
        return Decoded(name, address, rssi, readings, absurd)

    return decode


def _address(serial: Serial, file: ProfileFile) -> Callable[[bytes], Address]:
    place, digits = serial.address, file.address_bits // 4
    begin, end = place.at, place.at + place.size
    if (place.order or file.order) == "little":
        return lambda body: body[begin:end][::-1].hex()[-digits:]
    return lambda body: body[begin:end].hex()[-digits:]


def _rssi(serial: Serial) -> Callable[[bytes], int | None]:
    if serial.rssi is None:
        return lambda _: None
    at, absent, signed = serial.rssi.at, frozenset(serial.rssi.absent), serial.rssi.type == "i8"

    def rssi(body: bytes) -> int | None:
        number = body[at] - 256 if signed and body[at] > 127 else body[at]
        return None if number in absent else number

    return rssi


def _receiver(profile: Profile, serial: Serial) -> Callable[[Address, bytes], bool]:
    """Whether a frame is the receiver speaking of itself."""
    receiver = serial.receiver
    if receiver is None:
        return lambda _address, _payload: False
    own = receiver.address
    if receiver.when is None:
        return lambda address, _: address == own
    field = profile.fields[receiver.when.field]
    holds, cells_of = field.holds(receiver.when.equals), profile.cells.read
    return lambda address, payload: address == own and holds(cells_of(payload)[field.index])


def _body(serial: Serial, file: ProfileFile, address: Address, payload: bytes) -> bytes:
    """The body of a downlink frame: the address in its place, all else before the payload 0."""
    place, header = serial.address, bytearray(serial.payload.at)
    number = int(address, 16) & (1 << 8 * place.size) - 1
    header[place.at : place.at + place.size] = number.to_bytes(place.size, place.order or file.order)
    return bytes(header) + payload
