"""The contract's messages, both ways: what goes out is built here, what comes in is judged here. No I/O."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal, TypeVar

import msgspec

from gateway.batch import read, said
from gateway.clock import Clock
from gateway.contract import Codes, codes
from gateway.errors import RequestRefused
from gateway.model import Alert, Draft, Gap, Message, Moment, Press, Reason, Sample
from gateway.rows import THINNED, Row
from gateway.thinning import Said
from gateway.topics import Topics
from gateway.trials import Trial

PAYLOAD_MAX = 64 * 1024
"""The longest payload that is looked at on a subscribed topic, in bytes."""
CLOUDEVENTS = "application/cloudevents+json"
JSON = "application/json"

_encode = msgspec.json.Encoder().encode
Json = dict[str, Any]
T = TypeVar("T")


class Action(Enum):
    ACCEPT = "accept"
    CLEAR = "clear"


class Ack(msgspec.Struct, frozen=True):
    """A desk's word on an alert."""

    v: Literal[1]
    id: str
    action: Action
    by: str
    at: str | None = None


class Request(msgspec.Struct, frozen=True):
    v: Literal[1]
    id: str
    args: dict[str, Any] = {}


class _Id(msgspec.Struct, frozen=True):
    id: str


class State(msgspec.Struct, frozen=True):
    """Our own retained state, read back to notice an older session's will."""

    v: Literal[1]
    station: str
    state: Literal["online", "offline"]
    session: str


