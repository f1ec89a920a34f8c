"""The one task that owns alerts: everything that concerns them enters its queue, is committed, and then holds."""

import asyncio
import time
from collections.abc import Callable

import structlog

from gateway import storms
from gateway.alerts import Answer, Move
from gateway.book import Book, Page
from gateway.chronicle import Chronicle
from gateway.clock import Clock
from gateway.forward import Lane
from gateway.identity import unique_id
from gateway.inputs import Input, Pressed
from gateway.model import Alert, AlertState, Reason
from gateway.normalise import Remember
from gateway.tray import Asked, Ruled, Then, Tray, Work
from gateway.wire import Wire

log = structlog.get_logger("alerts")

TICK_S = 0.25
BATCH = 200
FORGET_MS = 3_600_000
ACKS = 256
"""Acknowledgements that may wait at once; more are a flood and are refused."""


class Desk:
    """`put` never waits, and loses nothing that its tray has room for.

    `on_accepted` hears of each accepted alert once that is on the disk.
    """

    def __init__(
        self,
        book: Book,
        lane: Lane,
        wire: Wire,
        clock: Clock,
        chronicle: Chronicle,
        on_accepted: Callable[[Alert], None],
    ) -> None:
        self._book = book
        self._lane = lane
        self._wire = wire
        self._clock = clock
        self._chronicle = chronicle
        self._on_accepted = on_accepted
        self.tray = Tray()
        self._some = asyncio.Event()
        self._round = asyncio.Event()
        self._taken: list[Work] = []
        self._careful = 0
        self._acks = 0
        self._forgotten_ms = 0
        self.beat = time.monotonic()
        """When the task last came round."""

    def put(self, work: Input | Remember | Asked | Then) -> None:
        self.tray.put(work)
        self._some.set()

    def rule(self, ruled: Ruled) -> bool:
        """Queue an acknowledgement; false where too many already wait."""
        if self._acks >= ACKS:
            return False
        self._acks += 1
        self.tray.put(ruled)
        self._some.set()
        return True

    async def run(self) -> None:
        """Take work until cancelled."""
        if len(self._taken) > 1:  # a defect ended the last run: leave out only what caused it
            self.tray.put_back(self._taken)
            self._careful = len(self._taken)  # one of them is our undoing: they are taken one by one
            self._some.set()
        else:
            self._acks -= sum(isinstance(work, Ruled) for work in self._taken)
        self._taken = []
        next_tick = time.monotonic()
        while True:
            await self._wait(next_tick - time.monotonic())
            self.beat = time.monotonic()
            tick = self.beat >= next_tick
            if tick:
                next_tick = self.beat + TICK_S
            await self.settle(tick=tick)

    async def settle(self, *, tick: bool = False) -> None:
        """Take what waits, commit it, and only then believe and answer it."""
        self._taken = self.tray.take(1 if self._careful else BATCH)
        self._careful = max(0, self._careful - len(self._taken))
        if not self.tray:
            self._some.clear()
        await self._settle(self._taken, tick=tick)
        self._taken = []
        ended, self._round = self._round, asyncio.Event()
        ended.set()

    async def drained(self) -> None:
        """Return when everything put so far is committed."""
        while self.tray or self._taken:
            await self._round.wait()

    async def _settle(self, taken: list[Work], *, tick: bool) -> None:
        page = Page(self._book, self._clock.moment())
        answers = self._write(page, taken)
        if tick:
            page.tick(self._lane.unsent)
            self._forget(page)
        for notice in page.notices:
            self._chronicle.decided(notice, page.now)
        await self._commit(page)
        page.adopt()
        self._taken = []  # committed: whatever goes wrong in telling of it, it is not taken twice
        self._acks -= len(answers)
        for ruled, answer in answers:
            ruled.heard(answer.alert if isinstance(answer, Move) else answer)
        self._tell(page)
        for work in taken:
            match work:
                case Asked(heard=heard, over=over):
                    heard(list(self._book.known() if over else self._book.open()))
                case Then(do=do):
                    do()

    @property
    def waiting(self) -> int:
        return len(self.tray)

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._some.wait()
        except TimeoutError:
            pass

    def _write(self, page: Page, taken: list[Work]) -> list[tuple[Ruled, Answer]]:
        answers: list[tuple[Ruled, Answer]] = []
        for work in taken:
            match work:
                case Ruled(given=given):
                    answers.append((work, self._take(page, given)))
                case Remember(change=change):
                    page.changes.append(change)
                case Asked() | Then():
                    pass
                case Pressed():
                    self._press(page, work)
                case _:
                    self._take(page, work)
        return answers

    def _press(self, page: Page, pressed: Pressed) -> None:
        """A press in a storm is taken like any other, and tells of the storm as well."""
        answer = self._take(page, pressed)
        if isinstance(answer, Move) and answer.alert.storm and pressed.wearable is not None:
            new_id = unique_id(self._clock.now(), self._clock.random(10))
            self._take(page, storms.told(pressed, pressed.wearable.device, new_id))

    def _take(self, page: Page, given: Input) -> Answer:
        answer = page.take(given)
        self._chronicle.took(given, answer)
        return answer

    def _forget(self, page: Page) -> None:
        if page.now.mono_ms - self._forgotten_ms >= FORGET_MS:
            self._forgotten_ms = page.now.mono_ms
            page.changes += self._book.forget(page.now)

    async def _commit(self, page: Page) -> None:
        if not page.empty:
            drafts = [self._wire.alert(notice.alert, notice.reason, page.now) for notice in page.notices]
            await self._lane.commit(drafts, page.records())

    def _tell(self, page: Page) -> None:
        for notice in page.notices:
            alert = notice.alert
            device = alert.wearable.device if alert.wearable else alert.key.subject
            kind, state = alert.key.kind.value, alert.state.value
            log.info("alert", id=alert.id, kind=kind, state=state, reason=notice.reason.value, device=device)
            if notice.reason is Reason.ACCEPT and alert.state is AlertState.ACCEPTED:
                self._on_accepted(alert)
