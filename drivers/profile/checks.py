"""What the parts of a profile must be to each other, beyond the shape of each."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from drivers.base import BuzzPattern, OccurrenceKind
from drivers.decoders.characteristics import DECODERS
from drivers.profile.fields import BOOLEAN
from drivers.profile.framings import unfit
from drivers.profile.links import Bluetooth, ConnectShape, Serial, SerialAddress
from drivers.profile.model import BehaviourName, Code, FieldShape, OccurrenceShape, ProfileFile
from drivers.profile.shape import Finding, Where


def findings(file: ProfileFile) -> list[Finding]:
    """All that is wrong with a profile whose shape is right; empty if nothing is."""
    return [*_fields(file), *_occurrences(file), *_links(file)]


def _fields(file: ProfileFile) -> Iterator[Finding]:
    seen: dict[object, str] = {}
    for name, field in file.fields.items():
        where: Where = ("fields", name)
        yield from (Finding((*where, *found.where), found.what, found.cure) for found in _field(field))
        if field.metric is not None and (first := seen.setdefault(field.metric, name)) != name:
            yield Finding(
                (*where, "metric"),
                f"{field.metric.value} is already read from the field '{first}'",
                "keep one field per metric",
            )
        if file.least is not None and field.at + field.type.size > file.least:
            yield Finding(
                ("least",),
                f"the field '{name}' ends at byte {field.at + field.type.size}, after the least size {file.least}",
                f"write least: {field.at + field.type.size} or more",
            )


def _field(field: FieldShape) -> Iterator[Finding]:
    width = 8 * field.type.size
    if field.bit is not None and field.bits is not None:
        yield Finding(("bits",), "both bit and bits are given", "keep bit for one bit, bits for a range")
    low, high = field.bits or (field.bit or 0, field.bit or 0)
    if not 0 <= low <= high < width:
        key = "bits" if field.bits else "bit"
        yield Finding((key,), f"{field.type.value} has the bits 0 to {width - 1}", "write the lower bit first, from 0")
    if field.min is not None and field.max is not None and field.min > field.max:
        yield Finding(("min",), f"min {field.min:g} is above max {field.max:g}", "exchange them")
    yield from _metric(field)
    least, most = _range(field)
    for number in (each for each in field.absent if not least <= each <= most):
        yield Finding(
            ("absent",), f"{number} cannot stand in this field: {least} to {most}", _signed_cure(field, number)
        )
    for number in (each for each in field.values if not least <= each <= most):
        yield Finding(
            ("values", number), f"{number} cannot stand in this field: {least} to {most}", "correct the number"
        )


def _metric(field: FieldShape) -> Iterator[Finding]:
    if field.metric is None:
        return
    truth = field.metric in BOOLEAN
    if truth and field.bit is None:
        yield Finding(
            ("metric",), f"{field.metric.value} is true or false, and this is a number", "name its bit: bit: 0"
        )
    if not truth and field.bit is not None:
        yield Finding(
            ("metric",),
            f"{field.metric.value} is a number, and this is one bit",
            "write bits: [low, high], or no metric",
        )


def _range(field: FieldShape) -> tuple[int, int]:
    """The least and the greatest number that the field's bits can hold."""
    if field.bit is not None or field.bits is not None:
        low, high = field.bits or (0, 0)
        return 0, (1 << high - low + 1) - 1
    width = 8 * field.type.size
    return (-(1 << width - 1), (1 << width - 1) - 1) if field.type.signed else (0, (1 << width) - 1)


def _signed_cure(field: FieldShape, number: int) -> str:
    width = 8 * field.type.size
    if field.type.signed and number < 1 << width:
        return f"these bytes read as {number - (1 << width)} in {field.type.value}: write that"
    return "write the number as it stands before scale and offset"


def _occurrences(file: ProfileFile) -> Iterator[Finding]:
    for number, shape in enumerate(file.occurrences):
        where: Where = ("occurrences", number)
        unknown = list(_unknown(file, shape))
        local = unknown or [*_behaviour(file, shape), *_codes(file, shape)]
        yield from (Finding((*where, *found.where), found.what, found.cure) for found in local)


