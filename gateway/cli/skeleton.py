"""The beginning of a device profile, from one captured frame: it claims nothing that nobody has said. Pure."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from enum import Enum
from typing import Any

import msgspec
import yaml

from drivers.base import Address, Packet, PacketKind
from drivers.profile.compiled import Profile
from drivers.profile.links import SerialAddress
from drivers.profile.shape import Shape
from gateway.cli.bench import Outcome, short

TEMPLATE = """\
{first}#
# 1. Capture frames of which you know what they mean: a key pressed or not, worn or not, the battery full or empty.
# 2. Give what stands in `fields` its name, its type and its metric, and take out what nobody needs.
# 3. State below `golden` what each frame means; `station-gateway profile test FILE` says where the profile differs.
#
# README.md beside the shipped profiles explains every key.

profile: {name}
about: a device whose format is being found out     # which devices these are
source: one captured frame                          # the vendor's sheet, its version and page, once it is at hand
{head}
{fields}

# Which values mean that something happened, and how copies of one event are told apart:
# occurrences:
#   - {{field: {example}, behaviour: edge, codes: {{0: none, 1: sos}}}}

{link}

golden:
  - name: the captured frame        # what was done when it was captured
{golden}
    values: {{}}                      # by metric, such as {{battery_level: 88}}
"""
LOADS = "# A skeleton made from one captured frame: it loads, and makes nothing of what it reads until you say what.\n"
UNFRAMED = "# Fill in `serial` first: no known framing finds a frame in these bytes. Until then this does not load.\n"
NOBODY = "# Fill in `serial.address` first: which field says whose frame it is. Until then this does not load.\n"
ID = re.compile(r"(?=.*\d)[0-9A-Za-z:-]{4,24}")
"""What may be a device's address in a text."""


class Part(msgspec.Struct, frozen=True):
    """What a skeleton needs to be told of one way to carry a payload."""

    first: str
    fields: str
    example: str
    link: str
    golden: str
    head: str = ""


def skeleton(name: str, part: Part) -> str:
    given = {field: getattr(part, field) for field in part.__struct_fields__}
    return TEMPLATE.format(name=name, **given)


def of_section(packet: Packet) -> Part:
    """From an advert's section."""
    told = packet.payload.hex()
    if packet.kind is PacketKind.MANUFACTURER:
        carrier, link = "manufacturer", f"manufacturer: {{company: 0x{packet.key:04X}}}"
    else:
        carrier, link = "service_data", f'service_data: {{uuid: "{short(str(packet.key)).removeprefix("0x").lower()}"}}'
    prefix = (
        "  # The first bytes that all frames of this format share belong into `prefix`: they tell it from others, are\n"
        f'  # no part of the payload, and `at` counts from behind them: {link[:-1]}, prefix: "{told[:4]}"}}\n'
    )
    return Part(LOADS, _bytes(packet.payload), "byte_0", f"bluetooth:\n{prefix}  {link}", f'    {carrier}: "{told}"')


def of_frame(octets: bytes, outcome: Outcome, profile: Profile) -> Part:
    """From a serial frame that the framing of `profile` cuts."""
    serial, packet, decoded = profile.file.serial, outcome.packet, outcome.decoded
    if serial is None or packet is None:
        return unframed(octets)
    placed = isinstance(serial.address, SerialAddress)
    keys = ("framing", "address", "rssi", "payload") if placed else ("framing", "payload")
    places = {key: _plain(getattr(serial, key)) for key in keys if key in serial.model_fields_set}
    link = "\n".join(("serial:", *(f"  {key}: {_flow(value)}" for key, value in places.items())))
    golden = [f'    serial: "{octets.hex()}"']
    if decoded is not None and decoded.address is not None:
        golden.append(f'    address: "{decoded.address}"')
    if decoded is not None and decoded.rssi is not None:
        golden.append(f"    rssi: {decoded.rssi}")
    file = profile.file
    head = f"address_bits: {file.address_bits}\norder: {file.order}\n"
    fields = _bytes(packet.payload[serial.payload.at :])
    return Part(LOADS if placed else NOBODY, fields, "byte_0", link, "\n".join(golden), head)


