"""What may be asked and said on the box itself: alerts and their stories, a word on an alert, the wearables, the lanes.

A word on an alert goes the way of the call centre's: through the desk, onto the disk, and out to everybody.
"""

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TypeVar

import msgspec

from gateway import asks, battery, stock
from gateway.alerts import Refusal
from gateway.clock import Clock
from gateway.desk import Desk
from gateway.errors import RequestRefused, StorageFailed
from gateway.inputs import Accept, Clear
from gateway.journal import Journal
from gateway.model import Alert, AlertState, Severity
from gateway.protection import Protection, verdict_body
from gateway.report import Report
from gateway.requests import WHY
from gateway.roster import Device, Roster
from gateway.story import StoryLine
from gateway.tray import Asked, Ruled
from gateway.trials import Trials
from gateway.wire import Json, Wire, rfc3339

T = TypeVar("T")
WAIT_S = 10.0
SHORTEST = 4
"""Characters of an id that are enough, where no other begins so."""
_WORDS: dict[type[asks.Ask], type[Accept | Clear]] = {asks.Accept: Accept, asks.Clear: Clear}
_GRAVITY = {severity: rank for rank, severity in enumerate(Severity)}


class Commands:
    def __init__(
        self,
        report: Report,
        desk: Desk,
        journal: Journal,
        roster: Roster,
        protection: Protection,
        trials: Trials,
        clock: Clock,
    ) -> None:
        self._report, self._wire, self._lanes = report, report.wire, report.lanes
        self._desk, self._journal, self._clock = desk, journal, clock
        self._roster, self._protection, self._trials = roster, protection, trials

    async def answer(self, line: bytes, asker: str) -> bytes:
        """What a line of the control socket is answered; `asker` is the user at the other end."""
        try:
            return asks.encode(asks.Granted(await self._granted(asks.parse(line), asker)))
        except RequestRefused as refused:
            return asks.encode(asks.Refused(refused.code, str(refused)))

    async def _granted(self, ask: asks.Ask, asker: str) -> Json:
        match ask:
            case asks.Alerts() | asks.Show():
                return await self._of_alerts(ask)
            case asks.Accept(alert=given, by=label) | asks.Clear(alert=given, by=label):
                alert, word = found(given, await self._alerts(over=True)), _WORDS[type(ask)]
                return await self._rule(word(alert.id, _by(asker, label)))
            case asks.Test(device=given, minutes=minutes):
                return self._wire.trial_body(self._trials.open(self._meant(given).id, minutes, asker))
            case asks.Devices() | asks.Device():
                return await self._of_devices(ask)
            case asks.Outbox() | asks.Retry() | asks.Export():
                return await self._of_lanes(ask)
            case asks.Health():
                return self._report.health(self._clock)

    def _meant(self, given: str) -> Device:
        by_id = {device.id: device for device in self._roster.devices}
        return by_id[only(given, by_id, "unknown_device", "no such device in the roster")]

    async def _alerts(self, *, over: bool = False) -> list[Alert]:
        heard: asyncio.Future[list[Alert]] = asyncio.get_running_loop().create_future()
        self._desk.put(Asked(partial(_give, heard), over))
        return await _in_time(heard, "waits", "the disk takes nothing just now; see `journalctl -u station-gateway`")

    async def _of_alerts(self, ask: asks.Alerts | asks.Show) -> Json:
        match ask:
            case asks.Alerts():
                return listed(self._wire, await self._alerts())
            case asks.Show(alert=given):
                alert = found(given, await self._alerts(over=True))
                return shown(self._wire, alert, await self._story(alert))

    async def _of_devices(self, ask: asks.Devices | asks.Device) -> Json:
        alerts = by_device(await self._alerts())
        match ask:
            case asks.Devices():
                return {"devices": [self._device(each, alerts.get(each.id, ())) for each in self._roster.devices]}
            case asks.Device(device=given):
                device = self._meant(given)
                return {"device": self._device(device, alerts.get(device.id, ()))}

    async def _of_lanes(self, ask: asks.Outbox | asks.Retry | asks.Export) -> Json:
        match ask:
            case asks.Outbox():
                return stock.told(self._lanes)
            case asks.Retry(row=given):
                return stock.retried(self._lanes, given)
            case asks.Export(lane=given, after=after):
                try:
                    return await stock.exported(self._lanes, given, after)
                except StorageFailed as error:
                    raise RequestRefused("lane_unreadable", str(error)) from error

    async def _story(self, alert: Alert) -> list[StoryLine]:
        try:
            return await self._journal.of(alert.id)
        except OSError as error:
            raise RequestRefused("story_unreadable", f"{error.filename}: {error.strerror}") from error

    async def _rule(self, given: Accept | Clear) -> Json:
        outcome: asyncio.Future[Alert | Refusal] = asyncio.get_running_loop().create_future()
        if not self._desk.rule(Ruled(given, partial(_give, outcome))):
            raise RequestRefused("busy", "too many acknowledgements wait; try again")
        ruled = await _in_time(outcome, "not_yet", "it is not on the disk yet, and counts as soon as it is")
        if isinstance(ruled, Refusal):
            raise RequestRefused(ruled.value, WHY.get(ruled, "it changes nothing"))
        return {"alert": self._wire.alert_body(ruled)}

    def _device(self, device: Device, alerts: Iterable[Alert]) -> Json:
        seen, trial = self._protection.supervision.seen(device.id), self._trials.of(device.id)
        verdict = self._protection.verdict(device.wearer)
        return {
            "device": device.id,
            "wearer": device.wearer,
            "zone": device.zone,
            "last_heard": self._wire.when(seen.at) if seen else None,
            "link": seen.heard.link if seen else None,
            "rssi": seen.heard.rssi if seen else None,
            "battery_level": seen.charge.level if seen else None,
            "battery_days": battery.days_left(seen.charge) if seen else None,
            "protection": verdict_body(verdict, self._wire) if verdict else None,
            "test_until": self._wire.when(trial.until) if trial else None,
            "alerts": ranked(self._wire, alerts),
        }