def _unknown(file: ProfileFile, shape: OccurrenceShape) -> Iterator[Finding]:
    """Names of fields, and of their values, that nothing bears."""
    named: list[tuple[Where, str]] = [(("field",), shape.field)]
    if shape.key is not None:
        named.append((("key",), shape.key))
    if shape.counter:
        named.append((("counter", "field"), shape.counter.field))
        yield from _condition(file, shape.counter.fresh.field, shape.counter.fresh.equals, ("counter", "fresh"))
    yield from (_no_field(file, where, name) for where, name in named if name not in file.fields)
    if shape.equals is not None and shape.field in file.fields:
        yield from _condition(file, shape.field, shape.equals, ())


def _condition(file: ProfileFile, field: str, values: Iterable[int | str], where: Where) -> Iterator[Finding]:
    if field not in file.fields:
        yield _no_field(file, (*where, "field"), field)
        return
    names = list(file.fields[field].values.values())
    for name in (each for each in values if isinstance(each, str) and each not in names):
        cure = f"the nearest is '{_nearest(name, names)}'" if names else f"add values to the field '{field}'"
        yield Finding((*where, "equals"), f"no value of the field '{field}' is called '{name}'", cure)
    least, most = _range(file.fields[field])
    for number in (each for each in values if isinstance(each, int) and not least <= each <= most):
        yield Finding((*where, "equals"), f"{number} cannot stand in the field '{field}'", f"write {least} to {most}")


def _no_field(file: ProfileFile, where: Where, name: str) -> Finding:
    return Finding(where, f"no field is called '{name}'", f"the nearest is '{_nearest(name, file.fields)}'")


def _nearest(name: str, names: Iterable[str]) -> str:
    return get_close_matches(name, list(names), 1, 0)[0]


def _behaviour(file: ProfileFile, shape: OccurrenceShape) -> Iterator[Finding]:
    """The keys that each behaviour needs and those it cannot use."""
    given, behaviour = shape.model_fields_set, shape.behaviour
    usable = {
        BehaviourName.COUNTER: {"codes", "counter"},
        BehaviourName.LEVEL: {"means", "equals"},
        BehaviourName.EDGE: {"codes", "means", "equals", "key"},
    }[behaviour]
    for key in sorted(given - usable - {"field", "behaviour"}):
        yield Finding((key,), f"the behaviour {behaviour} has no use for '{key}'", "take it out")
    needed = {BehaviourName.COUNTER: ("counter", "codes"), BehaviourName.LEVEL: ("means",), BehaviourName.EDGE: ()}
    for key in (each for each in needed[behaviour] if each not in given):
        yield Finding((), f"the behaviour {behaviour} needs '{key}'", f"add {key}:")
    if behaviour is BehaviourName.EDGE and ("codes" in given) == ("means" in given):
        yield Finding((), "an edge states either 'codes' or 'means'", "codes for several values, means for one")
    if shape.counter:
        yield from _counter(file.fields[shape.counter.field], shape.counter.wrap)


def _counter(field: FieldShape, wrap: int | None) -> Iterator[Finding]:
    if field.type.signed or field.bit is not None or field.bits is not None or field.absent:
        yield Finding(
            ("counter", "field"), "a counter is a whole unsigned number without absent values", "correct the field"
        )
    elif wrap is not None and wrap > _range(field)[1]:
        yield Finding(
            ("counter", "wrap"), f"{field.type.value} cannot count to {wrap}", f"write {_range(field)[1]} or less"
        )


