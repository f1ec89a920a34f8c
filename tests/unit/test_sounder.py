"""The daemon's side of a local alert: what it asks of the unit, what it makes of the answers, how little it rings."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway import story
from gateway.actions import LocalAlert
from gateway.inputs import Accept
from gateway.sounder import Sounder, reaches
from gateway.story import Happening
from gateway.summons import Outcome, Summons, encode, parse
from tests.support.inside import Office, open_office, sos
from tests.support.units import listening

ACTIONS = [{"name": "siren", "command": {"run": ["/bin/true"]}}]


class Unit:
    """Stands where systemd would start the unit: answers when the test lets it."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.asked: list[Summons] = []
        self.busy = self.most = 0
        self.outcome = Outcome(code=0)
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.busy += 1
        self.most = max(self.most, self.busy)
        self.asked.append(parse(await reader.readline()))
        await self.may_end.wait()
        writer.write(encode(self.outcome) + b"\n")
        writer.close()
        self.busy -= 1


class Station:
    def __init__(self, office: Office, folder: Path, actions: list[dict[str, Any]]) -> None:
        self.office, self.unit, self.reachable = office, Unit(folder / "act.sock"), True
        local = LocalAlert.model_validate({"socket": self.unit.socket, "actions": actions})
        office.clock.ms = -60_000
        self.sounder = Sounder(
            local, office.book, office.chronicle, office.faults, office.clock.moment, lambda: self.reachable
        )
        office.clock.ms = 0

    async def press(self, *numbers: int) -> None:
        for number in numbers:
            self.office.desk.put(sos(number, self.office.clock.ms))
        await self.office.desk.settle()

    def later(self, ms: int) -> None:
        self.office.clock.ms += ms
        self.sounder.look()

    async def until(self, count: int) -> None:
        """So many requests are with the unit, and each that may end has ended."""
        async with asyncio.timeout(10):
            while len(self.unit.asked) < count or (self.unit.busy and self.unit.may_end.is_set()):
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.02)

    def told(self, kind: type[Happening]) -> list[Happening]:
        return [line.what for line in self.office.told if isinstance(line.what, kind)]

    def faults(self) -> dict[str, str]:
        return {fault.where: fault.what for fault in self.office.faults if fault.fault == "local_alert_failed"}


@asynccontextmanager
async def station(folder: Path, actions: list[dict[str, Any]] | None = None) -> AsyncIterator[Station]:
    async with open_office(folder) as office:
        made = Station(office, folder, actions or ACTIONS)
        bells = [asyncio.create_task(bell.run()) for bell in made.sounder._bells]
        try:
            async with listening(made.unit.socket, made.unit.serve):
                yield made
        finally:
            for bell in bells:
                bell.cancel()


def test_the_unit_is_told_whom_it_is_about_and_the_story_of_each_alert_what_came_of_it(tmp_path: Path) -> None:
    async def run() -> None:
        async with station(tmp_path) as hall:
            await hall.press(1, 2)
            hall.later(29_999)
            assert hall.unit.asked == []
            hall.later(1)
            await hall.until(1)
            (asked,) = hall.unit.asked
            assert (asked.action, asked.kind, asked.count) == ("siren", "sos", 2)
            assert asked.device in ("band-0001", "band-0002")
            assert hall.told(story.Sounded) == [story.Sounded("siren")] * 2

    asyncio.run(run())


def test_a_crowd_is_one_run_at_a_time_and_what_comes_meanwhile_is_one_run_more(tmp_path: Path) -> None:
    async def run() -> None:
        async with station(tmp_path) as hall:
            hall.reachable = False
            hall.unit.may_end.clear()
            for number in range(1, 101):
                await hall.press(number)
                hall.later(500)
                await asyncio.sleep(0)
            await hall.until(1)
            hall.unit.may_end.set()
            await hall.until(2)
            assert [asked.count for asked in hall.unit.asked] == [1, 100]
            assert hall.unit.asked[1].device == "band-0100"  # the newest
            assert hall.unit.most == 1

    asyncio.run(run())


def test_what_was_accepted_while_another_run_went_on_rings_no_more(tmp_path: Path) -> None:
    async def run() -> None:
        async with station(tmp_path) as hall:
            hall.unit.may_end.clear()
            await hall.press(1)
            hall.later(30_000)
            await hall.until(1)
            hall.later(60_000)  # is to be told again as soon as the first run ends
            hall.office.desk.put(Accept(hall.unit.asked[0].alert, "desk-1"))
            await hall.office.desk.settle()
            hall.unit.may_end.set()
            await hall.until(1)
            hall.later(60_000)
            await asyncio.sleep(0.05)
            assert len(hall.unit.asked) == 1

    asyncio.run(run())