def unframed(octets: bytes) -> Part:
    """From bytes of a serial line in which nothing finds a frame."""
    link = (
        "serial:                             # README.md shows the other framings\n"
        "  framing:\n"
        "    start_length:\n"
        f'      start: "{octets[:2].hex()}"                 # the bytes that every frame begins with\n'
        "      length: {at: 2, type: u8, counts: body}\n"
        "      checksum: {name: CRC-16/MODBUS, covers_from: 2}\n"
        "      longest: 64\n"
        "  address: {at: 0, size: 4}         # whose frame it is, in what the framing unwraps\n"
        "  payload: {at: 4}                  # where `at` below `fields` begins to count"
    )
    return Part(UNFRAMED, _bytes(octets), "byte_0", link, f'    serial: "{octets.hex()}"', "address_bits: 32\n")


def of_line(text: str) -> Part:
    """From a line of text: JSON by its keys, everything else by what stands between its separators."""
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    return _of_json(text, told) if isinstance(told, dict) else _of_text(text)


def _of_json(text: str, told: dict[str, Any]) -> Part:
    rows, values = [], {}
    for key, value in told.items():
        name = re.sub(r"[^a-z0-9_]", "_", key.lower())[:40]
        usable = re.fullmatch(r"[a-z][a-z0-9_]*", name) and name not in values and "." not in key
        if usable and not isinstance(value, dict | list):
            number = isinstance(value, int | float) and not isinstance(value, bool)
            rows.append(f"  {name}: {{path: {_flow(key)}{', type: decimal' if number else ''}}}  # {json.dumps(value)}")
            values[name] = value
    whose, address = _whose(values)
    line = _line(text, '{line: {end: "0a", longest: 1024}}', whose, address)
    model = values.get("model")
    when = f"when: {_flow({'field': 'model', 'equals': model})}\n" if isinstance(model, str) else ""
    return Part(LOADS if whose else NOBODY, _rows(rows), next(iter(values), "field"), *line, when)


def _of_text(text: str) -> Part:
    separator = next((found for found, _ in Counter(re.findall(r"[,;|\t ]", text)).most_common(1)), ",")
    begins, *parts = text.split(separator)
    values: dict[str, Any] = {f"value_{number}": part for number, part in enumerate(parts, 1)}
    inner = re.escape(separator).join((re.escape(begins), *(f"(?P<{name}>[^{separator}]*)" for name in values)))
    rows = [f"  {name}: {{group: {name}}}  # {json.dumps(part)}" for name, part in values.items()]
    pattern = f"pattern: {_flow(inner)}   # the whole line (RE2)\n"
    whose, address = _whose(values)
    line = _line(text, '{line: {end: "0d0a", longest: 512}}', whose, address)
    return Part(LOADS if whose else NOBODY, _rows(rows), "value_1", *line, pattern)


def _line(text: str, framing: str, whose: str, address: Address) -> tuple[str, str]:
    """The link and the golden frame of a text line."""
    golden = f"    line: {_flow(text)}"
    if not whose:
        return f"serial:\n  framing: {framing}\n  # address: {{field: …}}", golden
    return f"serial:\n  framing: {framing}\n  address: {whose}", f'{golden}\n    address: "{address}"'


def _whose(values: dict[str, Any]) -> tuple[str, Address]:
    """The field that most likely says whose line it is, and the address that it holds; empty where none does."""
    for name, value in values.items():
        if isinstance(value, int) and not isinstance(value, bool) and name == "id" and 0 <= value < 1 << 32:
            return f"{{field: {name}, digits: 8}}", f"{value:08x}"
        if isinstance(value, str) and ID.fullmatch(value):
            return f"{{field: {name}}}", re.sub(r"[^0-9a-z]", "", value.lower())
    return "", ""


def _bytes(payload: bytes) -> str:
    rows = []
    for at, number in enumerate(payload):
        seen = f', "{chr(number)}"' if 0x20 < number < 0x7F and chr(number) not in '"\\' else ""
        rows.append(f"  byte_{at}: {{at: {at}}}".ljust(28) + f"# 0x{number:02x}, {number}{seen}")
    return _rows(rows, "one for each byte; behind it what the captured frame holds")


def _rows(rows: Sequence[str], about: str = "behind each what the captured line holds") -> str:
    return "\n".join((f"fields:                     # {about}", *rows)) if rows else "fields: {}"


def _flow(value: Any) -> str:
    """YAML in one line."""
    written: str = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=1 << 20)
    return written.removesuffix("\n").removesuffix("\n...")


def _plain(value: Any) -> Any:
    """A part of a profile as it is written: what it says itself, bytes as hex digits."""
    match value:
        case Shape():
            return {
                key: _plain(getattr(value, key)) for key in type(value).model_fields if key in value.model_fields_set
            }
        case bytes():
            return value.hex()
        case Enum():
            return value.value
        case tuple():
            return [_plain(inner) for inner in value]
        case _:
            return value
