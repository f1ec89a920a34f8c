"""What the parts of a profile must be to each other, beyond the shape of each."""

from collections.abc import Iterable, Iterator

from drivers.base import BuzzPattern, OccurrenceKind
from drivers.decoders.characteristics import DECODERS
from drivers.profile.field_checks import bounds, condition_amiss, fields_amiss, no_field
from drivers.profile.framings import unfit
from drivers.profile.links import Bluetooth, ConnectShape, FieldPlace, Serial, SerialAddress
from drivers.profile.model import BehaviourName, Code, FieldShape, LayoutShape, OccurrenceShape, ProfileFile
from drivers.profile.shape import Finding, Where


def findings(file: ProfileFile) -> list[Finding]:
    """All that is wrong with a profile whose shape is right; empty if nothing is."""
    return [*_layouts(file), *_buttons(file), *_links(file)]


def _layouts(file: ProfileFile) -> Iterator[Finding]:
    own = file.fields or file.occurrences or file.objects
    if file.layouts and own:
        cure = "move them into a layout of their own"
        yield Finding(("layouts",), "there are fields at the top and in layouts", cure)
    if file.decoder and (own or file.layouts):
        yield Finding(("decoder",), "a decoder reads all by itself", "take out fields:, layouts: and occurrences:")
    for number, layout in enumerate(file.layouts):
        yield from _within(("layouts", number), _layout(layout))
    if not file.layouts:
        yield from _layout(file)


def _layout(layout: LayoutShape) -> Iterator[Finding]:
    yield from fields_amiss(layout)
    if layout.when is not None:
        yield from condition_amiss(layout.fields, layout.when.field, layout.when.equals, ("when",))
    for number, shape in enumerate(layout.occurrences):
        unknown = list(_unknown(layout, shape))
        yield from _within(("occurrences", number), unknown or [*_behaviour(layout, shape), *_codes(layout, shape)])


def _within(where: Where, found: Iterable[Finding]) -> Iterator[Finding]:
    return (Finding((*where, *each.where), each.what, each.cure) for each in found)


def _unknown(layout: LayoutShape, shape: OccurrenceShape) -> Iterator[Finding]:
    """Names of fields, and of their values, that nothing bears."""
    fields = layout.fields
    named: list[tuple[Where, str]] = [(("field",), shape.field)]
    if shape.key is not None:
        named.append((("key",), shape.key))
    if shape.counter:
        named.append((("counter", "field"), shape.counter.field))
        fresh = shape.counter.fresh
        yield from condition_amiss(fields, fresh.field, fresh.equals, ("counter", "fresh"))
    yield from (no_field(fields, where, name) for where, name in named if name not in fields)
    if shape.equals is not None and shape.field in fields:
        yield from condition_amiss(fields, shape.field, shape.equals, ())


USABLE = {
    BehaviourName.COUNTER: {"codes", "counter"},
    BehaviourName.LEVEL: {"means", "equals"},
    BehaviourName.EDGE: {"codes", "means", "equals", "key"},
    BehaviourName.IDENTITY: {"codes", "means", "equals"},
}
NEEDED = {BehaviourName.COUNTER: ("counter", "codes"), BehaviourName.LEVEL: ("means",)}


def _behaviour(layout: LayoutShape, shape: OccurrenceShape) -> Iterator[Finding]:
    """The keys that each behaviour needs and those it cannot use."""
    given, behaviour = shape.model_fields_set, shape.behaviour
    for key in sorted(given - USABLE[behaviour] - {"field", "behaviour"}):
        yield Finding((key,), f"the behaviour {behaviour} has no use for '{key}'", "take it out")
    for key in (each for each in NEEDED.get(behaviour, ()) if each not in given):
        yield Finding((), f"the behaviour {behaviour} needs '{key}'", f"add {key}:")
    if behaviour not in NEEDED and ("codes" in given) == ("means" in given):
        article = "an" if behaviour in (BehaviourName.EDGE, BehaviourName.IDENTITY) else "a"
        what = f"{article} {behaviour} states either 'codes' or 'means'"
        yield Finding((), what, "codes for several values, means for one")
    if shape.counter:
        yield from _counter(layout.fields[shape.counter.field], shape.counter.wrap)
    if shape.key is not None and (layout.fields[shape.key].kind.textual or layout.fields[shape.key].base):
        yield Finding(("key",), "a key is a number of at most 64 bits", "name a field that holds one")


