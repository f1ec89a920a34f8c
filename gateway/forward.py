"""A lane: one outbox, and the window of its rows that are on their way over one link.

The inside half ends at `commit`; the outside half begins at `attach` and ends at each row's settlement.
Neither waits for the other: without a link rows simply stay.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from gateway.aside import Aside
from gateway.errors import StorageFailed
from gateway.flights import Flights
from gateway.model import Change, Draft, Settlement
from gateway.outbox import Outbox
from gateway.pace import PATIENCE_S, Pace
from gateway.refusals import HUNG_UP
from gateway.rows import Row
from gateway.sideline import Sideline

SLICE = 16
"""Rows published before other work on the loop gets its turn: an alert is behind this many at most."""
SETTLE_AFTER_S = 0.02
"""Settled rows are deleted together after this time: one fsync for many."""


class Window(msgspec.Struct, frozen=True):
    """How much may be under way, and how long a refused row waits before it is tried again.

    `bytes` shrinks while answers take longer than `patience_s`; None: never.
    """

    messages: int = 100
    bytes: int = 128 * 1024
    retry_s: float = 5.0
    patience_s: float | None = PATIENCE_S


class Carrier(Protocol):
    """What a lane needs of a link. `send` returns at once; the answer comes back through `Lane.settled`."""

    def send(self, row: Row, /) -> None: ...


class Witness(Protocol):
    """Hears what becomes of the rows that have a subject, each by its id. Every call returns at once."""

    def committed(self, subject: str, row: str, /) -> None: ...

    def sent(self, subject: str, row: str, /) -> None: ...

    def settled(self, subject: str, row: str, settlement: Settlement, /) -> None: ...


class Lane:
    """`commit` is durable on return. `on_answer` hears of every settlement but plain success after plain success.

    A row that is refused, or at which the other end hangs up, lets the others pass. It is tried again until it is
    taken; one that may be given up and is poison is set `aside`.
    """

    def __init__(
        self,
        name: str,
        outbox: Outbox,
        window: Window,
        unsent: dict[str, int],
        on_answer: Callable[[Settlement], None],
        witness: Witness | None = None,
        aside: Aside | None = None,
    ) -> None:
        self.name = name
        self.outbox = outbox
        self.sideline = Sideline(window.retry_s, aside, self.commit, self._return, self._give_up)
        self.events = self.delivered = self.refused = 0
        self._window = window
        self._unsent = Counter(unsent)
        self._on_answer = on_answer
        self._witness = witness
        self._troubled = False
        self._loop = asyncio.get_running_loop()
        self._carrier: Carrier | None = None
        self._ready: deque[Row] = deque()
        self._flying = Flights(window.messages, Pace(window.bytes, window.patience_s))
        self._delivered_before = 0
        self._last = self.outbox.last
        self._cursor = self.outbox.before
        outbox.on_mended = self._mended
        self._settled = asyncio.Event()
        self._leaving: list[int] = []
        self._leaving_soon: asyncio.TimerHandle | None = None
        self._filling: asyncio.Handle | None = None
        self._reading: asyncio.Task[None] | None = None

    async def commit(self, drafts: Sequence[Draft], changes: Sequence[Change] = ()) -> None:
        """Durable on return: the messages are numbered, frozen, and will go out. StorageFailed: nothing is taken."""
        rows = await self.outbox.commit(drafts, changes)
        if not rows:
            return
        self.events += len(rows)
        for row in rows:
            if row.subject is not None:
                self._unsent[row.subject] += 1
                if self._witness is not None:
                    self._witness.committed(row.subject, row.id)
        self._last = max(self._last, rows[-1].seq)
        if self._takes_directly(rows[0].seq):
            self._ready.extend(rows)
            self._cursor = rows[-1].seq
        self._fill()

    def unsent(self, subject: str) -> bool:
        """Whether a row of this subject still waits for its settlement."""
        return self._unsent[subject] > 0

    @property
    def pending(self) -> int:
        return self.outbox.level.count

    async def emptied(self) -> None:
        """Return once every row is settled; only a link makes that happen."""
        while self._flying or self._ready or self._cursor < self._last or len(self.sideline):
            self._settled.clear()
            await self._settled.wait()

    @property
    def connected(self) -> bool:
        return self._carrier is not None

    def attach(self, carrier: Carrier) -> None:
        """Send from the oldest row on; whatever an earlier link left open is sent again."""
        self._flush()
        self._ready.clear()
        self._flying.clear()
        self._cursor = self.outbox.before
        self.sideline.renew()
        self._delivered_before = self.delivered
        self._carrier = carrier
        self._fill()

    def lost(self, reason: str) -> bool:
        """The other end has hung up; said before `detach`. Whether rows were under way, and the link had taken none.

        Then they fly one by one: to hang up at a row that is alone under way is an answer to it.
        """
        if not self._flying:
            return False
        alone, fruitless = self._flying.alone(), self.delivered == self._delivered_before
        if alone is not None or fruitless:
            self._flying.suspect()
        if alone is not None and self.sideline.hung_up(alone, reason):
            self._told(alone, Settlement(alone.seq, False, HUNG_UP, reason))
        return fruitless

    def detach(self) -> None:
        self._carrier = None
        self._stop_reading()

    def settled(self, settlement: Settlement) -> None:
        """A row's answer: accepted, it leaves; rejected, it makes room and is tried again later."""
        row = self._flying.answered(settlement.seq, self._loop.time())
        if row is None:
            return
        if settlement.accepted:
            self._taken(row)
        else:
            self.refused += 1
            self.sideline.strike(row, settlement.code, settlement.reason)
        self._told(row, settlement)
        self._fill_soon()

    async def close(self) -> None:
        """Delete what is settled and close the file."""
        self.detach()
        await self.sideline.close()
        self._flush()
        await self.outbox.close()

    def _taken(self, row: Row) -> None:
        self.delivered += 1
        self._settled.set()
        if row.subject is not None:
            self._unsent[row.subject] -= 1
            if not self._unsent[row.subject]:
                del self._unsent[row.subject]
        if not self.sideline.has_aside(row):
            self._leave(row.seq)
        self.sideline.take(row)

    def _told(self, row: Row, settlement: Settlement) -> None:
        if settlement.code or self._troubled:
            self._troubled = settlement.code != 0 or len(self.sideline.refusals) > 0
            self._on_answer(settlement)
        if self._witness is not None and row.subject is not None:
            self._witness.settled(row.subject, row.id, settlement)

    def _return(self, row: Row) -> None:
        """A row that waited on the sideline is next; one that the reader has yet to come by is read with the others."""
        read = row.seq <= self._cursor or self.sideline.has_aside(row)
        if self._carrier is not None and read and row.seq not in self._flying:
            self._ready.appendleft(row)
            self._fill_soon()

    def _give_up(self, seq: int) -> None:
        self._leave(seq)
        self._flush()
        self._settled.set()

    def _mended(self) -> None:
        """Rows have come within reach that may stand before those already sent: look through all of them again."""
        self._flush()
        self._stop_reading()
        self._ready.clear()
        self._cursor, self._last = self.outbox.before, max(self._last, self.outbox.last)
        self._fill()

    def _send(self, row: Row, carrier: Carrier) -> None:
        carrier.send(row)
        if self._witness is not None and row.subject is not None:
            self._witness.sent(row.subject, row.id)

    def _fill_soon(self) -> None:
        if self._filling is None:
            self._filling = self._loop.call_soon(self._fill)

    def _fill(self) -> None:
        if self._filling is not None:
            self._filling.cancel()
            self._filling = None
        for _ in range(SLICE):
            if self._carrier is None or not self._ready or self._full(self._ready[0]):
                break
            row = self._ready.popleft()
            if row.seq in self._flying:
                continue
            self._flying.begin(row, self._loop.time())
            self._send(row, self._carrier)
        else:
            self._fill_soon()
        self._prefetch()

    def _full(self, row: Row) -> bool:
        return self._flying.full(row) or (self.sideline.full and row.seq not in self.sideline.refusals)

    def _takes_directly(self, seq: int) -> bool:
        """Whether fresh rows may go out from memory: only when nothing older is still on its way from the disk."""
        caught_up = self._reading is None and self._cursor == seq - 1
        return self._carrier is not None and caught_up and len(self._ready) < self._window.messages

    def _prefetch(self) -> None:
        wanted = self._carrier is not None and self._cursor < self._last
        if wanted and self._reading is None and len(self._ready) < self._window.messages:
            self._reading = self._loop.create_task(self._read(), name=f"read {self.name}")

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    async def _read(self) -> None:
        known = self._last
        try:
            rows = await self.outbox.read(self._cursor, 4 * self._window.messages)
        except StorageFailed:
            await asyncio.sleep(self._window.retry_s)  # the outbox itself reports what is wrong with the file
            rows = []
        else:
            self._cursor = rows[-1].seq if rows else known
        self._reading = None
        self._ready.extend(row for row in rows if row.seq not in self.sideline)
        self._fill()

    def _leave(self, seq: int) -> None:
        self._leaving.append(seq)
        if self._leaving_soon is None:
            self._leaving_soon = self._loop.call_later(SETTLE_AFTER_S, self._flush)

    def _flush(self) -> None:
        if self._leaving_soon is not None:
            self._leaving_soon.cancel()
            self._leaving_soon = None
        if self._leaving:
            self.outbox.settle(self._leaving)
            self._leaving = []
