"""A profile ready for use: every decision that the file alone settles was taken when it was compiled."""

from collections.abc import Callable

from drivers.base import Address, BadFrame, BuzzPattern, Decoded, KeyOf, Packet, PacketKind, Reading, Said, Write
from drivers.decoders import characteristics as standard
from drivers.decoders.catalogue import DECODERS
from drivers.decoders.contract import Decode
from drivers.framing import Refusal
from drivers.profile.fields import ABSURD, Access, Cells, cell_of, outcome_of, raw_of
from drivers.profile.framings import framing
from drivers.profile.links import Bluetooth, Serial
from drivers.profile.model import ProfileFile
from drivers.profile.occurrences import teller


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
        self.read: Decode = DECODERS[file.decoder].decode if file.decoder else _reader(self)
        self.framing = framing(file.serial.framing, file.order) if file.serial else None
        self.frame: Callable[[Packet], Decoded] | None = _frames(self, file.serial) if file.serial else None

    def advert(self, prefix: bytes, key_of: KeyOf) -> Callable[[Packet], Decoded]:
        """What decodes advert sections whose payload stands behind `prefix`."""
        skipped, digits, read, name = len(prefix), self.file.address_bits // 4, self.read, self.name
        coded = self.file.decoder is not None

        def decode(packet: Packet) -> Decoded:
            if packet.address is None:
                raise BadFrame("no_address", packet.payload)
            sender = packet.address[-digits:]
            key = key_of(packet.address) if coded else None
            return Decoded(name, sender, packet.rssi, read(packet.payload[skipped:], packet.address, key))

        return decode

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


def characteristic(profile: str, uuid: str) -> Callable[[Packet], Decoded]:
    """The decoder of a standard characteristic's values; KeyError where there is none."""
    read = standard.DECODERS[uuid]

    def decode(packet: Packet) -> Decoded:
        if packet.address is None:
            raise BadFrame("no_address", packet.payload)
        return Decoded(profile, packet.address, packet.rssi, read(packet.payload))

    return decode


def carriers(bluetooth: Bluetooth | None) -> list[tuple[PacketKind, int | str, bytes]]:
    """The advert sections that a profile looks at: kind, key and prefix."""
    found: list[tuple[PacketKind, int | str, bytes]] = []
    if bluetooth and (manufacturer := bluetooth.manufacturer):
        found.append((PacketKind.MANUFACTURER, manufacturer.company, manufacturer.prefix))
    if bluetooth and (section := bluetooth.service_data):
        found.append((PacketKind.SERVICE_DATA, section.uuid, section.prefix))
    return found


def _reader(profile: Profile) -> Decode:
    file, fields, least, cells_of = profile.file, profile.fields, profile.least, profile.cells.read
    measures = [
        (fields[name].index, outcome_of(field, field.metric, file.order), name)
        for name, field in file.fields.items()
        if field.metric is not None
    ]
    tellers = [(teller(shape, fields), shape.field) for shape in file.occurrences]

    def read(payload: bytes, _sender: Address | None, _key: bytes | None) -> Said:
        if len(payload) < least:
            raise BadFrame(Refusal.TOO_SHORT.value, payload)
        cells = cells_of(payload)
        readings: list[Reading] = []
        absurd: tuple[str, ...] = ()
        absent: tuple[str, ...] = ()
        for index, outcome, name in measures:
            measured = outcome(cells[index])
            if measured is ABSURD:
                absurd += (name,)
            elif measured is None:
                absent += (name,)
            else:
                readings.append(measured)
        for tell, name in tellers:
            told = tell(cells)
            if told is ABSURD:
                absurd += (name,)
            elif told is not None:
                readings.append(told)
        return Said(tuple(readings), absurd, absent)

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
        said = read(payload, None, None)
        address, rssi = said.address or address_of(body), rssi_of(body)
        if of_receiver(address, payload):
            return Decoded(name, None, rssi, Said())
        return Decoded(name, address, rssi, said)

    return decode


def _address(serial: Serial, file: ProfileFile) -> Callable[[bytes], Address | None]:
    place, digits = serial.address, file.address_bits // 4
    if place is None:
        return lambda _: None
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


def _receiver(profile: Profile, serial: Serial) -> Callable[[Address | None, bytes], bool]:
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
    if place is None:
        return payload
    number = int(address, 16) & (1 << 8 * place.size) - 1
    header[place.at : place.at + place.size] = number.to_bytes(place.size, place.order or file.order)
    return bytes(header) + payload
