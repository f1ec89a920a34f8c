"""All alerts open or lately closed: inputs are written on a page, and the page becomes the book on commit."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Self

import msgspec
from msgspec.structs import replace

from drivers.base import Address
from gateway import alerts, config
from gateway.alerts import Answer, Move, Refusal, Rules
from gateway.inputs import Accept, Clear, Ended, Input, Pressed, Tick
from gateway.model import (
    CONDITIONS,
    Alert,
    AlertKey,
    AlertKind,
    AlertState,
    Change,
    Drop,
    Heard,
    Moment,
    Press,
    Put,
    Reason,
    severity,
)
from gateway.storms import USUAL, Presser, StormLimit, Storms, presser

SPACE = "alert"
KEEP_MS = 7 * 24 * 3_600_000
"""How long a closed alert is remembered, so that a late acknowledgement is told what became of it."""
FLOOD_ADDRESSES = 1000


class FloodLimit(msgspec.Struct, frozen=True):
    """New alerts of unregistered devices that one link may raise within a time, and as many further presses."""

    new: int = 20
    per_ms: int = 600_000


class Notice(msgspec.Struct, frozen=True):
    """A transition that people must hear of."""

    alert: Alert
    reason: Reason


class Book:
    def __init__(self, rules: Rules, flood: FloodLimit, storm: StormLimit = USUAL) -> None:
        self.rules = rules
        self.storms = Storms(storm)
        self._flood = flood
        self._latest: dict[AlertKey, Alert] = {}
        self._by_id: dict[str, Alert] = {}
        self._admitted: dict[tuple[str, bool], deque[Moment]] = {}

    @classmethod
    def of(cls, station: config.Alerts) -> Self:
        """Empty, with the station's own rules and limits."""
        flood = FloodLimit(station.flood_new, station.flood_per)
        storm = StormLimit(station.storm_presses, station.storm_per)
        return cls(Rules(station.hold, station.reminder), flood, storm)

    def load(self, records: Mapping[str, bytes]) -> None:
        """Take up what was kept. A critical alert that nobody accepted asks to be repeated at once."""
        for blob in records.values():
            alert = msgspec.msgpack.decode(blob, type=Alert)
            self.adopt([replace(alert, told_at=None) if alert.repeats else alert])
        self.storms.load(self._by_id.values())

    def adopt(self, changed: list[Alert]) -> None:
        for alert in changed:
            known = self._latest.get(alert.key)
            if known is None or known.id == alert.id or alert.open or not known.open:
                self._latest[alert.key] = alert
            self._by_id[alert.id] = alert

    def forget(self, now: Moment) -> list[Change]:
        """Drop what was closed long ago; returns what need not be kept any longer."""
        old = [a for a in self._by_id.values() if not a.open and a.changed_at.until(now) > KEEP_MS]
        for alert in old:
            del self._by_id[alert.id]
            if self._latest.get(alert.key) is alert:
                del self._latest[alert.key]
        return [Drop(SPACE, alert.id) for alert in old]

    def open(self) -> Iterator[Alert]:
        return (alert for alert in self._latest.values() if alert.open)

    def known(self) -> Iterator[Alert]:
        """All that are open or lately closed."""
        return iter(self._by_id.values())

    def latest(self, key: AlertKey) -> Alert | None:
        return self._latest.get(key)

    def by_id(self, alert: str) -> Alert | None:
        return self._by_id.get(alert)

    def admits(self, link: str, now: Moment, *, further: bool) -> bool:
        """Whether one more alert of an unregistered device, or one `further` press on one, counts from this link."""
        admitted = self._admitted.setdefault((link, further), deque())
        while admitted and admitted[0].until(now) > self._flood.per_ms:
            admitted.popleft()
        if len(admitted) >= self._flood.new:
            return False
        admitted.append(now)
        return True


