"""The desk believes only what is on the disk, loses nothing that is put, and one bad piece of work harms no other."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway import book
from gateway.alerts import Refusal, Rules
from gateway.book import Book, FloodLimit
from gateway.desk import BATCH
from gateway.inputs import Accept, Clear
from gateway.model import Alert, AlertState, Moment, Put
from gateway.normalise import Remember
from gateway.store import Store
from gateway.tray import Asked, Ruled, Then
from tests.support.drafts import Broker
from tests.support.inside import Office, open_office, sos

FULL = 12
"""Pages of a disk that is as good as full: the empty file has 5 or so."""
DAY_MS = 24 * 3_600_000
POISON = Moment(1 << 62, 0, "no time that could be written", True)


def reopened(folder: Path) -> Store:
    return Store(folder / "alert.db", "bbbb0000")


async def emptied(office: Office, seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        await office.desk.drained()


def test_a_press_its_record_and_what_it_was_recognised_by_are_on_the_disk_together(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            office.desk.put(sos(1))
            await office.desk.settle()
            other = reopened(tmp_path)
            assert len(other.read(0, 10)) == 1
            assert list(other.records(book.SPACE)) == [sos(1).new_id]
            assert other.records("device") == {"00000001": b"seen"}

    asyncio.run(run())


def test_a_killed_daemon_finds_its_alerts_again(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            office.desk.put(sos(1))
            office.desk.put(sos(2))
            office.desk.rule(Ruled(Accept(sos(2).new_id, "desk-3"), lambda _: None))
            await office.desk.settle()
            again = Book(Rules(), FloodLimit())
            again.load(reopened(tmp_path).records(book.SPACE))
            states = {alert.id: (alert.state, alert.by) for alert in again.open()}
            assert states == {
                sos(1).new_id: (AlertState.RAISED, None), sos(2).new_id: (AlertState.ACCEPTED, "desk-3")
            }  # fmt: skip

    asyncio.run(run())


def test_what_the_disk_refuses_goes_out_from_memory_and_is_believed_and_answered(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path, pages=FULL) as office:
            answers: list[Alert | Refusal] = []
            for number in range(60):  # more than fits
                office.desk.put(sos(number))
            office.desk.rule(Ruled(Accept(sos(0).new_id, "desk-3"), answers.append))
            broker = Broker()
            office.lane.attach(broker)
            await office.desk.settle()
            assert "full" in str(office.lane.outbox.trouble)
            assert (len(list(office.book.open())), len(office.accepted)) == (60, 1)
            async with asyncio.timeout(5):
                while len(broker.sent) < 61:
                    await asyncio.sleep(0.002)
            assert isinstance(answers[0], Alert)
            assert len(await office.messages()) == 61
            assert reopened(tmp_path).read(0, 100) == []

    asyncio.run(run())
    assert len(reopened(tmp_path).read(0, 100)) == 61  # ended with a disk that took it again


def test_work_is_taken_in_the_order_in_which_it_came_however_much_there_is(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            for number in range(2 * BATCH + 50):
                office.desk.put(sos(number))
            running = asyncio.create_task(office.desk.run())
            await emptied(office)
            running.cancel()
            told = [data["device"] for data in await office.messages()]
            assert told == [f"band-{number:04}" for number in range(2 * BATCH + 50)]

    asyncio.run(run())


def test_drained_waits_for_the_commit_and_not_for_the_taking(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            running = asyncio.create_task(office.desk.run())
            for number in range(20):
                office.desk.put(sos(number))
                await emptied(office)
                assert reopened(tmp_path).records(book.SPACE).keys() == {sos(n).new_id for n in range(number + 1)}
            running.cancel()

    asyncio.run(run())


def test_a_question_is_answered_after_what_was_put_before_it(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            heard: list[list[Alert]] = []
            office.desk.put(sos(1))
            office.desk.put(Asked(heard.append))
            await office.desk.settle()
            assert [[alert.id for alert in alerts] for alerts in heard] == [[sos(1).new_id]]

    asyncio.run(run())


def test_the_wearer_is_told_of_an_acceptance_once_and_of_nothing_else(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            ident = sos(1).new_id
            heard: list[Alert | Refusal] = []
            office.desk.put(sos(1))
            for given in (Accept(ident, "desk-3"), Accept(ident, "desk-4"), Clear(ident, "desk-3")):
                office.desk.rule(Ruled(given, heard.append))
            await office.desk.settle()
            assert [alert.by for alert in office.accepted] == ["desk-3"]
            assert [isinstance(outcome, Alert) or outcome for outcome in heard] == [
                True, Refusal.ALREADY_ACCEPTED, True
            ]  # fmt: skip

    asyncio.run(run())


def test_what_only_must_be_remembered_reaches_the_disk_without_a_message(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            office.desk.put(Remember(Put("device", "00000009", b"baseline")))
            await office.desk.settle()
            assert reopened(tmp_path).records("device") == {"00000009": b"baseline"}
            assert await office.messages() == []

    asyncio.run(run())


def test_what_comes_after_is_done_once_all_before_it_is_on_the_disk_and_not_earlier(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            found: list[int] = []

            def look() -> None:
                found.append(len(reopened(tmp_path).read(0, 1_000)))

            office.desk.put(Then(look))
            for number in range(BATCH + 5):  # more than one commit takes
                office.desk.put(sos(number))
            office.desk.put(Then(look))
            office.desk.put(sos(BATCH + 5))
            while office.desk.waiting:
                await office.desk.settle()
            assert found[0] == BATCH - 1
            assert found[1] >= BATCH + 5

    asyncio.run(run())


def test_time_repeats_an_alert_only_once_the_last_message_has_left(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            office.desk.put(sos(1))
            await office.desk.settle()
            office.clock.ms = 10_000
            await office.desk.settle(tick=True)
            assert len(await office.messages()) == 1
            office.lane._unsent.clear()
            await office.desk.settle(tick=True)
            assert [(data["reason"], data["repeat"]) for data in await office.messages()] == [
                ("press", 0), ("repeat", 1)
            ]  # fmt: skip

    asyncio.run(run())


def test_what_was_closed_a_week_ago_is_forgotten_on_the_disk_too(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            office.desk.put(sos(1))
            office.desk.put(sos(2))
            office.desk.rule(Ruled(Clear(sos(1).new_id, "desk-3"), lambda _: None))
            await office.desk.settle(tick=True)
            office.clock.ms = 8 * DAY_MS
            await office.desk.settle(tick=True)
            assert list(reopened(tmp_path).records(book.SPACE)) == [sos(2).new_id]

    asyncio.run(run())


@pytest.mark.parametrize("at", [0, 1, 2])
def test_work_that_ends_the_task_is_left_out_and_all_other_work_is_done(tmp_path: Path, at: int) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            works = [sos(number) for number in range(3)]
            poison = replace(sos(9), press=replace(sos(9).press, at=POISON))
            for work in (*works[:at], poison, *works[at:]):
                office.desk.put(work)
            ended = 0
            while office.desk.waiting or office.desk._taken:
                running = asyncio.create_task(office.desk.run())
                drained = asyncio.create_task(office.desk.drained())
                await asyncio.wait({running, drained}, return_when=asyncio.FIRST_COMPLETED)
                drained.cancel()
                ended += running.done() and isinstance(running.exception(), Exception)
                running.cancel()
            assert ended >= 1
            assert [data["device"] for data in await office.messages()] == ["band-0000", "band-0001", "band-0002"]

    asyncio.run(run())


async def ends(office: Office) -> int:
    """How often the desk's task ends of an error, started anew each time, until all work is done."""
    ended = 0
    drained = asyncio.create_task(office.desk.drained())
    while not drained.done():
        running = asyncio.create_task(office.desk.run())
        await asyncio.wait({running, drained}, return_when=asyncio.FIRST_COMPLETED)
        ended += running.done() and running.exception() is not None
        running.cancel()
    return ended


def test_one_piece_of_bad_work_among_a_hundred_ends_the_task_twice_at_most(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            for number in range(100):
                office.desk.put(sos(number))
            office.desk.put(replace(sos(100), press=replace(sos(100).press, at=POISON)))
            assert 1 <= await ends(office) <= 2
            assert len(await office.messages()) == 100

    asyncio.run(run())


def test_who_asked_and_fails_at_the_answer_makes_nothing_happen_twice(tmp_path: Path) -> None:
    async def run() -> None:
        def fails(_: Alert | Refusal) -> None:
            raise RuntimeError

        async with open_office(tmp_path) as office:
            for number in range(5):
                office.desk.put(sos(number))
            office.desk.rule(Ruled(Accept(sos(0).new_id, "desk-3"), fails))
            assert await ends(office) == 1
            assert len(await office.messages()) == 6

    asyncio.run(run())
