"""Golden frames: bytes of which somebody knows what they mean. A profile that reads them otherwise is refused."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from drivers.base import (
    BadFrame,
    BuzzPattern,
    Counter,
    Decoded,
    Edge,
    Instant,
    Level,
    Measurement,
    Occurrence,
    Packet,
    PacketKind,
)
from drivers.profile.checks import Finding
from drivers.profile.compiled import Profile, characteristics
from drivers.profile.model import Golden, Notified, Told

CURE = "correct the field that reads it, or the golden frame if that is what is wrong"
ANY_ADDRESS = "0" * 12
"""Golden adverts state no address: an advert's address is not in its bytes."""


def disproved(profile: Profile) -> list[Finding]:
    """Every difference between what the golden frames state and what the profile reads from them."""
    frames = enumerate(profile.file.golden)
    findings = [
        Finding(("golden", number), f"golden frame '{frame.name}': {difference}", CURE)
        for number, frame in frames
        for difference in _differences(profile, frame)
    ]
    return [*findings, *_writes(profile)]


def told(occurrence: Occurrence) -> Told:
    """An occurrence in the words that profiles use for it."""
    terms: dict[str, Any] = {
        "kind": occurrence.kind,
        "service": occurrence.service,
        "window": occurrence.window_ms,
        "confirms_fall": occurrence.confirms_fall,
    }
    match occurrence.behaviour:
        case Counter(value=number, fresh=fresh):
            return Told.model_construct(**terms, counter=number, fresh=fresh)
        case Level(active=active):
            return Told.model_construct(**terms, active=active)
        case Edge(key=key):
            return Told.model_construct(**terms, key=key)


def wording(occurrence: Told) -> str:
    """`sos, counter 17, fresh`: what is stated of an occurrence, in a line."""
    said = [occurrence.kind.value]
    said += [f"{name} {value}" for name, value in _numbers(occurrence) if value is not None]
    if occurrence.fresh is not None:
        said.append("fresh" if occurrence.fresh else "not fresh")
    if occurrence.active is not None:
        said.append("active" if occurrence.active else "not active")
    if occurrence.window:
        said.append(f"window {occurrence.window / 1000:g}s")
    return ", ".join([*said, "confirms a fall"] if occurrence.confirms_fall else said)


def _numbers(occurrence: Told) -> tuple[tuple[str, int | str | None], ...]:
    return ("service", occurrence.service), ("counter", occurrence.counter), ("key", occurrence.key)


def _differences(profile: Profile, frame: Golden) -> Iterator[str]:
    ways = list(_ways(profile, frame))
    if not ways:
        yield "states no bytes: give payload, manufacturer, service_data, characteristic or serial"
    for carrier, decode in ways:
        try:
            decoded = decode()
        except BadFrame as refused:
            if refused.reason != frame.refused:
                stated = f"refused as {frame.refused}" if frame.refused else "read"
                yield f"{carrier} is stated to be {stated} and is refused as {refused.reason}"
            continue
        if frame.refused:
            yield f"{carrier} is stated to be refused as {frame.refused} and is read"
        else:
            yield from _compared(frame, decoded, serial=carrier == "serial")


def _ways(profile: Profile, frame: Golden) -> Iterator[tuple[str, Callable[[], Decoded]]]:
    if frame.payload is not None:
        yield "payload", partial(_payload, profile, frame.payload)
    bluetooth = profile.file.bluetooth
    sections = (
        ("manufacturer", frame.manufacturer, bluetooth.manufacturer if bluetooth else None, PacketKind.MANUFACTURER),
        ("service_data", frame.service_data, bluetooth.service_data if bluetooth else None, PacketKind.SERVICE_DATA),
    )
    for carrier, octets, section, kind in sections:
        if octets is not None:
            yield carrier, partial(_advert, profile, octets, section.prefix if section else None, kind)
    if frame.characteristic is not None:
        yield "characteristic", partial(_characteristic, profile, frame.characteristic)
    if frame.serial is not None:
        yield "serial", partial(_frame, profile, frame.serial)


def _payload(profile: Profile, octets: bytes) -> Decoded:
    return Decoded(profile.name, None, None, *profile.read(octets))


def _advert(profile: Profile, octets: bytes, prefix: bytes | None, kind: PacketKind) -> Decoded:
    if prefix is None or not octets.startswith(prefix):
        raise BadFrame("not_recognised", octets)
    packet = Packet("golden", kind, profile.name, octets, Instant(0, 0), ANY_ADDRESS)
    return profile.advert(prefix)(packet)


def _characteristic(profile: Profile, notified: Notified) -> Decoded:
    if notified.uuid not in characteristics(profile.file.bluetooth):
        raise BadFrame("not_recognised", notified.payload)
    at = Instant(0, 0)
    packet = Packet("golden", PacketKind.CHARACTERISTIC, notified.uuid, notified.payload, at, ANY_ADDRESS)
    return profile.characteristic(packet)


def _frame(profile: Profile, octets: bytes) -> Decoded:
    found = profile.framing.deframer().feed(octets) if profile.framing else []
    if len(found) != 1 or profile.frame is None:
        raise BadFrame("not_recognised", octets)
    if isinstance(found[0], BadFrame):
        raise found[0]
    return profile.frame(Packet("golden", PacketKind.FRAME, profile.name, found[0], Instant(0, 0)))


def _compared(frame: Golden, decoded: Decoded, *, serial: bool) -> Iterator[str]:
    read = {each.metric: each.value for each in decoded.readings if isinstance(each, Measurement)}
    for metric in dict.fromkeys((*frame.values, *read)):
        if frame.values.get(metric) != read.get(metric):
            yield _difference(metric.value, frame.values.get(metric), read.get(metric))
    happened = [told(each) for each in decoded.readings if isinstance(each, Occurrence)]
    for missing in (each for each in frame.occurrences if each not in happened):
        yield f"states '{wording(missing)}', which is not decoded"
    for added in (each for each in happened if each not in frame.occurrences):
        yield f"decodes to '{wording(added)}', which is not stated"
    if frame.absurd != decoded.absurd:
        yield _difference("absurd", ", ".join(frame.absurd), ", ".join(decoded.absurd))
    if serial and frame.address != decoded.address:
        yield _difference("address", frame.address, decoded.address)
    if serial and frame.rssi != decoded.rssi:
        yield _difference("rssi", frame.rssi, decoded.rssi)


def _difference(name: str, stated: Any, decoded: Any) -> str:
    words = ["nothing" if value is None or value == "" else str(value).lower() for value in (stated, decoded)]
    return f"{name} is stated as {words[0]}, decoded as {words[1]}"


def _writes(profile: Profile) -> Iterator[Finding]:
    for number, write in enumerate(profile.file.golden_writes):
        made = profile.buzz("serial:golden", write.address, BuzzPattern[write.buzz.upper()])
        octets = made.payload.hex() if made else "nothing"
        if octets != write.serial.hex():
            what = f"buzz {write.buzz} to {write.address} is stated as {write.serial.hex()}, written as {octets}"
            yield Finding(("golden_writes", number), what, "correct serial: or the golden write")
