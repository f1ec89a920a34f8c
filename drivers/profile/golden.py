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
    Identity,
    Instant,
    Level,
    Measurement,
    Occurrence,
    Packet,
    PacketKind,
)
from drivers.profile.compiled import Profile, characteristics
from drivers.profile.model import Golden, Notified, Told
from drivers.profile.recognition import carriers
from drivers.profile.shape import Finding

CURE = "correct the field that reads it, or the golden frame if that is what is wrong"
NOT_RECOGNISED = "not_recognised"
"""How a frame is refused that is not of this profile at all."""
ANY_ADDRESS = "0" * 12
"""Of golden adverts that state no sender: an advert's address is not in its bytes."""


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
        "press": occurrence.press,
        "button": occurrence.button,
    }
    match occurrence.behaviour:
        case Counter(value=number, fresh=fresh):
            return Told.model_construct(**terms, counter=number, fresh=fresh)
        case Level(active=active):
            return Told.model_construct(**terms, active=active)
        case Edge(key=key):
            return Told.model_construct(**terms, key=key)
        case Identity():
            return Told.model_construct(**terms)


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
    pressed = ("press", occurrence.press), ("button", occurrence.button)
    return ("service", occurrence.service), *pressed, ("counter", occurrence.counter), ("key", occurrence.key)


def _differences(profile: Profile, frame: Golden) -> Iterator[str]:
    ways = list(_ways(profile, frame))
    if not ways:
        yield "states no bytes: give payload, manufacturer, service_data, characteristic, serial or line"
    for carrier, decode in ways:
        try:
            decoded = decode()
        except BadFrame as refused:
            reason = refused.reason
        else:
            if decoded is not None and not frame.refused:
                yield from _compared(frame, decoded, serial=carrier in ("serial", "line"))
                continue
            reason = "read" if decoded is not None else NOT_RECOGNISED
        if reason != (frame.refused or "read"):
            stated = f"refused as {frame.refused}" if frame.refused else "read"
            yield f"{carrier} is stated to be {stated} and is {'read' if reason == 'read' else f'refused as {reason}'}"


def _ways(profile: Profile, frame: Golden) -> Iterator[tuple[str, Callable[[], Decoded | None]]]:
    if frame.payload is not None:
        yield "payload", partial(_payload, profile, frame, frame.payload)
    sections = (PacketKind.MANUFACTURER, frame.manufacturer), (PacketKind.SERVICE_DATA, frame.service_data)
    for kind, octets in sections:
        if octets is not None:
            yield kind.value, partial(_advert, profile, frame, octets, kind)
    if frame.characteristic is not None:
        yield "characteristic", partial(_characteristic, profile, frame.characteristic)
    if frame.serial is not None:
        yield "serial", partial(_frame, profile, frame.serial)
    if frame.line is not None:
        yield "line", partial(_line, profile, frame.line)


def _payload(profile: Profile, frame: Golden, octets: bytes) -> Decoded | None:
    said = profile.read(octets, frame.sender, frame.key)
    return None if said is None else Decoded(profile.name, None, None, said)


def _advert(profile: Profile, frame: Golden, octets: bytes, kind: PacketKind) -> Decoded | None:
    packet = Packet("golden", kind, profile.name, octets, Instant(0, 0), frame.sender or ANY_ADDRESS)
    for carrier in carriers(profile.file.bluetooth):
        if carrier.kind is kind and octets.startswith(carrier.prefix):
            return profile.advert(carrier, lambda _: frame.key)(packet)
    return None


def _characteristic(profile: Profile, notified: Notified) -> Decoded | None:
    if notified.uuid not in characteristics(profile.file.bluetooth):
        return None
    at = Instant(0, 0)
    packet = Packet("golden", PacketKind.CHARACTERISTIC, notified.uuid, notified.payload, at, ANY_ADDRESS)
    return profile.characteristic(packet)


def _frame(profile: Profile, octets: bytes) -> Decoded | None:
    found = profile.framing.deframer().feed(octets) if profile.framing else []
    if len(found) != 1 or profile.frame is None:
        return None
    if isinstance(found[0], BadFrame):
        raise found[0]
    return profile.frame(Packet("golden", PacketKind.FRAME, profile.name, found[0], Instant(0, 0)))


def _line(profile: Profile, text: str) -> Decoded | None:
    if profile.framing is None:
        return None
    return _frame(profile, profile.framing.wrap(text.encode()))


def _compared(frame: Golden, decoded: Decoded, *, serial: bool) -> Iterator[str]:
    said = decoded.said
    read = {each.metric: each.value for each in said.readings if isinstance(each, Measurement)}
    for metric in dict.fromkeys((*frame.values, *read)):
        if frame.values.get(metric) != read.get(metric):
            yield _difference(metric.value, frame.values.get(metric), read.get(metric))
    happened = [told(each) for each in said.readings if isinstance(each, Occurrence)]
    for missing in (each for each in frame.occurrences if each not in happened):
        yield f"states '{wording(missing)}', which is not decoded"
    for added in (each for each in happened if each not in frame.occurrences):
        yield f"decodes to '{wording(added)}', which is not stated"
    for name, stated, found in _besides(frame, decoded, serial=serial):
        if stated != found:
            yield _difference(name, stated, found)


def _besides(frame: Golden, decoded: Decoded, *, serial: bool) -> Iterator[tuple[str, object, object]]:
    """What else a golden frame states, and what was found."""
    said = decoded.said
    yield "absurd", ", ".join(frame.absurd), ", ".join(said.absurd)
    if frame.absent is not None:
        yield "absent", ", ".join(frame.absent), ", ".join(said.absent)
    yield "auth", frame.auth.value, said.auth.value
    yield "counter", frame.counter, said.counter
    yield "reply", _hex(frame.reply), _hex(said.reply)
    if serial:
        yield "address", frame.address, decoded.address
        yield "rssi", frame.rssi, decoded.rssi


def _hex(octets: bytes | None) -> str | None:
    return octets.hex() if octets is not None else None


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