def by_device(alerts: Iterable[Alert]) -> dict[str, list[Alert]]:
    """Those of wearables, by the device's id."""
    found: dict[str, list[Alert]] = {}
    for alert in alerts:
        if alert.wearable is not None:
            found.setdefault(alert.wearable.device, []).append(alert)
    return found


def ranked(wire: Wire, alerts: Iterable[Alert]) -> list[Json]:
    """The open ones: first the gravest, of these what nobody has accepted, of these what waits longest."""

    def rank(alert: Alert) -> tuple[int, bool, str]:
        return _GRAVITY[alert.severity], alert.state is not AlertState.RAISED, wire.when(alert.at)

    return [wire.alert_body(alert) for alert in sorted(alerts, key=rank) if alert.open]


def listed(wire: Wire, alerts: Iterable[Alert]) -> Json:
    return {"alerts": ranked(wire, alerts)}


def shown(wire: Wire, alert: Alert, story: Sequence[StoryLine]) -> Json:
    lines = [msgspec.to_builtins(line) | {"at": rfc3339(line.at)} for line in story]
    return {"alert": wire.alert_body(alert), "story": lines}


def found(given: str, alerts: Sequence[Alert]) -> Alert:
    """The alert that is meant: by its id, by its device's for the gravest that is open, or by how its id begins."""
    mine = by_device(alerts).get(given)
    if mine is not None:
        return _gravest(given, [alert for alert in mine if alert.open])
    by_id = {alert.id: alert for alert in alerts}
    return by_id[only(given, by_id, Refusal.UNKNOWN.value, WHY[Refusal.UNKNOWN])]


def _gravest(given: str, mine: Sequence[Alert]) -> Alert:
    if not mine:
        raise RequestRefused(Refusal.NOTHING_OPEN.value, "no alert of this device is open")
    gravest = min(_GRAVITY[alert.severity] for alert in mine)
    meant = [alert for alert in mine if _GRAVITY[alert.severity] == gravest]
    if len(meant) > 1:
        raise _ambiguous(given, [alert.id for alert in meant])
    return meant[0]


def only(given: str, ids: Iterable[str], code: str, why: str) -> str:
    """The one id that is `given`, or that begins so. RequestRefused, with `code` and `why` where there is none."""
    begun = [ident for ident in ids if ident.startswith(given)]
    if given in begun:
        return given
    if len(given) < SHORTEST and begun:
        raise RequestRefused("too_short", f"give at least {SHORTEST} characters of the id")
    if not begun:
        raise RequestRefused(code, why)
    if len(begun) > 1:
        raise _ambiguous(given, begun)
    return begun[0]


def _ambiguous(given: str, ids: list[str]) -> RequestRefused:
    more = " and more" if len(ids) > 5 else ""
    return RequestRefused("ambiguous", f"{given} may be {', '.join(ids[:5])}{more}; give more of the id")


def _by(asker: str, label: str | None) -> str:
    return f"{asker}/{label}" if label else asker


def _give(to: "asyncio.Future[T]", answer: T) -> None:
    if not to.done():  # nobody waits for it any more
        to.set_result(answer)


async def _in_time(answer: "asyncio.Future[T]", code: str, otherwise: str) -> T:
    try:
        async with asyncio.timeout(WAIT_S):
            return await answer
    except TimeoutError:
        raise RequestRefused(code, otherwise) from None
