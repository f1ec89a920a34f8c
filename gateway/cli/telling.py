"""Alerts, their stories and wearables, told to people. Pure: answers, words and the time go in, lines come out."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import count

import msgspec

from drivers.base import Auth
from gateway import story
from gateway.cli.columns import columns, plain
from gateway.cli.words import Words
from gateway.model import AlertKind, AlertState, Heard, Severity
from gateway.protection import Flaw, State

ID_LEAST = 10
"""Characters of an id that a table shows, unless more tell two alerts apart."""


class Alert(msgspec.Struct, frozen=True):
    """Of an alert, what people are shown."""

    id: str
    wearer: str | None
    device: str | None
    registered: bool
    kind: AlertKind
    service: str | None
    severity: Severity
    state: AlertState
    confirmed: bool
    late: bool
    storm: bool
    press_count: int
    test: bool
    auth: Auth
    worn: bool | None
    at: datetime
    by: str | None
    heard_by: tuple[Heard, ...]
    zone: str | None


class Line(msgspec.Struct, frozen=True):
    """A line of a story."""

    at: datetime
    what: story.Happening
    synced: bool = True


class Protection(msgspec.Struct, frozen=True):
    """Whether a wearer is protected."""

    state: State
    reasons: tuple[Flaw, ...]
    since: datetime


class Wearable(msgspec.Struct, frozen=True):
    device: str
    wearer: str | None
    zone: str | None
    last_heard: datetime | None
    link: str | None
    rssi: int | None
    battery_level: float | None
    alerts: tuple[Alert, ...]
    test_until: datetime | None = None
    battery_days: int | None = None
    protection: Protection | None = None


class Trial(msgspec.Struct, frozen=True):
    device: str
    until: datetime


def alerts(found: Sequence[Alert], words: Words, now: datetime) -> Iterator[str]:
    """The open alerts as a table, as they come."""
    if not found:
        yield words.nothing_open
        return
    urgent = sum(map(_urgent, found))
    yield words.open_alerts.format(count=len(found), urgent=urgent)
    head = _head(words.since, words.who, words.what, words.state, words.presses, words.zone, words.number)
    size = _telling([each.id for each in found])
    rows = [
        (
            since(each.at, words, now),
            _who(each, words),
            _what(each, words),
            _state(each, words),
            str(each.press_count),
            each.zone or "-",
            each.id[:size],
        )
        for each in found
    ]
    yield from columns([head, *rows])


def alert(found: Alert, lines: Sequence[Line], words: Words, now: datetime) -> Iterator[str]:
    """One alert, and everything that happened to it in its order."""
    heard = ", ".join(f"{each.link}{_rssi(each.rssi)}" for each in found.heard_by)
    facts = [
        (words.alert, found.id),
        (words.what, f"{_what(found, words)} ({words.severities[found.severity]})"),
        (words.state, _state(found, words)),
        (words.who, _who(found, words)),
        (words.since, since(found.at, words, now)),
        (words.presses, str(found.press_count)),
        (words.zone, found.zone or "-"),
        (words.heard_by, heard),
    ]
    yield from columns(facts)
    yield ""
    yield from _story(lines, words)


def _story(lines: Sequence[Line], words: Words) -> Iterator[str]:
    if not lines:
        yield words.no_story
    day = None
    for line in lines:
        at = line.at.astimezone()
        if at.date() != day:
            day = at.date()
            yield day.isoformat()
        mark = " " if line.synced else "~"
        yield f"{mark}{at:%H:%M:%S}.{at.microsecond // 1000:03}  {plain(_happened(line.what, words))}"
    if not all(line.synced for line in lines):
        yield words.unsynced


def wearables(found: Sequence[Wearable], words: Words, now: datetime) -> Iterator[str]:
    unheard = sum(each.last_heard is None for each in found)
    yield words.wearables.format(count=len(found), unheard=unheard)
    if found:
        yield from columns([_head(*_facts(words)), *(_row(each, words, now) for each in found)])


def wearable(found: Wearable, words: Words, now: datetime) -> Iterator[str]:
    facts = zip(_facts(words), _row(found, words, now), strict=True)
    yield from columns([*facts, (words.zone, found.zone or "-")])
    if found.test_until is not None:
        yield ""
        yield trial(Trial(found.device, found.test_until), words)
    if found.alerts:
        yield ""
        yield from alerts(found.alerts, words, now)


def trial(found: Trial, words: Words) -> str:
    return words.test_window.format(device=found.device, until=f"{found.until.astimezone():%H:%M:%S}")


def _head(*titles: str) -> tuple[str, ...]:
    return tuple(title.upper() for title in titles)


def _facts(words: Words) -> tuple[str, ...]:
    return (
        words.device,
        words.wearer,
        words.last_heard,
        words.link,
        words.signal,
        words.battery,
        words.protected,
        words.alerts,
    )


def _row(found: Wearable, words: Words, now: datetime) -> tuple[str, ...]:
    kinds = words.comma.join(_what(each, words) for each in found.alerts)
    return (
        found.device,
        found.wearer or "-",
        since(found.last_heard, words, now) if found.last_heard else words.never,
        found.link or "-",
        "-" if found.rssi is None else f"{found.rssi} dBm",
        _battery(found, words),
        _protected(found.protection, words),
        kinds or "-",
    )


def _protected(found: Protection | None, words: Words) -> str:
    if found is None:
        return "-"
    state, flaws = words.protection[found.state], words.comma.join(words.flaws[flaw] for flaw in found.reasons)
    return words.because.format(state=state, flaws=flaws) if flaws else state


def _battery(found: Wearable, words: Words) -> str:
    if found.battery_level is None:
        return "-"
    level = f"{found.battery_level:g} %"
    return level if found.battery_days is None else words.lasting.format(level=level, days=found.battery_days)


def _urgent(found: Alert) -> bool:
    return found.severity is Severity.CRITICAL and found.state is AlertState.RAISED


def _telling(ids: Sequence[str]) -> int:
    """How much of each id tells them apart."""
    return next(size for size in count(ID_LEAST) if len({ident[:size] for ident in ids}) == len(ids))


def _who(found: Alert, words: Words) -> str:
    if found.device is None:
        return ", ".join(each.link for each in found.heard_by) or words.station
    known = found.device if found.registered else f"{found.device}{words.comma}{words.stranger}"
    return f"{found.wearer} ({known})" if found.wearer else known


def _what(found: Alert, words: Words) -> str:
    kind = words.kinds[found.kind]
    if found.service is not None:
        kind = words.service.format(kind=kind, service=words.services.get(found.service, found.service))
    marks = [
        (found.test, words.test),
        (not found.confirmed, words.unconfirmed),
        (found.late, words.late),
        (found.storm, words.storm),
        (found.worn is False and found.kind is not AlertKind.NOT_WORN, words.not_worn),
        (found.auth is Auth.REPLAYED, words.replayed),
    ]
    return words.comma.join([kind, *(mark for holds, mark in marks if holds)])


def _state(found: Alert, words: Words) -> str:
    return words.states[found.state] + (words.by.format(by=plain(found.by)) if found.by else "")


def since(at: datetime, words: Words, now: datetime) -> str:
    """The time, with the day where it is not today's, and how long ago that is."""
    local, today = at.astimezone(), now.astimezone().date()
    shown = f"{local:%H:%M:%S}" if local.date() == today else f"{local:%Y-%m-%d %H:%M}"
    return f"{shown} ({_ago(now - at, words)})"


def _ago(age: timedelta, words: Words) -> str:
    minutes = int(age.total_seconds()) // 60
    if minutes < 1:
        return words.now
    if minutes < 120:
        return words.minutes.format(count=minutes)
    hours = minutes // 60
    return words.hours.format(count=hours) if hours < 48 else words.days.format(count=hours // 24)


def _rssi(rssi: int | None) -> str:
    return "" if rssi is None else f" ({rssi} dBm)"


def _happened(what: story.Happening, words: Words) -> str:
    form = words.happenings[type(what)].format
    match what:
        case story.Heard():
            key = words.press_key.format(key=what.key) if what.key else ""
            return form(link=what.link, rssi=_rssi(what.rssi), key=key)
        case story.Copied():
            return form(link=what.link, rssi=_rssi(what.rssi))
        case story.Decided():
            return form(reason=words.reasons[what.reason].format(by=what.by, repeat=what.repeat))
        case story.Refused():
            return form(by=what.by, refusal=words.refusals[what.refusal.value])
        case story.Buzzed() | story.Sounded():
            failure = words.failed.format(why=what.failure) if what.failure else ""
            return form(**msgspec.structs.asdict(what) | {"failure": failure})
        case _:
            return form(**msgspec.structs.asdict(what))
