"""Tells the station itself of alerts that nobody accepts: its actions are asked of a unit that may do them."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from gateway.actions import Action, LocalAlert
from gateway.book import Book
from gateway.chronicle import Chronicle
from gateway.escalation import Escalation, sounds
from gateway.forward import Lane
from gateway.health import Faults
from gateway.model import Alert, Moment
from gateway.summons import UNIT, Outcome, Summons, summon

log = structlog.get_logger("sounder")

LOOK_S = 0.5
UNHEARD = {"nobody_listens", "not_acknowledged", "not_heard_back", "publish_refused"}
"""Faults with which a connected broker is as good as none."""


def reaches(lane: Lane, faults: Faults) -> bool:
    """Whether somebody hears what a lane sends, as far as that can be known."""
    here = {fault.fault for fault in faults if fault.where == f"lane:{lane.name}"}
    return lane.connected and not here & UNHEARD


class Sounder:
    """Looks at the open alerts, also while their desk waits for the disk, and waits for no action itself."""

    def __init__(
        self,
        local: LocalAlert,
        book: Book,
        chronicle: Chronicle,
        faults: Faults,
        now: Callable[[], Moment],
        reachable: Callable[[], bool],
    ) -> None:
        self._local, self._book, self._faults = local, book, faults
        self._now, self._reachable = now, reachable
        self._escalation = Escalation(local.after, local.every, now())
        self._bells = [_Bell(action, local, book, chronicle, faults) for action in local.actions]

    async def run(self) -> None:
        """Go round until cancelled."""
        async with asyncio.TaskGroup() as ringing:
            for bell in self._bells:
                ringing.create_task(bell.run())
            while True:
                self.look()
                await asyncio.sleep(LOOK_S)

    def look(self) -> None:
        due = self._escalation.look(self._book.open(), self._now(), reachable=self._reachable())
        if due:
            for bell in self._bells:
                bell.ring(due)
        self._mind_unit()

    def _mind_unit(self) -> None:
        """That nobody would do anything is to be known before somebody presses."""
        if self._local.socket.exists():
            self._faults.end("local_alert", "local_alert_failed")
        else:
            what = f"{self._local.socket} is not there: the station cannot be told of an alert that nobody accepts"
            cure = f"`systemctl enable --now {UNIT}.socket`"
            self._faults.begin("local_alert_failed", "local_alert", what, cure)


class _Bell:
    """One action, done once at a time: what is due meanwhile is one run afterwards, with the newest facts."""

    def __init__(self, action: Action, local: LocalAlert, book: Book, chronicle: Chronicle, faults: Faults) -> None:
        self._action, self._local = action, local
        self._book, self._chronicle, self._faults = book, chronicle, faults
        self._due: Sequence[Alert] = ()
        self._some = asyncio.Event()

    def ring(self, due: Sequence[Alert]) -> None:
        self._due = due
        self._some.set()

    async def run(self) -> None:
        while True:
            await self._some.wait()
            self._some.clear()
            known = (self._book.by_id(each.id) for each in self._due)
            waiting = [alert for alert in known if alert is not None and sounds(alert)]
            if waiting:
                summons = _summons(self._action.name, waiting)
                self._tell(waiting, await summon(self._local, self._action, summons))

    def _tell(self, alerts: Sequence[Alert], outcome: Outcome) -> None:
        name, where = self._action.name, f"local_alert:{self._action.name}"
        for alert in alerts:
            self._chronicle.sounded(alert, name, outcome.failure)
        if outcome.failure is None:
            log.info("station told", action=name, alerts=len(alerts), said=outcome.said, ms=outcome.ms)
            self._faults.end(where)
        else:
            log.warning("station not told", action=name, alerts=len(alerts), why=outcome.failure, ms=outcome.ms)
            cure = f"mend it, and try it with `station-gateway act {name}`; see `journalctl -u '{UNIT}@*'`"
            self._faults.begin("local_alert_failed", where, outcome.failure, cure)


def _summons(action: str, alerts: Sequence[Alert]) -> Summons:
    latest = alerts[0]
    device = latest.wearable.device if latest.wearable else None
    return Summons(action, latest.id, latest.key.kind.value, device, latest.zone, len(alerts))