def test_each_action_is_done_beside_the_others_and_one_that_hangs_holds_up_none(tmp_path: Path) -> None:
    class Half(Unit):
        async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            summons = parse(await reader.readline())
            self.asked.append(summons)
            if summons.action == "siren":
                await reader.read()
            writer.write(encode(self.outcome) + b"\n")
            writer.close()

    async def run() -> None:
        lamp = {"name": "lamp", "mqtt": {"topic": "lamp"}}
        async with open_office(tmp_path) as office:
            hall = Station(office, tmp_path, [*ACTIONS, lamp])
            hall.unit = Half(hall.unit.socket)
            bells = [asyncio.create_task(bell.run()) for bell in hall.sounder._bells]
            async with listening(hall.unit.socket, hall.unit.serve):
                await hall.press(1)
                for rounds in range(1, 4):
                    hall.later(60_000)
                    await hall.until(1 + rounds)
                assert [asked.action for asked in hall.unit.asked].count("siren") == 1
                assert hall.told(story.Sounded) == [story.Sounded("lamp")] * 3
                for bell in bells:
                    bell.cancel()
                await asyncio.wait(bells)

    asyncio.run(run())


def test_a_failure_is_in_the_story_and_a_fault_until_it_works(tmp_path: Path) -> None:
    async def run() -> None:
        async with station(tmp_path) as hall:
            await hall.press(1)
            hall.unit.outcome = Outcome("ended with 3: no such card", 3, "no such card")
            hall.later(30_000)
            await hall.until(1)
            assert hall.told(story.Sounded) == [story.Sounded("siren", "ended with 3: no such card")]
            assert hall.faults() == {"local_alert:siren": "ended with 3: no such card"}
            hall.unit.outcome = Outcome(code=0)
            hall.later(60_000)
            await hall.until(2)
            assert hall.faults() == {}

    asyncio.run(run())


def test_that_nobody_would_ring_is_known_before_anybody_presses_and_said_of_each_press(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            hall = Station(office, tmp_path, ACTIONS)
            bells = [asyncio.create_task(bell.run()) for bell in hall.sounder._bells]
            hall.later(0)
            assert "is not there" in hall.faults()["local_alert"]
            await hall.press(1)
            hall.later(30_000)
            async with asyncio.timeout(10):
                while not hall.told(story.Sounded):
                    await asyncio.sleep(0.001)
            (told,) = hall.told(story.Sounded)
            assert "nobody listens there: `systemctl enable --now station-gateway-act.socket`" in str(told)
            async with listening(hall.unit.socket, hall.unit.serve):
                hall.later(60_000)
                await hall.until(1)
                assert hall.faults() == {}
            for bell in bells:
                bell.cancel()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("fault", "where", "heard"),
    [
        ("nobody_listens", "uplink:alert", False),
        ("not_heard_back", "uplink:alert", False),
        ("publish_refused", "uplink:alert", False),
        ("not_heard_back", "uplink:telemetry", True),
        ("subscription_refused", "uplink:alert", True),
    ],
)
def test_a_broker_is_as_good_as_none_where_nobody_hears_what_it_takes(
    tmp_path: Path, fault: str, where: str, heard: bool
) -> None:
    class Link:
        def send(self, row: object, /) -> None:
            """Takes it."""

    async def run() -> None:
        async with open_office(tmp_path) as office:
            assert not reaches(office.lane, office.faults)
            office.lane.attach(Link())
            assert reaches(office.lane, office.faults)
            office.faults.begin(fault, where, "what", "cure")
            assert reaches(office.lane, office.faults) is heard

    asyncio.run(run())


def test_it_looks_at_what_is_open_until_it_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.sounder.LOOK_S", 0.001)

    async def run() -> None:
        async with station(tmp_path) as hall:
            looking = asyncio.create_task(hall.sounder.run())
            await hall.press(1)
            hall.office.clock.ms = 30_000
            await hall.until(1)
            looking.cancel()
            await asyncio.wait({looking})
            assert looking.cancelled()
            assert msgspec.structs.replace(hall.unit.asked[0], alert="a") == Summons("siren", "a", "sos", "band-0001")

    asyncio.run(run())