class Page:
    """Inputs of one commit. Nothing in the book changes until `adopt`."""

    def __init__(self, book: Book, now: Moment) -> None:
        self.now = now
        self.notices: list[Notice] = []
        self.changes: list[Change] = []
        self._book = book
        self._changed: dict[AlertKey, Alert] = {}
        self._kept: dict[str, Alert] = {}
        self._presses: dict[Presser, list[Moment]] = {}

    def take(self, given: Input) -> Answer:
        alert = self._find(given)
        if isinstance(given, Pressed) and (stranger := self._flooding(given, alert)):
            return self._flooded(given, *stranger)
        if isinstance(given, Pressed):
            given = self._counted(given)
        answer = alerts.advance(alert, given, self.now, self._book.rules)
        if isinstance(answer, Move):
            self._write(answer)
        change = getattr(given, "change", None)
        if change is not None:
            self.changes.append(change)
        return answer

    def tick(self, unsent: Callable[[str], bool]) -> None:
        for kept in list(self._book.open()):
            alert = self._changed.get(kept.key, kept)
            over = self._book.storms.over(alert, self.now)
            given = Ended(alert.key) if over else Tick(unsent(alert.id))
            answer = alerts.advance(alert, given, self.now, self._book.rules)
            if isinstance(answer, Move):
                self._write(answer)

    @property
    def empty(self) -> bool:
        return not (self.notices or self.changes or self._kept)

    def records(self) -> list[Change]:
        """What the transaction must keep beside the messages."""
        kept = [Put(SPACE, alert.id, msgspec.msgpack.encode(alert)) for alert in self._kept.values()]
        return [*kept, *self.changes]

    def adopt(self) -> None:
        self._book.adopt([*self._kept.values(), *self._changed.values()])
        for who, presses in self._presses.items():
            self._book.storms.add(who, presses)

    def _find(self, given: Input) -> Alert | None:
        match given:
            case Accept(alert=wanted) | Clear(alert=wanted):
                return self._kept.get(wanted) or self._book.by_id(wanted)
            case Tick():
                return None
            case _:
                return self._changed.get(given.key) or self._book.latest(given.key)

    def _write(self, move: Move) -> None:
        self._changed[move.alert.key] = move.alert
        self._kept[move.alert.id] = move.alert
        if move.reason is not None:
            self.notices.append(Notice(move.alert, move.reason))

    def _counted(self, pressed: Pressed) -> Pressed:
        """The press, marked where its device has pressed too often."""
        who = presser(pressed)
        if who is None:
            return pressed
        presses = self._presses.setdefault(who, [])
        presses.append(pressed.press.at)
        return replace(pressed, storm=self._book.storms.blows(who, pressed.press.at, presses))

    def _flooding(self, pressed: Pressed, alert: Alert | None) -> tuple[str, Address] | None:
        """The link and the address of an unregistered device whose press would be one too many."""
        who, heard = pressed.wearable, pressed.heard
        if who is None or heard is None or who.registered:
            return None
        further = alert is not None and alert.open
        if further and pressed.key.kind in CONDITIONS:  # it only goes on, and nothing is sent for that
            return None
        return None if self._book.admits(heard.link, self.now, further=further) else (heard.link, who.address)

    def _flooded(self, pressed: Pressed, link: str, address: Address) -> Answer:
        """Count on the link's one flood alert; only its first message and its repeats reach the disk."""
        key = AlertKey(f"link:{link}", AlertKind.ALARM_FLOOD, None, test=pressed.key.test)
        alert = self._changed.get(key) or self._book.latest(key)
        if alert is None or not alert.open:
            move = Move(_flood(key, pressed, link, address, self.now), Reason.PRESS)
            self._write(move)
            return move
        addresses = alert.addresses
        if len(addresses) < FLOOD_ADDRESSES and address not in addresses:
            addresses = (*addresses, address)
        grown = replace(alert, value=(alert.value or 0) + 1, addresses=addresses)
        self._changed[key] = grown
        if grown.id in self._kept:
            self._kept[grown.id] = grown
        return Refusal.NO_CHANGE


def _flood(key: AlertKey, pressed: Pressed, link: str, address: Address, now: Moment) -> Alert:
    return Alert(
        id=pressed.new_id,
        key=key,
        wearable=None,
        severity=severity(key),
        state=AlertState.RAISED,
        at=pressed.press.at,
        changed_at=now,
        presses=(Press(None, pressed.press.at),),
        press_count=1,
        heard_by=(Heard(link, None),),
        value=1,
        addresses=(address,),
        told_at=now,
        pressed_at=now,
    )