def _counter(field: FieldShape, wrap: int | None) -> Iterator[Finding]:
    held = bounds(field)
    if held is None or held[0] < 0 or field.bit is not None or field.bits is not None or field.absent:
        what = "a counter is a whole unsigned number without absent values"
        yield Finding(("counter", "field"), what, "correct the field")
    elif wrap is not None and wrap > held[1]:
        yield Finding(("counter", "wrap"), f"{field.kind.value} cannot count to {wrap}", f"write {held[1]} or less")


def _codes(layout: LayoutShape, shape: OccurrenceShape) -> Iterator[Finding]:
    field = layout.fields[shape.field]
    held = bounds(field)
    for written, code in shape.codes.items():
        where: Where = ("codes", written)
        if not field.kind.textual and (not written.lstrip("-").isalnum() or not _fits(written, held)):
            span = f"{held[0]} to {held[1]}" if held else "numbers"
            yield Finding(where, f"{written} cannot stand in the field '{shape.field}'", span)
        yield from _code(code, where)
    states_nothing = any(code.kind is OccurrenceKind.NONE for code in shape.codes.values())
    if shape.behaviour is BehaviourName.COUNTER and shape.codes and not states_nothing:
        what, cure = "no code says that nothing happened", "add it, such as 0: none; unlisted codes are presses"
        yield Finding(("codes",), what, cure)
    if "means" in shape.model_fields_set:
        yield from _code(shape.means, ("means",))
        if shape.means.kind is OccurrenceKind.NONE:
            yield Finding(("means",), "an occurrence cannot mean 'none'", "name what happens, or take it out")


def _fits(written: str, held: tuple[int, int] | None) -> bool:
    try:
        value = int(written, 0)
    except ValueError:
        return False
    return held is None or held[0] <= value <= held[1]


def _code(code: Code, where: Where) -> Iterator[Finding]:
    if (code.kind is OccurrenceKind.SERVICE_REQUEST) != (code.service is not None):
        what = "a service_request names its service, and nothing else does"
        yield Finding(where, what, "write service: shopping, say")
    if code.window is not None and code.kind is not OccurrenceKind.FALL:
        yield Finding((*where, "window"), "only a fall has a window in which its wearer may cancel it", "take it out")


def _buttons(file: ProfileFile) -> Iterator[Finding]:
    for name, code in file.buttons.items():
        yield from _code(code, ("buttons", name))
        if code.kind is OccurrenceKind.NONE:
            yield Finding(("buttons", name), "a press cannot mean 'none'", "leave it out: it is then a button")


def _links(file: ProfileFile) -> Iterator[Finding]:
    if file.bluetooth is None and file.serial is None:
        yield Finding((), "the profile does not say how its packets are recognised", "add bluetooth: or serial:")
    reads = file.decoder or any(way.fields for way in file.ways)
    if not reads and (file.serial or (file.bluetooth and _sections(file.bluetooth))):
        yield Finding((), "the profile reads nothing from its packets", "add fields:, layouts: or decoder:")
    if file.bluetooth:
        yield from _within(("bluetooth",), _bluetooth(file.bluetooth))
    if file.serial and reads:
        yield from _within(("serial",), _serial(file, file.serial))


def _sections(bluetooth: Bluetooth) -> bool:
    """Whether anything is read from adverts themselves."""
    named = bluetooth.manufacturer or bluetooth.service_data or bluetooth.ibeacon
    return bool(named) or bluetooth.eddystone is not None


