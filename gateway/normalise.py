"""From bytes' readings to meaning: whose they are, what is telemetry, what is an alert's business. No I/O."""

from collections import OrderedDict
from collections.abc import Collection, Sequence

import msgspec

from drivers.base import (
    Address,
    Auth,
    Counter,
    Decoded,
    Measurement,
    Metric,
    Occurrence,
    OccurrenceKind,
    Packet,
    Reading,
)
from drivers.profile.buttons import mapper
from gateway import battery
from gateway.clock import Clock
from gateway.counters import Counters
from gateway.episodes import Episodes, Event, Ruling, Verdict, event_of
from gateway.identity import press_key, stranger, unique_id
from gateway.inputs import Confirmed, Copied, Ended, Input, Pressed, Withdrawn
from gateway.model import AlertKey, AlertKind, Heard, Moment, Press, Put, Sample, Values, Wearable
from gateway.roster import Roster
from gateway.sightings import Sightings
from gateway.trials import Trial, Trials
from gateway.trust import calls, credible, worse

_KINDS = {
    OccurrenceKind.SOS: AlertKind.SOS,
    OccurrenceKind.TEST: AlertKind.SOS,
    OccurrenceKind.FALL: AlertKind.FALL,
    OccurrenceKind.BUTTON: AlertKind.BUTTON,
    OccurrenceKind.SERVICE_REQUEST: AlertKind.SERVICE_REQUEST,
    OccurrenceKind.LOW_BATTERY: AlertKind.LOW_BATTERY,
    OccurrenceKind.TAKEN_OFF: AlertKind.NOT_WORN,
    OccurrenceKind.TAMPER: AlertKind.TAMPER,
}
STRANGERS = 4096
_FRESH = (Auth.OK, Auth.NONE)


class Remember(msgspec.Struct, frozen=True):
    """Nothing for people, but it must survive a restart: a baseline, for one."""

    change: Put


class Secrets(msgspec.Struct, frozen=True):
    """`fleet` is shared by the stations, None where none is set; `box` never leaves this one."""

    fleet: bytes | None
    box: bytes


class Events(msgspec.Struct, frozen=True):
    """What a packet came to. `kept` belongs to the readings; `unproven` counts what was refused for lack of proof."""

    sample: Sample | None
    inputs: list[Input | Remember]
    missed: int = 0
    unproven: int = 0
    kept: Put | None = None

    @property
    def count(self) -> int:
        """How much of it is news: copies and baselines are not."""
        news = [given for given in self.inputs if not isinstance(given, Remember | Copied)]
        return len(news) + (self.sample is not None)


class Route(msgspec.Struct, frozen=True, gc=False):
    """Where a device was last heard, for what is to be written to it."""

    link: str
    profile: str
    address: Address
    """As heard on that link: over Bluetooth the whole address, whatever of it the profile shows elsewhere."""


class _Told(msgspec.Struct):
    """An event that is on the air: the alert that its first frame went to, and the links that were told of it."""

    key: AlertKey
    links: set[str]


class _Scene(msgspec.Struct, frozen=True, gc=False):
    """What every occurrence of one packet shares."""

    wearable: Wearable
    heard: Heard
    at: Moment
    zone: str | None
    worn: bool | None
    auth: Auth


