"""An alert's story tells everything that happened to it, in its order, and nothing that happened to another."""

import asyncio
from pathlib import Path

from msgspec.structs import replace

from drivers.base import BuzzPattern, LinkDown, Write
from gateway import story
from gateway.alerts import Refusal
from gateway.inputs import Accept, Clear, Copied, Ended, Withdrawn
from gateway.model import AlertKey, AlertKind, AlertState, Heard, Press, Reason, Settlement
from gateway.normalise import Route
from gateway.story import Happening, StoryLine
from gateway.tray import Ruled
from gateway.writes import Writes
from tests.support.drafts import Broker
from tests.support.inside import Office, open_office, sos
from tests.support.moments import WALL_MS, moment

IDENT = sos(1).new_id
ROW = "aaaa0000-{}"


def told(office: Office, subject: str = IDENT) -> list[Happening]:
    return [line.what for line in office.told if line.subject == subject]


def raised(row: int = 1, link: str = "serial:a") -> list[Happening]:
    return [
        story.Heard(link, -60),
        story.Recorded(f"{link}-00000001-True.jsonl"),
        story.Decided(Reason.PRESS, AlertState.RAISED),
        story.Committed(ROW.format(row)),
    ]


async def sent(office: Office, seq: int) -> Broker:
    broker = Broker()
    office.lane.attach(broker)
    async with asyncio.timeout(5):
        while not broker.has(seq):
            await asyncio.sleep(0.002)
    return broker


