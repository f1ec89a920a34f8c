"""The box as those who stand at it meet it: a desk at work, its stories, and the control socket."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from gateway import asks
from gateway.commands import Commands
from gateway.control import Control
from gateway.inputs import Pressed
from gateway.journal import Journal
from gateway.protection import Protection
from gateway.report import Report
from gateway.roster import Device, Roster
from gateway.sightings import Sightings
from gateway.supervision import Supervision
from gateway.thresholds import Supervision as Rules
from gateway.trials import Trials
from tests.support.inside import Office, open_office

T = TypeVar("T")
ROSTER = Roster((
    Device(id="band-0001", address="c09800000001", wearer="w-0001"),
    Device(id="band-0002", address="c09800000002", wearer="w-0002", zone="hall"),
    Device(id="pendant-1", address="c09800000003"),
))  # fmt: skip


class Box:
    def __init__(self, office: Office, folder: Path) -> None:
        self.office = office
        self.sightings = Sightings()
        supervision = Supervision(self.sightings, {"398-reference": 2_000}, Rules(), lambda: "id")
        self.protection = Protection(ROSTER, supervision, Rules().weak_signal)
        self.trials = Trials(ROSTER, office.clock.moment)
        self.journal = Journal(folder, office.faults)
        report = Report(office.wire, {}, {"alert": office.lane}, office.faults, office.clock.moment())
        self.commands = Commands(report, office.desk, self.journal, ROSTER, self.protection, self.trials, office.clock)

    async def raised(self, *given: Pressed) -> list[str]:
        for each in given:
            self.office.desk.put(each)
        await self.office.desk.settle()
        return [each.new_id for each in given]

    async def ask(self, ask: asks.Ask) -> dict[str, Any]:
        return await self.said(asks.encode(ask))

    async def said(self, line: bytes) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(await self.commands.answer(line, "box-root"))
        return answer

    async def refused(self, ask: asks.Ask) -> str:
        answer = await self.ask(ask)
        assert answer["status"] == "error"
        code: str = answer["code"]
        return code


@asynccontextmanager
async def box(folder: Path) -> AsyncIterator[Box]:
    async with open_office(folder) as office:
        made = Box(office, folder)
        running = asyncio.create_task(office.desk.run())
        try:
            yield made
        finally:
            running.cancel()


class Answering:
    """A box that answers at its socket while the test does something else. `do` runs on its event loop."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.socket = folder, folder / "control.sock"
        self._box: Box
        self._loop = asyncio.new_event_loop()
        self._up, self._over = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    def do(self, work: Coroutine[None, None, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    @property
    def box(self) -> Box:
        return self._box

    async def _serve(self) -> None:
        async with box(self.folder) as self._box:
            served = asyncio.create_task(Control(self.socket, self._box.commands.answer).run(self._up.set))
            await self._over.wait()
            served.cancel()
            await asyncio.wait({served})

    def begin(self) -> None:
        self._thread.start()
        assert self._up.wait(10)

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)
        self._loop.close()


@contextmanager
def answering(folder: Path) -> Iterator[Answering]:
    station = Answering(folder)
    station.begin()
    try:
        yield station
    finally:
        station.end()
