"""More presses of a device than a person makes: each is sent, marked, and the storm itself is told once."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.alerts import Rules
from gateway.book import SPACE, Book, FloodLimit, Page
from gateway.inputs import Clear, Pressed
from gateway.model import AlertKind, AlertState, Severity, Wearable
from gateway.store import Store
from gateway.storms import StormLimit, Storms, presser
from gateway.tray import Ruled
from tests.support.inside import Office, open_office, sos
from tests.support.moments import moment

MINUTE, HOUR, HOLD = 60_000, 3_600_000, 30_000
BAND = ("band-0001", False)


def kind(pressed: Pressed, wanted: AlertKind, *, test: bool = False) -> Pressed:
    service = "shopping" if wanted is AlertKind.SERVICE_REQUEST else None
    return replace(pressed, key=replace(pressed.key, kind=wanted, service=service, test=test))


async def press(office: Office, *given_: Pressed) -> None:
    for each in given_:
        office.clock.ms = each.press.at.mono_ms - moment(0).mono_ms
        office.desk.put(each)
        await office.desk.settle()


async def at(office: Office, ms: int) -> None:
    office.clock.ms = ms
    await office.desk.settle(tick=True)


async def told(office: Office, wanted: AlertKind = AlertKind.STORM) -> list[dict[str, Any]]:
    return [data for data in await office.messages() if data["kind"] == wanted.value]


@given(st.lists(st.integers(0, 3 * HOUR), max_size=40).map(sorted), st.integers(1, 10))
def test_a_press_is_in_a_storm_where_more_than_so_many_lie_within_the_time_before_it(ms: list[int], limit: int) -> None:
    storms = Storms(StormLimit(limit))
    for count, each in enumerate(ms, 1):
        storms.add(BAND, [moment(each)])
        lately = [other for other in ms[:count] if each - other <= HOUR]
        assert storms.blows(BAND, moment(each)) == (len(lately) > limit)


def test_six_presses_of_an_hour_are_none_and_the_seventh_is_a_storm_that_keeps_nothing_back(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            await press(office, *(sos(1, each * MINUTE) for each in range(8)))
            presses = await told(office, AlertKind.SOS)
            assert [data["storm"] for data in presses] == [False] * 6 + [True] * 2
            assert [data["press_count"] for data in presses] == list(range(1, 9))
            assert {data["severity"] for data in presses} == {"critical"}
            (storm,) = await told(office)
            assert (storm["device"], storm["wearer"], storm["severity"]) == ("band-0001", "w-0001", "technical")
            assert (storm["storm"], storm["codes"]) == (False, {"scaip": None, "contact_id": None})
            assert len({data["id"] for data in [*presses, storm]}) == 2

    asyncio.run(run())


def test_presses_of_one_round_count_as_well_and_those_of_all_kinds_together(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            kinds = [AlertKind.SOS, AlertKind.FALL, AlertKind.BUTTON, AlertKind.SERVICE_REQUEST] * 2
            for number, each in enumerate(kinds):
                office.desk.put(kind(sos(1, number), each))
            await office.desk.settle()
            messages = [data for data in await office.messages() if data["kind"] != "storm"]
            assert [data["storm"] for data in messages] == [False] * 6 + [True] * 2
            assert len(await told(office)) == 1

    asyncio.run(run())


@pytest.mark.parametrize("other", [AlertKind.LOW_BATTERY, AlertKind.NOT_WORN, AlertKind.TAMPER])
def test_what_nobody_presses_does_not_count(other: AlertKind) -> None:
    assert presser(kind(sos(1), other)) is None
    assert presser(sos(1)) == BAND


def test_strangers_are_the_flood_s_business() -> None:
    assert presser(replace(sos(1), wearable=Wearable("00000001", "x-1", registered=False))) is None
    assert presser(replace(sos(1), wearable=None)) is None


def test_a_storm_ends_by_itself_once_the_device_presses_less(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            await press(office, *(sos(1, each * MINUTE) for each in range(7)))
            for ms in (HOUR, HOUR + HOLD + 1_000):
                await at(office, ms)
            assert [data["state"] for data in await told(office)] == ["raised"]
            assert not [data for data in await told(office, AlertKind.SOS) if data["state"] == "cleared"]
            await at(office, HOUR + HOLD + 1_000 + HOLD)
            storm = (await told(office))[-1]
            assert (storm["state"], storm["reason"], storm["by"]) == ("cleared", "condition_ended", None)
            await press(office, sos(1, 2 * HOUR))
            assert (await told(office, AlertKind.SOS))[-1]["storm"] is False

    asyncio.run(run())


def test_a_storm_that_goes_on_within_the_hold_time_is_the_same_one(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            await press(office, *(sos(1, each * MINUTE) for each in range(7)))
            await at(office, HOUR + 1)
            await press(office, sos(1, HOUR + 2))
            assert (await told(office, AlertKind.SOS))[-1]["storm"] is True
            await at(office, HOUR + HOLD + 10)
            assert [data["state"] for data in await told(office)] == ["raised"]
            (storm,) = [alert for alert in office.book.open() if alert.key.kind is AlertKind.STORM]
            assert storm.ended_at is None

    asyncio.run(run())


def test_presses_that_the_call_centre_clears_one_by_one_are_a_storm_as_well(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            for each in range(7):
                await press(office, sos(1, each * MINUTE))
                office.desk.rule(Ruled(Clear(sos(1, each * MINUTE).new_id, "desk-3"), lambda _: None))
                await office.desk.settle()
            raised = [data for data in await told(office, AlertKind.SOS) if data["state"] == "raised"]
            assert [data["storm"] for data in raised] == [False] * 6 + [True]
            assert len({data["id"] for data in raised}) == 7
            assert len(await told(office)) == 1

    asyncio.run(run())


def test_after_a_restart_the_presses_before_it_count(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            await press(office, *(sos(1, each * MINUTE) for each in range(6)), kind(sos(2), AlertKind.LOW_BATTERY))
            again = Book(Rules(), FloodLimit())
            again.load(Store(tmp_path / "alert.db", "bbbb0000").records(SPACE))
            page = Page(again, moment(7 * MINUTE))
            page.take(sos(1, 7 * MINUTE))
            page.take(sos(2, 7 * MINUTE))
            assert [notice.alert.storm for notice in page.notices] == [True, False]

    asyncio.run(run())


def test_a_device_in_a_storm_says_nothing_of_another(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            await press(office, *(sos(1, each) for each in range(20)), *(sos(2, each) for each in range(20, 40)))
            assert [data["device"] for data in await told(office)] == ["band-0001", "band-0002"]

    asyncio.run(run())


def test_tests_make_a_storm_of_their_own_that_marks_nothing_meant(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            await press(office, *(kind(sos(1, each), AlertKind.SOS, test=True) for each in range(7)), sos(1, 8))
            (storm,) = await told(office)
            meant = (await told(office, AlertKind.SOS))[-1]
            assert (storm["test"], meant["test"], meant["storm"]) == (True, False, False)

    asyncio.run(run())


def test_an_alert_in_a_storm_repeats_like_any_other() -> None:
    book = Book(Rules(), FloodLimit(), StormLimit(1))
    page = Page(book, moment(0))
    page.take(sos(1))
    page.take(sos(1, 1))
    page.adopt()
    (alert,) = book.open()
    assert (alert.storm, alert.severity, alert.state, alert.repeats) == (
        True, Severity.CRITICAL, AlertState.RAISED, True
    )  # fmt: skip
    later = Page(book, moment(10_001))
    later.tick(lambda _: False)
    assert [(notice.alert.repeat, notice.alert.storm) for notice in later.notices] == [(1, True)]