def _codes(file: ProfileFile, shape: OccurrenceShape) -> Iterator[Finding]:
    least, most = _range(file.fields[shape.field])
    for number, code in shape.codes.items():
        if not least <= number <= most:
            yield Finding(
                ("codes", number), f"{number} cannot stand in the field '{shape.field}'", f"{least} to {most}"
            )
        yield from _code(code, ("codes", number))
    if shape.codes and all(code.kind is not OccurrenceKind.NONE for code in shape.codes.values()):
        yield Finding(
            ("codes",), "no code says that nothing happened", "add it, such as 0: none; unlisted codes are presses"
        )
    if "means" in shape.model_fields_set:
        yield from _code(shape.means, ("means",))
        if shape.means.kind is OccurrenceKind.NONE:
            yield Finding(("means",), "an occurrence cannot mean 'none'", "name what happens, or take it out")


def _code(code: Code, where: Where) -> Iterator[Finding]:
    if (code.kind is OccurrenceKind.SERVICE_REQUEST) != (code.service is not None):
        yield Finding(
            where, "a service_request names its service, and nothing else does", "write service: shopping, say"
        )
    if code.window is not None and code.kind is not OccurrenceKind.FALL:
        yield Finding((*where, "window"), "only a fall has a window in which its wearer may cancel it", "take it out")


def _links(file: ProfileFile) -> Iterator[Finding]:
    if file.bluetooth is None and file.serial is None:
        yield Finding((), "the profile does not say how its packets are recognised", "add bluetooth: or serial:")
    sections = [file.bluetooth.manufacturer, file.bluetooth.service_data] if file.bluetooth else []
    if not file.fields and not file.decoder and (file.serial or any(sections)):
        yield Finding((), "the profile reads nothing from its packets", "add fields:, or decoder:")
    if file.decoder and (file.fields or file.occurrences):
        yield Finding(("decoder",), "a decoder reads all by itself", "take out fields: and occurrences:")
    if file.bluetooth:
        yield from (Finding(("bluetooth", *each.where), each.what, each.cure) for each in _bluetooth(file.bluetooth))
    if file.serial and (file.fields or file.decoder):
        yield from (Finding(("serial", *found.where), found.what, found.cure) for found in _serial(file, file.serial))


def _bluetooth(bluetooth: Bluetooth) -> Iterator[Finding]:
    recognised = bluetooth.manufacturer or bluetooth.service_data or bluetooth.services
    if not recognised:
        yield Finding((), "no advert section is named", "add manufacturer:, service_data: or services:")
    if bluetooth.connect:
        yield from (Finding(("connect", *each.where), each.what, each.cure) for each in _connect(bluetooth.connect))
    elif recognised and not (bluetooth.manufacturer or bluetooth.service_data):
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
    yield from _placed(file, serial, serial.address) if serial.address else _unplaced(file)
    if serial.receiver:
        if len(serial.receiver.address) * 4 != file.address_bits:
            yield Finding(
                ("receiver", "address"), f"addresses have {file.address_bits // 4} digits here", "write that many"
            )
        if serial.receiver.when:
            yield from _condition(file, serial.receiver.when.field, serial.receiver.when.equals, ("receiver", "when"))
    least = max((field.at + field.type.size for field in file.fields.values()), default=1)
    bodies = [least, *(len(serial.buzz.octets(pattern)) for pattern in BuzzPattern if serial.buzz)]
    yield from (
        Finding(("framing", *found.where), found.what, found.cure)
        for found in unfit(serial.framing, serial.payload.at + max(bodies))
    )


def _unplaced(file: ProfileFile) -> Iterator[Finding]:
    if file.decoder is None:
        yield Finding((), "the profile does not say which device a frame is from", "add address: {at: …, size: 4}")


def _placed(file: ProfileFile, serial: Serial, address: SerialAddress) -> Iterator[Finding]:
    if 8 * address.size < file.address_bits:
        yield Finding(
            ("address", "size"), f"{address.size} bytes hold no {file.address_bits} bits", "set address_bits: 32"
        )
    if address.at + address.size > serial.payload.at or (serial.rssi and serial.rssi.at >= serial.payload.at):
        yield Finding(
            ("payload", "at"), "address and rssi stand in front of the payload", "begin the payload behind them"
        )
