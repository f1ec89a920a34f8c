"""What is on the air, device by device: which frames are copies of one press, and which are a new press.

Pure: `now` is the frame's own moment. An episode belongs to the device and only says whether something is
new; what people then make of it is the alert's life (alerts.py).
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from enum import Enum

import msgspec

from drivers.base import Address, Counter, Edge, Identity, KeyPress, Level, Occurrence, OccurrenceKind
from gateway.model import Change, Drop, Moment, Put

SPACE = "device"
COPY_MS = 10 * 60_000
"""A key heard again within this time is a copy, whatever became of its alert."""
KEEP_MS = 7 * 24 * 3_600_000
SILENCE_MS = 30_000
"""A level, an identity, or an edge without a key, that was silent this long has ended."""
KEYS = 64
"""Keys remembered of one device: an address that counts wildly must not grow without bound."""
SETTLE_MS = 10_000
"""A lower counter counts as a restart only when the higher one is off the air: receivers deliver out of order.
Another identity ends one only when that is off the air: a device sends several in turn."""
REFRESHES = 3
"""How often within the time in which a copy is one it is kept anew when it was last heard."""


class Verdict(Enum):
    NOTHING = "nothing"
    COPY = "copy"
    PRESS = "press"
    ENDED = "ended"


class Ruling(msgspec.Struct, frozen=True, gc=False):
    """What one occurrence is. `change` must be kept with whatever it causes; `missed` counts unheard events.

    `replayed` is a press that was heard long before.
    """

    verdict: Verdict
    replayed: bool = False
    late: bool = False
    missed: int = 0
    change: Put | None = None


class Event(msgspec.Struct, frozen=True):
    kind: OccurrenceKind
    service: str | None
    number: int | None
    press: KeyPress | None = None
    button: int | None = None
    shown: bool = False
    """An identity of the device, which another one ends."""


class _Device(msgspec.Struct):
    current: Event | None = None
    beside: tuple[Event, ...] = ()
    """Latest events of before, as far as only an older or a recorded one has come since: they may be so still."""
    heard: dict[Event, Moment] = {}
    levels: dict[Event, Moment] = {}
    apart: "_Device | None" = None
    """What was heard in frames that prove less than the device could."""
    kept: Moment | None = None
    """Until when its record knows what was heard; None where that is not known."""
    since: Moment | None = None
    """When it was taken up by this run, which does not know for how long what was kept had been off the air."""


class _Record(msgspec.Struct):
    """A device as it is kept: dictionaries with structs as keys do not survive encoding."""

    current: Event | None
    heard: list[tuple[Event, Moment]]
    lasting: list[tuple[Event, Moment]] = []
    apart: "_Record | None" = None
    levels: list[tuple[OccurrenceKind, Moment]] = []
    """As version 0.1 kept what lasts: by its kind alone."""
    beside: tuple[Event, ...] = ()


NOTHING = Ruling(Verdict.NOTHING)
COPY = Ruling(Verdict.COPY)


class Episodes:
    """All devices on the air. Those the roster does not know are remembered up to `strangers`, latest first."""

    def __init__(self, strangers: int = 4096) -> None:
        self._devices: dict[Address, _Device] = {}
        self._strangers: OrderedDict[Address, None] = OrderedDict()
        self._limit = strangers

    def load(self, records: Mapping[str, bytes], known: Iterable[Address], now: Moment) -> list[Change]:
        """Take up what was kept. Silence while the box was down proves nothing: levels go on until heard to end.

        Returns the records that need not be kept any longer.
        """
        registered = frozenset(known)
        outdated: list[Change] = []
        for address, blob in records.items():
            device = _device(msgspec.msgpack.decode(blob, type=_Record), now)
            if not device.heard and address not in registered:
                outdated.append(Drop(SPACE, address))
                continue
            self._devices[address] = device
            if address not in registered:
                self._strangers[address] = None
        return outdated

    def __len__(self) -> int:
        return len(self._devices)

    def hear(
        self, address: Address, occurrence: Occurrence, now: Moment, *, registered: bool, doubted: bool = False
    ) -> Ruling:
        """What `occurrence` is; `doubted` where its frame does not prove what the device could."""
        device = self._device(address, registered=registered)
        ruling = _apart(device, occurrence, now) if doubted else _rule(device, occurrence, now)
        if ruling.change is None and not (ruling.verdict is Verdict.COPY and _lags(device, occurrence, now)):
            return ruling
        device.kept = now
        return msgspec.structs.replace(ruling, change=Put(SPACE, address, msgspec.msgpack.encode(_record(device, now))))

    def _device(self, address: Address, *, registered: bool) -> _Device:
        device = self._devices.get(address)
        if device is None:
            device = self._devices[address] = _Device()
        if not registered:
            self._strangers[address] = None
            self._strangers.move_to_end(address)
            if len(self._strangers) > self._limit:
                oldest, _ = self._strangers.popitem(last=False)
                del self._devices[oldest]
        return device


def event_of(occurrence: Occurrence) -> Event:
    """What tells an occurrence apart from the others of its device."""
    behaviour, number = occurrence.behaviour, None
    if isinstance(behaviour, Counter):
        number = behaviour.value
    elif isinstance(behaviour, Edge):
        number = behaviour.key
    shown = isinstance(behaviour, Identity)
    return Event(occurrence.kind, occurrence.service, number, occurrence.press, occurrence.button, shown)


_CHANGED = Put(SPACE, "", b"")
"""Stands for "the device's record has changed" until `hear` has encoded it."""


def _lags(device: _Device, occurrence: Occurrence, now: Moment) -> bool:
    """Whether a restart might take the next copy for a press: a level goes on, and an old number is none."""
    match occurrence.behaviour:
        case Level() | Counter(fresh=False):
            return False
    return device.kept is None or device.kept.until(now) * REFRESHES >= _lasting(event_of(occurrence))


def _lasting(event: Event) -> int:
    """For how long after an event was last heard it is the same when it is heard again."""
    return SILENCE_MS if event.number is None else COPY_MS


def _rule(device: _Device, occurrence: Occurrence, now: Moment) -> Ruling:
    match occurrence.behaviour:
        case Counter() as counter:
            return _counter(device, occurrence, counter, now)
        case Level(active=active):
            return _level(device, event_of(occurrence), now, active=active)
        case Edge():
            return _edge(device, event_of(occurrence), now)
        case Identity():
            return _identity(device, event_of(occurrence), now)


def _apart(device: _Device, occurrence: Occurrence, now: Moment) -> Ruling:
    """What nobody vouches for is remembered apart: a forged press must not make a copy of the true one."""
    event, level = event_of(occurrence), isinstance(occurrence.behaviour, Level)
    true = device.levels.get(event) if level else device.heard.get(event)
    device.apart = device.apart or _Device()
    ruling = _rule(device.apart, occurrence, now)
    copied = true is not None and true.until(now) <= _lasting(event)
    return COPY if copied and ruling.verdict is Verdict.PRESS else ruling


def _counter(device: _Device, occurrence: Occurrence, counter: Counter, now: Moment) -> Ruling:
    event = event_of(occurrence)
    current, device.current = device.current, event
    last = device.heard.get(event)
    device.heard[event] = now
    if current is None:
        return _first(occurrence, counter, last, now)
    if event == current:
        replayed = counter.fresh and (last is None or last.until(now) > COPY_MS)  # None: heard over a week ago
        return _press(replayed=replayed) if replayed and counter.value else COPY
    if counter.value == 0:
        return _restarted(device, event, current, now)
    if (last is not None and last.until(now) <= COPY_MS) or (event in device.beside and not counter.fresh):
        device.current = current  # a late copy of an earlier press tells nothing about what came after
        return COPY
    before = (*(each for each in device.beside if each != event), current)
    missed = min(_missed(each.number or 0, counter) for each in before)
    device.beside = () if last is None and _ahead(current.number or 0, counter) else before[-KEYS:]
    if occurrence.kind is OccurrenceKind.NONE:
        return Ruling(Verdict.NOTHING, missed=missed, change=_CHANGED)
    return _press(replayed=last is not None, late=not counter.fresh, missed=missed)


def _first(occurrence: Occurrence, counter: Counter, last: Moment | None, now: Moment) -> Ruling:
    """The first frame ever is a baseline, unless it says that its event has only just happened."""
    if not counter.fresh or occurrence.kind is OccurrenceKind.NONE or counter.value == 0:
        return Ruling(Verdict.NOTHING, change=_CHANGED)
    if last is not None and last.until(now) <= COPY_MS:
        return COPY
    return _press(replayed=last is not None)


def _restarted(device: _Device, event: Event, current: Event, now: Moment) -> Ruling:
    """Counter 0 is power-up: what the device numbered before says nothing about its new numbers."""
    lasts = [device.heard.get(each) for each in (current, *device.beside)]
    if any(last is not None and last.until(now) < SETTLE_MS for last in lasts):
        device.current = current
        return NOTHING
    device.heard, device.beside = {event: now}, ()
    return Ruling(Verdict.NOTHING, change=_CHANGED)


def _missed(before: int, counter: Counter) -> int:
    """Events numbered but never heard; 0 where the counter went down, which is a restart and not half a lap."""
    return max(0, _ahead(before, counter) - 1)


def _ahead(before: int, counter: Counter) -> int:
    """How far the counter went up; 0 where it went down."""
    ahead = (counter.value - before) % counter.wrap
    return ahead if ahead <= counter.wrap // 2 else 0


def _level(device: _Device, event: Event, now: Moment, *, active: bool) -> Ruling:
    last = device.levels.get(event)
    if not active:
        if last is None:
            return NOTHING
        del device.levels[event]
        return Ruling(Verdict.ENDED, change=_CHANGED)
    device.levels[event] = now
    return COPY if last is not None and last.until(now) <= SILENCE_MS else _press()


def _edge(device: _Device, event: Event, now: Moment) -> Ruling:
    last = device.heard.get(event)
    device.heard[event] = now
    if last is None:
        return _press()
    if last.until(now) <= _lasting(event) and (event.number is not None or _timed(last, now)):
        return COPY
    return _press(replayed=event.number is not None)


def _timed(last: Moment, now: Moment) -> bool:
    """Whether the time between is known: after a power cut the wall clock may be far behind. In doubt it is a press."""
    return last.boot == now.boot or (last.synced and now.synced)


def _identity(device: _Device, event: Event, now: Moment) -> Ruling:
    """Each identity that is heard ends the others that are off the air: shown anew, they are pressed anew."""
    sure = device.since is None or device.since.until(now) >= SETTLE_MS
    others = [(other, at) for other, at in device.heard.items() if other.shown and other != event]
    ended = [other for other, at in others if sure and at.until(now) >= SETTLE_MS]
    for other in ended:
        del device.heard[other]
    ruling = NOTHING if event.kind is OccurrenceKind.NONE else _edge(device, event, now)
    return msgspec.structs.replace(ruling, change=_CHANGED) if ended else ruling


def _press(*, replayed: bool = False, late: bool = False, missed: int = 0) -> Ruling:
    return Ruling(Verdict.PRESS, replayed, late, missed, _CHANGED)


def _record(device: _Device, now: Moment) -> _Record:
    fresh = [(event, at) for event, at in device.heard.items() if at.until(now) < KEEP_MS]
    fresh.sort(key=lambda entry: entry[1].until(now), reverse=True)
    device.heard = dict(fresh[-KEYS:])
    apart = _record(device.apart, now) if device.apart is not None else None
    return _Record(device.current, list(device.heard.items()), list(device.levels.items()), apart, beside=device.beside)


def _device(kept: _Record, now: Moment) -> _Device:
    heard = {event: at for event, at in kept.heard if at.until(now) < KEEP_MS}
    apart = _device(kept.apart, now) if kept.apart is not None else None
    levels = {Event(kind, None, None): now for kind, _ in kept.levels} | {event: now for event, _ in kept.lasting}
    return _Device(kept.current, kept.beside, heard, levels, apart, since=now)