def _bluetooth(bluetooth: Bluetooth) -> Iterator[Finding]:
    sections = _sections(bluetooth)
    if not sections and not bluetooth.services:
        what = "no advert section is named"
        yield Finding((), what, "add manufacturer:, service_data:, ibeacon:, eddystone: or services:")
    if (
        bluetooth.ibeacon
        and bluetooth.ibeacon.minor is not None
        and None in (bluetooth.ibeacon.uuid, bluetooth.ibeacon.major)
    ):
        yield Finding(("ibeacon", "minor"), "minor counts within a uuid and a major", "name these as well")
    if bluetooth.ibeacon and bluetooth.ibeacon.major is not None and bluetooth.ibeacon.uuid is None:
        yield Finding(("ibeacon", "major"), "major counts within a uuid", "name that as well")
    if bluetooth.connect:
        yield from _within(("connect",), _connect(bluetooth.connect))
    elif bluetooth.services and not sections:
        yield Finding(("services",), "services say who the device is, and nothing is read from it", "add connect:")


def _connect(connect: ConnectShape) -> Iterator[Finding]:
    if not connect.notify and not connect.read:
        yield Finding((), "a connection for nothing", "add notify: or read:, with characteristics")
    if connect.poll is not None and not connect.read:
        yield Finding(("poll",), "poll says how often read: is done, and there is none", "add read:, or take poll out")
    known = sorted(uuid[4:8] for uuid in DECODERS)
    for key, uuids in (("notify", connect.notify), ("read", connect.read)):
        for number, uuid in enumerate(uuids):
            if uuid not in DECODERS:
                what = f"this release cannot read the characteristic {uuid}"
                yield Finding((key, number), what, f"it can read {', '.join(known)}")


def _serial(file: ProfileFile, serial: Serial) -> Iterator[Finding]:
    yield from _sender(file, serial)
    if serial.receiver:
        if len(serial.receiver.address) * 4 != file.address_bits:
            what = f"addresses have {file.address_bits // 4} digits here"
            yield Finding(("receiver", "address"), what, "write that many")
        if serial.receiver.when:
            fields = {name: field for way in file.ways for name, field in way.fields.items()}
            when = serial.receiver.when
            yield from condition_amiss(fields, when.field, when.equals, ("receiver", "when"))
    bodies = [1, *(_least(way) for way in file.ways)]
    bodies += [len(serial.buzz.octets(pattern)) for pattern in BuzzPattern if serial.buzz]
    yield from _within(("framing",), unfit(serial.framing, serial.payload.at + max(bodies)))


def _least(layout: LayoutShape) -> int:
    return max(((field.at or 0) + (field.width or 0) for field in layout.fields.values() if field.fixed), default=1)


def _sender(file: ProfileFile, serial: Serial) -> Iterator[Finding]:
    """Where a frame says who it is from."""
    named: list[tuple[Where, FieldPlace]] = [
        ((key,), place)
        for key, place in (("address", serial.address), ("rssi", serial.rssi), ("relays", serial.relays))
        if isinstance(place, FieldPlace)
    ]
    for where, place in named:
        lacking = [way for way in file.ways if place.field not in way.fields]
        if lacking and not file.decoder:
            yield no_field(lacking[0].fields, (*where, "field"), place.field)
    match serial.address:
        case SerialAddress() as address:
            yield from _placed(file, serial, address)
        case None if file.decoder is None:
            cure = "add address: {at: …, size: 4}, or {field: …}"
            yield Finding((), "the profile does not say which device a frame is from", cure)


def _placed(file: ProfileFile, serial: Serial, address: SerialAddress) -> Iterator[Finding]:
    if 8 * address.size < file.address_bits:
        what = f"{address.size} bytes hold no {file.address_bits} bits"
        yield Finding(("address", "size"), what, "set address_bits: 32")
    rssi = -1 if serial.rssi is None or isinstance(serial.rssi, FieldPlace) else serial.rssi.at
    if address.at + address.size > serial.payload.at or rssi >= serial.payload.at:
        what = "address and rssi stand in front of the payload"
        yield Finding(("payload", "at"), what, "begin the payload behind them")