def test_a_press_is_heard_recorded_decided_committed_sent_and_acknowledged(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            office.clock.ms = 5
            office.desk.put(replace(sos(1), press=Press("KEY", moment(2))))
            await office.desk.settle()
            await sent(office, 1)
            office.clock.ms = 9
            office.lane.settled(Settlement(1, accepted=True, code=0, reason="Success"))
            heard, recorded, *rest = raised()
            assert told(office) == [
                story.Heard("serial:a", -60, "KEY"), recorded, *rest,
                story.Sent(ROW.format(1)), story.Taken(ROW.format(1), 0, "Success")
            ]  # fmt: skip
            assert heard == story.Heard("serial:a", -60)
            assert [line.at - WALL_MS for line in office.told] == [2, 2, 5, 5, 5, 9]

    asyncio.run(run())


def test_another_link_s_copy_is_told_once_and_what_changes_nothing_not_at_all(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            office.desk.put(sos(1))
            for _ in range(3):
                office.desk.put(Copied(sos(1).key, Heard("ble:b", None)))
            office.desk.put(Ended(sos(1).key))
            office.desk.put(Withdrawn(sos(1).key))
            office.desk.put(Copied(sos(2).key, Heard("ble:b", None)))
            await office.desk.settle()
            assert told(office) == [*raised()[:2], story.Copied("ble:b"), *raised()[2:]]
            assert {line.subject for line in office.told} == {IDENT}

    asyncio.run(run())


def test_a_further_press_is_of_the_same_story(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            office.desk.put(sos(1))
            await office.desk.settle()
            office.desk.put(sos(1, 5, "ble:b"))
            await office.desk.settle()
            assert told(office) == [*raised(), *raised(2, "ble:b")]

    asyncio.run(run())


def test_words_on_an_alert_are_told_with_who_said_them_whether_they_counted_or_not(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            office.desk.put(sos(1))
            for given in (Accept(IDENT, "desk-3"), Accept(IDENT, "box-root"), Clear(IDENT, "box-root/li")):
                office.desk.rule(Ruled(given, lambda _: None))
            await office.desk.settle()
            office.desk.rule(Ruled(Accept(IDENT, "late"), lambda _: None))
            await office.desk.settle()
            assert told(office)[2:] == [
                story.Refused("box-root", Refusal.ALREADY_ACCEPTED),
                story.Decided(Reason.PRESS, AlertState.RAISED),
                story.Decided(Reason.ACCEPT, AlertState.ACCEPTED, "desk-3"),
                story.Decided(Reason.CLEAR, AlertState.CLEARED, "box-root/li"),
                *(story.Committed(ROW.format(seq)) for seq in (1, 2, 3)),
                story.Refused("late", Refusal.ALREADY_CLEARED),
            ]

    asyncio.run(run())


def test_words_on_alerts_that_are_not_known_here_leave_no_trace(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            for number in range(300):
                office.desk.rule(Ruled(Accept("x" * number, "desk-3"), lambda _: None))
            await office.desk.settle()
            assert office.told == []

    asyncio.run(run())


def test_repeats_refusals_of_the_broker_and_new_connections_are_told(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            office.desk.put(sos(1))
            await office.desk.settle()
            await sent(office, 1)
            office.lane.settled(Settlement(1, accepted=False, code=0x87, reason="Not authorized"))
            office.lane.detach()
            await sent(office, 1)
            office.lane.settled(Settlement(1, accepted=True, code=0x10, reason="No matching subscribers"))
            office.clock.ms = 10_000
            await office.desk.settle(tick=True)
            one, two = ROW.format(1), ROW.format(2)
            assert told(office)[4:] == [
                story.Sent(one),
                story.TurnedAway(one, 0x87, "Not authorized"),
                story.Sent(one),
                story.Taken(one, 0x10, "No matching subscribers"),
                story.Decided(Reason.REPEAT, AlertState.RAISED, None, 1),
                story.Committed(two),
                story.Sent(two),
            ]

    asyncio.run(run())


def test_a_condition_s_end_is_told_when_it_comes_and_when_it_has_held(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            key = AlertKey("link:ble:a", AlertKind.RADIO_DOWN, None, test=False)
            office.desk.put(replace(sos(1), key=key, wearable=None, heard=Heard("ble:a", None), change=None))
            await office.desk.settle()
            office.desk.put(Ended(key))
            await office.desk.settle()
            office.clock.ms = 30_000
            await office.desk.settle(tick=True)
            assert told(office) == [
                story.Heard("ble:a"),
                story.Decided(Reason.PRESS, AlertState.RAISED),
                story.Committed(ROW.format(1)),
                story.Ended(),
                story.Decided(Reason.CONDITION_ENDED, AlertState.CLEARED),
                story.Committed(ROW.format(2)),
            ]  # what is about the box itself has no packets to record

    asyncio.run(run())


def test_a_clock_that_is_not_right_is_said(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            office.desk.put(sos(1))
            await office.desk.settle()
            office.clock.synced = False
            office.chronicle.sent(IDENT, "row")
            assert [line.synced for line in office.told] == [True, True, True, True, False]

    asyncio.run(run())


class Radio:
    """A link that takes what is written to it, or says why not."""

    name = "ble:a"

    def __init__(self, why: str | None) -> None:
        self.why = why

    async def write(self, write: Write) -> None:
        if self.why is not None:
            raise LinkDown("ble_write", self.why, "wait")


class Buzzing:
    def buzz(self, profile: str, link: str, address: str, pattern: BuzzPattern) -> Write:
        return Write(link, address, bytes([pattern.value]))


def buzzed(office: Office, why: str | None) -> list[StoryLine]:
    """What the story tells of a buzz."""
    writes = Writes({"ble:a": Radio(why)}, Buzzing(), lambda _: Route("ble:a", "p", "c0"), office.chronicle)
    (alert,) = office.book.open()
    writes.help_is_coming(alert)
    return office.told


def test_the_buzz_is_told_and_why_it_failed(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            office.desk.put(sos(1))
            await office.desk.settle()
            for why in (None, "not in reach"):
                count = len(buzzed(office, why))
                async with asyncio.timeout(5):
                    while len(office.told) == count:
                        await asyncio.sleep(0.002)
                assert told(office)[-1] == story.Buzzed("ble:a", why)

    asyncio.run(run())
