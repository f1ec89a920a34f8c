"""What was read as JSON lines, one object for each device heard: the form that programs take. Pure."""

from collections.abc import Iterator

import msgspec

from drivers.base import (
    Address,
    Auth,
    Counter,
    Decoded,
    Edge,
    KeyPress,
    Level,
    Measurement,
    Metric,
    Occurrence,
    OccurrenceKind,
    Packet,
    PacketKind,
    Said,
)
from drivers.profile.compiled import Profile
from drivers.registry import Profiles
from gateway.cli.bench import Outcome, Read, Refused
from gateway.trust import BEST_FIRST

FAILED = "failed"
AUTHS = (FAILED, *(each.value for each in reversed(BEST_FIRST)))
"""Of the sections of one advert that say something, the first of these counts."""


class Event(msgspec.Struct, frozen=True):
    """An occurrence as one packet tells it; copies of one event share their `repeat_key`."""

    kind: OccurrenceKind
    press: KeyPress | None
    repeat_key: str | None


class Device(msgspec.Struct, frozen=True):
    """What one device said. `values` holds null for what it says that it has no value of."""

    profile: str | None
    device: Address | None
    values: dict[Metric, float | int | bool | None] = {}
    occurrences: tuple[Event, ...] = ()
    auth: str = Auth.NONE.value
    errors: tuple[str, ...] = ()


class Numbers:
    """The numbers that devices have proven so far: one that does not rise is a replay."""

    def __init__(self) -> None:
        self._highest: dict[tuple[str, Address | None], int] = {}

    def judge(self, profile: str, device: Address | None, said: Said) -> Auth:
        if said.auth is not Auth.OK or said.counter is None:
            return said.auth
        highest = self._highest.get((profile, device), -1)
        self._highest[profile, device] = max(highest, said.counter)
        return Auth.OK if said.counter > highest else Auth.REPLAYED


def devices(read: Read, profiles: Profiles, numbers: Numbers) -> list[Device]:
    """One for each device heard; where nothing could be read, one that says why."""
    found: dict[Address | None, Device] = {}
    for each in _devices(read, profiles, numbers):
        before = found.get(each.device)
        found[each.device] = each if before is None else _merged(before, each)
    wrong = read.sections.wrong if read.sections else ()
    if not found:
        refused = list(strays(read))
        by = next((each.by for each in refused if each.by), None)
        return [Device(by, read.sender, errors=(*map(str, refused), *unknown(read), *wrong))]
    return [msgspec.structs.replace(each, errors=(*each.errors, *wrong)) for each in found.values()]


def strays(read: Read) -> Iterator[Refused]:
    """What was refused and says of no device: broken frames, and rubbish between them."""
    return (outcome.refused for outcome in read.outcomes if outcome.refused and not _of_device(outcome))


def unknown(read: Read) -> Iterator[str]:
    """What no profile reads, and why the nearest ones do not."""
    for outcome in read.outcomes:
        if outcome.decoded is None and outcome.refused is None:
            whys = "; ".join(f"{name}: {why}" for name, why in outcome.others)
            yield f"{outcome.title}: {whys or 'no profile looks at it'}"
    if not read.outcomes:
        yield "no section that a profile could read"


def device_of(packet: Packet, decoded: Decoded) -> Address | None:
    """As fully as it is known: what the payload says, who sent it, what the frame says. Zeros are nobody's."""
    known = (decoded.said.address, packet.address, decoded.address)
    return next((address for address in known if address is not None and address.strip("0")), None)


def _devices(read: Read, profiles: Profiles, numbers: Numbers) -> Iterator[Device]:
    for outcome in read.outcomes:
        if outcome.relayed is not None:
            yield from devices(outcome.relayed, profiles, numbers)
        elif outcome.packet is not None and outcome.decoded is not None:
            yield _decoded(outcome.packet, outcome.decoded, profiles[outcome.decoded.profile], numbers)
        elif outcome.refused is not None and _of_device(outcome):
            auth = FAILED if outcome.refused.reason == "decryption" else Auth.NONE.value
            yield Device(outcome.refused.by, read.sender, auth=auth, errors=(str(outcome.refused),))


def _decoded(packet: Packet, decoded: Decoded, profile: Profile, numbers: Numbers) -> Device:
    said, device = decoded.said, device_of(packet, decoded)
    absent = (metric for name in said.absent if (metric := _metric(profile, name)) is not None)
    values: dict[Metric, float | int | bool | None] = dict.fromkeys(absent)
    values |= {each.metric: each.value for each in said.readings if isinstance(each, Measurement)}
    events = (event_of(each) for each in said.readings if isinstance(each, Occurrence))
    return Device(
        decoded.profile,
        device,
        values,
        tuple(event for event in events if event is not None),
        numbers.judge(decoded.profile, device, said).value,
        tuple(f"absurd: {name} is out of bounds, or contradicts another field" for name in said.absurd),
    )


def event_of(occurrence: Occurrence) -> Event | None:
    """None where nothing happened: no event since power-up, or a condition that is not there."""
    if occurrence.kind is OccurrenceKind.NONE:
        return None
    match occurrence.behaviour:
        case Level(active=False):
            return None
        case Counter(value=number) | Edge(key=int(number)):
            return Event(occurrence.kind, occurrence.press, str(number))
        case _:
            return Event(occurrence.kind, occurrence.press, None)


def _metric(profile: Profile, name: str) -> Metric | None:
    """What a field measures; a decoder names the metric itself."""
    for way in profile.file.ways:
        if name in way.fields:
            return way.fields[name].metric
    return next((metric for metric in Metric if metric == name), None)


def _of_device(outcome: Outcome) -> bool:
    """Whether it is known, by whoever sent it, whose packet this is."""
    return outcome.packet is not None and outcome.packet.kind is not PacketKind.FRAME


def _merged(one: Device, other: Device) -> Device:
    """Two sections of one device. Its profile, and how far it is proven, are those of what says something."""
    telling = [each for each in (one, other) if each.values or each.occurrences] or [one, other]
    added = {metric: value for metric, value in other.values.items() if value is not None or metric not in one.values}
    return Device(
        telling[0].profile,
        one.device,
        one.values | added,
        (*one.occurrences, *other.occurrences),
        min((each.auth for each in telling), key=AUTHS.index),
        (*one.errors, *other.errors),
    )