class Normaliser:
    """`lenient` names the profiles whose readings count even where a frame does not prove what its device could.

    `test`: nothing that is heard is meant, so all that comes of it says so.
    """

    def __init__(
        self,
        roster: Roster,
        episodes: Episodes,
        counters: Counters,
        secrets: Secrets,
        clock: Clock,
        lenient: Collection[str] = (),
        *,
        test: bool = False,
    ) -> None:
        self.episodes = episodes
        self.sightings = Sightings()
        self.trials = Trials(roster, clock.moment)
        self._test = test
        self._counters = counters
        self._roster = roster
        self._secrets = secrets
        self._clock = clock
        self._lenient = lenient
        self._mappers = {device.id: mapper(device.buttons) for device in roster.devices if device.buttons}
        self._wearables: OrderedDict[Address, Wearable] = OrderedDict()
        self._routes: dict[Address, Route] = {}
        self._told: OrderedDict[Address, dict[Event, _Told]] = OrderedDict()

    def route(self, address: Address) -> Route | None:
        return self._routes.get(address)

    def __call__(self, packet: Packet, decoded: Decoded, address: Address, zone: str | None) -> Events:
        wearable = self._wearable(address)
        at = self._clock.stamp(packet.received)
        proof = self._counters.prove(wearable.address, decoded.said, at)
        doubted, said = proof.doubted, self._mapped(wearable, decoded.said.readings)
        readings = credible(said, proof, lenient=decoded.profile in self._lenient) if doubted else said
        heard = Heard(packet.link, decoded.rssi if decoded.rssi is not None else packet.rssi)
        values: Values = {r.metric: r.value for r in readings if isinstance(r, Measurement)}
        sample = Sample(wearable, at, values, self._test) if values and wearable.registered else None
        worn = values.get(Metric.WORN)
        scene = _Scene(wearable, heard, at, zone, bool(worn) if worn is not None else None, proof.auth)
        inputs: list[Input | Remember] = []
        missed, flat = 0, None
        for occurrence in readings:
            if isinstance(occurrence, Occurrence):
                flat = battery.bit(occurrence, flat)
                known, apart = wearable.registered, doubted and calls(occurrence)
                ruling = self.episodes.hear(wearable.address, occurrence, at, registered=known, doubted=apart)
                missed += ruling.missed
                inputs += self._inputs(ruling, occurrence, scene)
        if wearable.registered:
            self._routes[wearable.address] = Route(packet.link, decoded.profile, packet.address or address)
            self.sightings.see(wearable, at, heard, decoded.profile, values, flat)
        kept = proof.change
        if kept is not None and (inputs or any(map(calls, readings))):  # kept after what it proves, and not before
            inputs.append(Remember(kept))
            kept = None
        return Events(sample, inputs, missed, 0 if proof.copy else len(said) - len(readings), kept)

    def _mapped(self, wearable: Wearable, readings: Sequence[Reading]) -> Sequence[Reading]:
        """What a press stands for by the roster, where the format did not say."""
        mapped = self._mappers.get(wearable.device)
        if mapped is None:
            return readings
        return [mapped(reading) if isinstance(reading, Occurrence) else reading for reading in readings]

    def _inputs(self, ruling: Ruling, occurrence: Occurrence, scene: "_Scene") -> list[Input | Remember]:
        wearable = scene.wearable
        match ruling.verdict:
            case Verdict.NOTHING:
                return _remembered(ruling, wearable)
            case Verdict.COPY:
                return self._copied(occurrence, scene) + _remembered(ruling, wearable)
            case Verdict.ENDED:
                return self._ended(ruling, occurrence, wearable)
            case Verdict.PRESS:
                return self._pressed(ruling, occurrence, scene)

    def _copied(self, occurrence: Occurrence, scene: "_Scene") -> list[Input | Remember]:
        """Only a link that had not heard this press is news."""
        wearable, heard = scene.wearable, scene.heard
        kind = _KINDS.get(occurrence.kind)
        if kind is None:
            return []
        events = self._told.get(wearable.address)
        if events is None:
            events = self._tell(wearable.address, {})
        told = events.setdefault(event_of(occurrence), _Told(self._key(wearable, kind, occurrence), set()))
        if heard.link in told.links:
            return []
        told.links.add(heard.link)
        return [Copied(told.key, heard, wearable.zone or scene.zone)]

    def _ended(self, ruling: Ruling, occurrence: Occurrence, wearable: Wearable) -> list[Input | Remember]:
        """What takes something back (put on, cancelled) is no alert: its own end ends none."""
        kind = _KINDS.get(occurrence.kind)
        low = kind is AlertKind.LOW_BATTERY and self.sightings.low(wearable.device)  # its level says otherwise
        if kind is not None and not low:
            return [Ended(self._key(wearable, kind), _kept(ruling, wearable))]
        return _remembered(ruling, wearable)

    def _tell(self, address: Address, events: dict[Event, _Told]) -> dict[Event, _Told]:
        """Remember which links were told of a device's events; of the rest the longest untold is forgotten."""
        self._told[address] = events
        self._told.move_to_end(address)
        if len(self._told) > STRANGERS + len(self._roster.devices):
            self._told.popitem(last=False)
        return events

    def _pressed(self, ruling: Ruling, occurrence: Occurrence, scene: "_Scene") -> list[Input | Remember]:
        wearable = scene.wearable
        match occurrence.kind:
            case OccurrenceKind.FALL_CANCELLED:
                return [Withdrawn(self._key(wearable, AlertKind.FALL), _kept(ruling, wearable))]
            case OccurrenceKind.PUT_ON:
                return [Ended(self._key(wearable, AlertKind.NOT_WORN), _kept(ruling, wearable))]
        kind = _KINDS[occurrence.kind]
        trial = self._trial(ruling, occurrence, scene)
        key = self._key(wearable, kind, occurrence, tried=trial is not None)
        self._tell(wearable.address, {event_of(occurrence): _Told(key, {scene.heard.link})})
        pressed = Pressed(
            key=key,
            wearable=wearable,
            press=Press(self._press_key(wearable, kind, occurrence), scene.at, occurrence.press, occurrence.button),
            heard=scene.heard,
            new_id=unique_id(self._clock.now(), self._clock.random(10)),
            auth=worse(scene.auth, Auth.REPLAYED) if ruling.replayed else scene.auth,
            late=ruling.late,
            worn=scene.worn,
            zone=wearable.zone or scene.zone,
            window_ms=occurrence.window_ms,
            tester=trial.by if trial else None,
            change=ruling.change,
        )
        return [pressed, Confirmed(self._key(wearable, AlertKind.FALL))] if occurrence.confirms_fall else [pressed]

    def _trial(self, ruling: Ruling, occurrence: Occurrence, scene: "_Scene") -> Trial | None:
        """The test window that a press uses up: none where it is not surely made just now, by a device of ours."""
        surely = scene.wearable.registered and not ruling.late and not ruling.replayed and scene.auth in _FRESH
        if occurrence.kind is not OccurrenceKind.SOS or not surely:
            return None
        return self.trials.take(scene.wearable.device, scene.at)

    def _key(
        self, wearable: Wearable, kind: AlertKind, occurrence: Occurrence | None = None, *, tried: bool = False
    ) -> AlertKey:
        service = occurrence.service if occurrence else None
        test = self._test or tried or (occurrence is not None and occurrence.kind is OccurrenceKind.TEST)
        return AlertKey(wearable.subject, kind, service, test=test)

    def _press_key(self, wearable: Wearable, kind: AlertKind, occurrence: Occurrence) -> str | None:
        if self._secrets.fleet is None or not isinstance(occurrence.behaviour, Counter):
            return None
        counter = occurrence.behaviour.value
        return press_key(self._secrets.fleet, wearable.address, kind.value, occurrence.service, counter)

    def _wearable(self, address: Address) -> Wearable:
        known = self._wearables.get(address)
        if known is not None:
            return known
        device = self._roster.find(address)
        if device is not None:
            found = Wearable(address, device.id, device.wearer, device.zone, registered=True)
        else:
            name = stranger(self._secrets.fleet or self._secrets.box, address)
            found = Wearable(address, name, None, None, registered=False)
        self._wearables[address] = found
        if len(self._wearables) > STRANGERS + len(self._roster.devices):
            self._wearables.popitem(last=False)
        return found


def _kept(ruling: Ruling, wearable: Wearable) -> Put | None:
    """What must survive a restart: of a stranger nothing but a press, for presses of made-up addresses are limited."""
    return ruling.change if wearable.registered else None


def _remembered(ruling: Ruling, wearable: Wearable) -> list[Input | Remember]:
    kept = _kept(ruling, wearable)
    return [Remember(kept)] if kept else []
