"""Once a second: what others were told of us is told anew when it is true no longer."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from gateway import rounds
from gateway.board import Board
from gateway.centre import Centre
from gateway.quarantine import Quarantine
from gateway.report import Report
from gateway.requests import Requests
from gateway.roster import Roster
from gateway.rounds import Rounds
from gateway.session import AlertUplink
from gateway.sinks.words import Login
from gateway.thresholds import CallCentre
from gateway.trials import Trials
from gateway.uplink import Brokers, Patience, Road, Shore
from tests.support.inside import allow, open_office, sos

FULL = 12
"""Pages of a disk that is as good as full: the empty file has 5 or so."""


def no_login() -> Login:
    raise AssertionError


def test_a_lane_that_is_numbered_anew_is_told_and_nothing_is_told_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "CLOCK_S", 0.005)

    async def run() -> None:
        async with open_office(tmp_path, pages=FULL) as office:
            wire, clock, faults, lanes = office.wire, office.clock, office.faults, {"alert": office.lane}
            report, trials = Report(wire, {}, lanes, faults, clock.moment()), Trials(Roster(()), clock.moment)
            requests = Requests(wire, office.desk, trials, lambda: "", {}, lambda: 0, Counter())
            shore = Shore(wire, Road(), no_login, clock, faults, Patience())
            centre = Centre(CallCentre(), faults)
            session = AlertUplink(office.lane, Brokers(()), shore, requests, report.standing, centre)
            births: list[str] = []
            monkeypatch.setattr(session, "birth", lambda: births.append(office.lane.outbox.epoch))
            quarantine = Quarantine(tmp_path / "quarantine.jsonl")
            going = Rounds(report, Board(), session, clock, quarantine, faults, trials)
            running = asyncio.create_task(going.run(3_600.0))
            await asyncio.sleep(0.1)
            assert births == []
            for number in range(60):  # more than fits: memory stands in
                office.desk.put(sos(number))
            await office.desk.settle()
            in_memory = office.lane.outbox.epoch
            assert in_memory != "aaaa0000"
            allow(office.lane.outbox._rows._disk, 1 << 20)  # and the disk takes it over
            async with asyncio.timeout(10):
                while office.lane.outbox.epoch == in_memory:
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            running.cancel()
            assert births == [in_memory, "aaaa0000"]

    asyncio.run(run())
