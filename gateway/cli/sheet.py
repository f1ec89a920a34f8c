"""What was read, for people: every field with its bytes, the rule that read it, and why other profiles did not."""

import re
from collections.abc import Iterator, Sequence

from drivers.base import UNITS, BadFrame, Decoded, KeyOf, Measurement, Metric, Occurrence, Packet, PacketKind
from drivers.ble.sections import FLAGS, NAMES, Section, Sections, listed, maker, served
from drivers.decoders.contract import Part
from drivers.profile.compiled import Profile
from drivers.profile.explain import explained
from drivers.profile.golden import told, wording
from drivers.profile.recognition import carriers
from drivers.registry import Profiles
from gateway.cli.bench import Outcome, Read, short
from gateway.cli.objects import device_of


class Sheet:
    """`key_of` gives the keys that the payloads were read with."""

    def __init__(self, profiles: Profiles, key_of: KeyOf) -> None:
        self._profiles, self._key_of = profiles, key_of

    def lines(self, read: Read) -> Iterator[str]:
        yield from self._read(read)
        if not read.decoded:
            yield "nothing recognised"

    def _read(self, read: Read) -> Iterator[str]:
        if read.where:
            yield read.where
        if read.sections is not None:
            yield from self._advert(read.sections)
        for outcome in read.outcomes:
            yield from self._outcome(outcome)
            if outcome.relayed is not None:
                yield from self._read(outcome.relayed)

    def _advert(self, advert: Sections) -> Iterator[str]:
        rows = [("at", "type", "bytes", "what")]
        rows += [(_span(each), f"0x{each.ad_type:02X}", each.content.hex(), _what(each)) for each in advert.all]
        yield "advert"
        yield from table(rows)
        yield from (f"  wrong: {wrong}" for wrong in advert.wrong)
        connect = self._profiles.connect(advert.services, advert.manufacturer, advert.service_data)
        if connect is not None:
            yield f"  it is connected to for {', '.join(map(short, dict.fromkeys((*connect.notify, *connect.read))))}"

    def _outcome(self, outcome: Outcome) -> Iterator[str]:
        packet, decoded, refused = outcome.packet, outcome.decoded, outcome.refused
        if packet is not None and decoded is not None:
            yield from self._decoded(outcome.title, packet, decoded)
        elif refused is not None:
            yield f"{f'{refused.by}, ' if refused.by else ''}{outcome.title}: {refused}: {outcome.octets.hex()}"
        else:
            yield f"{outcome.title}: {outcome.octets.hex()}"
            if not outcome.others:
                yield "  no profile looks at it"
        yield from (f"  not {name}: {why}" for name, why in outcome.others)

    def _decoded(self, title: str, packet: Packet, decoded: Decoded) -> Iterator[str]:
        said, sender = decoded.said, device_of(packet, decoded)
        rssi = decoded.rssi if decoded.rssi is not None else packet.rssi
        whose = f" from {sender}" if sender else " of the receiver itself" if decoded.address is None else ""
        yield f"{decoded.profile}, {title}{whose}{'' if rssi is None else f', rssi {rssi} {UNITS[Metric.RSSI]}'}"
        if packet.kind is PacketKind.CHARACTERISTIC:
            yield from (f"  {worded(each)}" for each in said.readings if isinstance(each, Measurement))
        else:
            yield from self._fields(self._profiles[decoded.profile], packet)
        yield from (f"  occurrence: {wording(told(each))}" for each in said.readings if isinstance(each, Occurrence))
        if said.absurd:
            yield f"  absurd, nothing is read from: {', '.join(said.absurd)}"
        if decoded.address is not None:
            yield f"  auth: {said.auth.value}{'' if said.counter is None else f', number {said.counter}'}"
        if said.reply is not None:
            yield f"  it waits for the reply {said.reply.hex()}"

    def _fields(self, profile: Profile, packet: Packet) -> Iterator[str]:
        begin = _begin(profile, packet)
        payload = packet.payload[begin:]
        try:
            parts = explained(profile, payload, packet.address, self._key_of(packet.address or ""))
        except BadFrame:  # the receiver speaks of itself, in fewer bytes
            parts = []
        if begin:
            yield f"  in front of the payload: {packet.payload[:begin].hex()}"
        yield from table([("at", "bytes", "field", "raw", "value"), *parts])
        yield from (f"  no field reads {place}: {octets}" for place, octets in _unread(parts, payload))


def table(told: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Rows under each other; what a terminal would take for a command is shown as something else."""
    rows = [
        ["".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in cell) for cell in row]
        for row in told
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def worded(measured: Measurement) -> str:
    """`heart_rate 72 /min`"""
    unit = UNITS.get(measured.metric, "")
    return f"{measured.metric.value} {str(measured.value).lower()} {'' if unit == '1' else unit}".rstrip()


def _span(section: Section) -> str:
    return f"{section.at}-{section.at + 1 + len(section.content)}"


def _what(section: Section) -> str:
    """What a section is, in words; nothing where no word of ours fits."""
    if (made := maker(section)) is not None:
        return f"manufacturer data of company 0x{made[0]:04X}"
    if (data := served(section)) is not None:
        return f"service data of {short(data[0])}"
    if section.ad_type == FLAGS:
        return "flags"
    if section.ad_type in NAMES:
        return f"name {section.content.decode('utf-8', 'replace')!r}"
    services = ", ".join(map(short, listed(section)))
    return f"services {services}" if services else ""


def _begin(profile: Profile, packet: Packet) -> int:
    """Where the payload begins in a packet that `profile` reads."""
    if packet.kind is PacketKind.FRAME:
        return profile.file.serial.payload.at if profile.file.serial else 0
    fits = (each for each in carriers(profile.file.bluetooth) if each[:2] == (packet.kind, packet.key))
    return max((each.skipped for each in fits if packet.payload.startswith(each.prefix)), default=0)


def _unread(parts: Sequence[Part], payload: bytes) -> Iterator[tuple[str, str]]:
    """Runs of bytes that no field stands in; none where fields are found by other things than their bytes."""
    read: set[int] = set()
    for part in parts:
        if (stands := re.match(r"(\d+)(?:-(\d+))?", part.place)) is not None:
            read.update(range(int(stands[1]), int(stands[2] or stands[1]) + 1))
    free = [at for at in range(len(payload)) if at not in read] if read or not parts else []
    for begin in (at for at in free if at - 1 not in free):
        end = next(at for at in range(begin, len(payload) + 1) if at not in free)
        yield f"{begin}" if end - begin == 1 else f"{begin}-{end - 1}", payload[begin:end].hex()
