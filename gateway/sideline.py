"""The refused rows of a lane: they wait beside the window, in nobody's way, or are set aside for good."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from gateway.aside import Aside
from gateway.model import Change, Draft
from gateway.refusals import HUNG_UP, STRIKES, Refusals, Refused
from gateway.rows import Row

log = structlog.get_logger("lane")

MOST = 200
"""Rows that wait here. With more, the other end refuses everything, and the lane stands."""

Commit = Callable[[Sequence[Draft], Sequence[Change]], Awaitable[None]]


class Sideline:
    """`back` gets a row whose time has come, `leave` one that is given up. Only spare rows are ever given up."""

    def __init__(
        self,
        retry_s: float,
        aside: Aside | None,
        commit: Commit,
        back: Callable[[Row], None],
        leave: Callable[[int], None],
    ) -> None:
        self.refusals = Refusals(retry_s)
        self.aside = aside
        self._commit, self._back, self._leave = commit, back, leave
        self._loop = asyncio.get_running_loop()
        self._held: dict[int, tuple[Row, asyncio.TimerHandle | None]] = {}
        self._work: set[asyncio.Task[None]] = set()

    def __contains__(self, seq: int) -> bool:
        return seq in self._held

    def __len__(self) -> int:
        return len(self._held)

    @property
    def full(self) -> bool:
        return len(self._held) >= MOST

    def has_aside(self, row: Row) -> bool:
        return self.aside is not None and row in self.aside

    def strike(self, row: Row, code: int, reason: str) -> None:
        """The row was refused."""
        self._turn_away(self.refusals.strike(row, code, reason))

    def hung_up(self, row: Row, reason: str) -> bool:
        """The other end hung up at the row, which was alone; whether that has been so often that it is a refusal."""
        refused = self.refusals.strike(row, HUNG_UP, reason)
        if refused.strikes < STRIKES:
            return False  # a broker that was restarted has done no more than this
        self._turn_away(refused)
        return True

    def take(self, row: Row) -> None:
        """The row was accepted. If it had been refused before, something has been put right."""
        if self.aside is not None and row in self.aside:
            self._do(self._commit([], self.aside.drop(row)))
        if self.refusals.take(row.seq):
            self.renew()

    def renew(self) -> None:
        """Things have changed: what was refused before may be tried at once, but for what would end the link again."""
        for seq in list(self._held):
            if not self.refusals.hung_up(seq):
                self._again(seq)

    def offer(self, row: Row) -> bool:
        """Let a row that waits here be tried again now; false where none does."""
        kept = self.aside.get(row) if self.aside is not None else None
        if kept is not None:
            self._back(kept.row)
        elif row.seq in self._held:
            self._again(row.seq)
        return kept is not None or row.seq in self.refusals

    async def close(self) -> None:
        """Finish what is being given up."""
        await asyncio.gather(*self._work)
        for _, timer in self._held.values():
            if timer is not None:
                timer.cancel()

    def _turn_away(self, refused: Refused) -> None:
        row, aside = refused.row, self.aside
        if aside is not None and row in aside:
            self.refusals.forget(row.seq)  # it was tried once more, and no more than that
        elif aside is not None and row.spare and self.refusals.poison(refused):
            self._held[row.seq] = row, None
            self._do(self._set_aside(refused, aside))
        else:
            self._hold(row)

    def _hold(self, row: Row) -> None:
        self._held[row.seq] = row, self._loop.call_later(self.refusals.wait_s(row.seq), self._again, row.seq)

    def _again(self, seq: int) -> None:
        row, timer = self._held[seq]
        if timer is not None:  # else it is just being set aside
            timer.cancel()
            del self._held[seq]
            self._back(row)

    def _do(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _set_aside(self, refused: Refused, aside: Aside) -> None:
        """Out of the lane, with a gap in its place."""
        seq = refused.row.seq
        await self._commit([aside.gap(refused.row)], aside.keep(refused))
        log.warning("row set aside", row=refused.row.id, code=refused.code, reason=refused.reason)
        self.refusals.forget(seq)
        del self._held[seq]
        self._leave(seq)
