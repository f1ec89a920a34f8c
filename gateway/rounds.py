"""What is done at regular times: ask the clock, report health, end test windows, save the quarantine."""

import asyncio

import structlog

from gateway.board import Board
from gateway.clock import Clock
from gateway.health import Faults
from gateway.quarantine import Quarantine
from gateway.report import Report
from gateway.session import AlertUplink
from gateway.trials import Trials

log = structlog.get_logger("rounds")

CLOCK_S = 1.0
SAVE_EVERY = 60


class Rounds:
    def __init__(
        self,
        report: Report,
        board: Board,
        session: AlertUplink,
        clock: Clock,
        quarantine: Quarantine,
        faults: Faults,
        trials: Trials,
    ) -> None:
        self._report, self._board, self._session = report, board, session
        self._clock, self._quarantine, self._faults = clock, quarantine, faults
        self._trials = trials

    async def run(self, health_s: float) -> None:
        """Go round once a second until cancelled. The first health goes out at once."""
        loop = asyncio.get_running_loop()
        health_at, told, epochs = loop.time(), "", self._report.epochs()
        self._clock.refresh()
        self._mind_clock()
        for round_ in range(1 << 62):
            corrected, before, epochs = self._clock.refresh(), epochs, self._report.epochs()
            if corrected:
                self._mind_clock()
            if corrected or epochs != before:  # a lane's file was begun anew, or memory stands in for it
                self._session.birth()
            if loop.time() >= health_at or self._session.session != told:  # health names the session it is of
                health_at, told = loop.time() + health_s, self._session.session
                self.post_health()
            self._trials.sweep()
            if round_ % SAVE_EVERY == SAVE_EVERY - 1:
                await self._save()
            await asyncio.sleep(CLOCK_S)

    def post_health(self) -> None:
        now = self._clock.moment()
        self._board.put(self._report.wire.health(self._session.session, now, self._report.health(self._clock)))

    def _mind_clock(self) -> None:
        if self._clock.synced:
            self._faults.end("clock", "clock_unsynced")
            return
        if self._clock.untold is None:
            why = "the kernel's clock is not synchronised"
            cure = "see `timedatectl`, and that a time server is reachable"
        else:
            why = f"the kernel does not say whether its clock is right ({self._clock.untold})"
            cure = "allow adjtimex: in SystemCallFilter= of `systemctl cat station-gateway`, or in the container"
        self._faults.begin("clock_unsynced", "clock", f"{why}; events say so and carry the boot's clock", cure)

    async def _save(self) -> None:
        try:
            await asyncio.to_thread(self._quarantine.save)
        except OSError as error:
            cure = "free space on the data folder, or see whether its disk is sound"
            self._faults.begin("quarantine_unsaved", "quarantine", str(error), cure)
        else:
            self._faults.end("quarantine")