class Wire:
    """`own` are the station's codes by kind of alert, `services` its names of what is ordered; else the usual ones."""

    def __init__(
        self,
        root: str,
        station: str,
        version: str,
        clock: Clock,
        own: Mapping[str, Codes] = MappingProxyType({}),
        services: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.topics = Topics(root, station)
        self.station = station
        self._source = f"{root}/{station}"
        self.version = version
        self._clock = clock
        self._codes = {**codes(), **own}
        self._services = services
        self.said = said

    def alert(self, alert: Alert, reason: Reason, now: Moment) -> Draft:
        head = self._head("gateway.alert.v1", now, alert.wearable.device if alert.wearable else None)
        body = self.alert_body(alert) | {"reason": reason.value}
        return Draft(_Frozen(self.topics.alert(alert.id), head, body), subject=alert.id)

    def telemetry(self, samples: Sequence[Sample], now: Moment) -> Draft:
        readings = [self._reading(sample) for sample in samples]
        body = {"station": self.station, "readings": readings}
        return Draft(_Frozen(self.topics.telemetry, self._head("gateway.telemetry.v1", now), body))

    def thinned(self, row: Row, kept: Sequence[Said], now: Moment) -> Draft:
        batch = read(row.payload)
        head = self._head("gateway.telemetry.v1", now) | {"source": batch.source}
        body = {"station": batch.data.station, "readings": [msgspec.Raw(said.written) for said in kept]}
        return Draft(_Frozen(row.topic, head, body), subject=THINNED)

    def gap(self, gap: Gap) -> Draft:
        body = {
            "station": self.station,
            "lane": gap.lane,
            "epoch": gap.epoch,
            "first": gap.first,
            "last": gap.last,
            "count": gap.count,
            "cause": gap.cause.value,
        }
        frozen = _Frozen(self.topics.gap, self._head("gateway.gap.v1", gap.at), body | self._at(gap.at))
        return Draft(frozen, subject="gap")  # what has a subject is not shed: no gap may hide another

    def online(self, session: str, since: Moment, lanes: Mapping[str, tuple[str, int]]) -> Message:
        """Birth. `lanes` gives each lane's epoch and next seq, so that a lost tail shows."""
        boot_at = self._clock.boot_at_ms()
        body = self._state(session, since, "online") | {
            "version": self.version,
            "boot": self._clock.boot,
            "boot_at": None if boot_at is None else rfc3339(boot_at),
            "lanes": {name: {"epoch": epoch, "next": following} for name, (epoch, following) in lanes.items()},
        }
        return Message(self.topics.state, _encode(body))

    def offline(self, session: str, since: Moment) -> Message:
        return Message(self.topics.state, _encode(self._state(session, since, "offline")))

    def health(self, session: str, now: Moment, report: Json) -> Message:
        clock = "synced" if self._clock.synced else "unsynced"
        head = {"v": 1, "station": self.station, "session": session, "at": rfc3339(now.wall_ms)}
        return Message(self.topics.health, _encode(head | {"clock": clock, "boot": self._clock.boot} | report))

    def protection(self, wearer: str, body: Json) -> Message:
        return Message(self.topics.protection(wearer), _encode({"v": 1, "wearer": wearer} | body))

    def probe(self, lane: str, nonce: str) -> Message:
        return Message(self.topics.probe, _encode({"v": 1, "station": self.station, "lane": lane, "nonce": nonce}))

    def answer(self, request: str | None, result: Json) -> bytes:
        return _encode({"v": 1, "id": request, "status": "ok", "error": None, "result": result})

    def refusal(self, request: str | None, refused: RequestRefused) -> bytes:
        error = {"code": refused.code, "message": str(refused)}
        return _encode({"v": 1, "id": request, "status": "error", "error": error, "result": None})

    def alert_body(self, alert: Alert) -> Json:
        """An alert as `data` of its message and as an entry of the answer to `alerts`."""
        who, service = alert.wearable, alert.key.service
        code = self._codes[alert.key.kind.value]
        return {
            "id": alert.id,
            "station": self.station,
            "wearer": who.wearer if who else None,
            "device": who.device if who else None,
            "registered": who.registered if who else False,
            "kind": alert.key.kind.value,
            "service": self._services.get(service, service) if service else None,
            "severity": alert.severity.value,
            "state": alert.state.value,
            "confirmed": alert.confirmed,
            "late": alert.late,
            "presses": [{"key": each.key, "at": self.when(each.at), **_pressed(each)} for each in alert.presses],
            "press_count": alert.press_count,
            **_pressed(alert.presses[-1]),
            "repeat": alert.repeat,
            "test": alert.key.test,
            "storm": alert.storm,
            "auth": alert.auth.value,
            "worn": alert.worn,
            **self._at(alert.at),
            "changed_at": self.when(alert.changed_at),
            "by": alert.by,
            "value": alert.value,
            "heard_by": [{"link": heard.link, "rssi": heard.rssi} for heard in alert.heard_by],
            "zone": alert.zone,
            "codes": {"scaip": code.scaip, "contact_id": code.contact_id},
        }

    def trial_body(self, trial: Trial) -> Json:
        return {"device": trial.device, "until": self.when(trial.until)}

    def when(self, moment: Moment) -> str:
        return rfc3339(self._clock.utc_ms(moment))

    def _at(self, moment: Moment) -> Json:
        at = self.when(moment)
        if moment.synced:
            return {"at": at, "clock": "synced"}
        if self._clock.knows(moment):
            return {"at": at, "clock": "corrected"}
        return {"at": at, "clock": "unsynced", "boot": moment.boot, "mono_ms": moment.mono_ms}

    def _head(self, kind: str, now: Moment, subject: str | None = None) -> Json:
        head = {"specversion": "1.0", "source": self._source, "type": kind, "time": self.when(now)}
        return head if subject is None else head | {"subject": subject}

    def _reading(self, sample: Sample) -> Json:
        who = sample.wearable
        reading = {"device": who.device, "wearer": who.wearer, **self._at(sample.at), "values": sample.values}
        return reading | {"test": True} if sample.test else reading

    def _state(self, session: str, since: Moment, state: str) -> Json:
        head = {"v": 1, "station": self.station, "state": state}
        return head | {"session": session, "since": self.when(since)}


def _pressed(press: Press) -> Json:
    return {"press": press.press.value if press.press else None, "button": press.button}


class _Frozen:
    """A CloudEvent that lacks only its number; called on the lane's own thread."""

    __slots__ = ("body", "head", "topic")

    def __init__(self, topic: str, head: Json, body: Json) -> None:
        self.topic, self.head, self.body = topic, head, body

    def __call__(self, epoch: str, seq: int) -> Message:
        number = {"id": f"{epoch}-{seq}", "sequence": f"{seq:020}"}
        return Message(self.topic, _encode(self.head | number | {"data": self.body}))


def rfc3339(wall_ms: int) -> str:
    """UTC with milliseconds, as every time on the wire."""
    seconds, milliseconds = divmod(wall_ms, 1000)
    return f"{_second(seconds)}.{milliseconds:03}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def parse_ack(payload: bytes) -> Ack:
    ack = _parse(payload, Ack)
    if not (1 <= len(ack.id) <= 64 and 1 <= len(ack.by) <= 64):
        raise RequestRefused("invalid", "`id` and `by` want 1 to 64 characters")
    return ack


def parse_request(payload: bytes) -> Request:
    request = _parse(payload, Request)
    if not 1 <= len(request.id) <= 64:
        raise RequestRefused("invalid", "`id` wants 1 to 64 characters")
    return request


def parse_state(payload: bytes) -> State | None:
    try:
        return _parse(payload, State)
    except RequestRefused:
        return None


def request_id(payload: bytes) -> str | None:
    """The id of a payload that is refused, where one can be made out, so that the sender knows what was."""
    try:
        found = msgspec.json.decode(payload[:PAYLOAD_MAX], type=_Id).id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return found if 1 <= len(found) <= 64 else None


def _parse(payload: bytes, type_: type[T]) -> T:
    if len(payload) > PAYLOAD_MAX:
        raise RequestRefused("too_large", f"{len(payload)} bytes; at most {PAYLOAD_MAX} are read")
    try:
        return msgspec.json.decode(payload, type=type_)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RequestRefused("invalid", f"not as the contract says: {error}") from error
