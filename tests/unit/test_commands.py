"""What is asked and said on the box: answered from what is on the disk, and believed as a desk's word is."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace

from drivers.base import Metric
from gateway import asks, commands, story
from gateway.alerts import Rules, raised
from gateway.commands import found, listed
from gateway.errors import RequestRefused
from gateway.inputs import Pressed
from gateway.journal import files
from gateway.model import Alert, AlertKind, AlertState, Heard, Moment, Wearable
from gateway.protection import Way
from gateway.story import StoryLine
from tests.support.box import Box, box
from tests.support.inside import StillClock, make_wire, open_office, sos
from tests.support.moments import moment


def kind(given: Pressed, alert_kind: AlertKind) -> Pressed:
    changed: Pressed = replace(
        given, key=replace(given.key, kind=alert_kind), new_id=given.new_id[:-4] + alert_kind.value[:4]
    )
    return changed


def test_open_alerts_are_listed_the_gravest_first_and_of_these_what_waits_longest_for_somebody(tmp_path: Path) -> None:
    async def run() -> None:
        async with box(tmp_path) as at:
            low, first, second, fall = await at.raised(
                kind(sos(1), AlertKind.LOW_BATTERY), sos(1), sos(2, 5), kind(sos(3, 9), AlertKind.FALL)
            )
            cleared, accepted = await at.raised(sos(4), sos(5, 1))
            await at.ask(asks.Clear(cleared))
            await at.ask(asks.Accept(accepted))
            answer = await at.ask(asks.Alerts())
            assert answer["status"] == "ok"
            assert [alert["id"] for alert in answer["result"]["alerts"]] == [first, second, fall, accepted, low]

    asyncio.run(run())


def test_a_word_on_the_box_is_committed_published_and_told_with_who_said_it(tmp_path: Path) -> None:
    async def run() -> None:
        async with box(tmp_path) as at:
            (ident,) = await at.raised(sos(1))
            answer = await at.ask(asks.Accept(ident))
            assert (answer["result"]["alert"]["state"], answer["result"]["alert"]["by"]) == ("accepted", "box-root")
            answer = await at.ask(asks.Clear(ident, "li"))
            assert (answer["result"]["alert"]["state"], answer["result"]["alert"]["by"]) == ("cleared", "box-root/li")
            said = [(message["state"], message["by"], message["reason"]) for message in await at.office.messages()]
            assert said == [
                ("raised", None, "press"), ("accepted", "box-root", "accept"), ("cleared", "box-root/li", "clear")
            ]  # fmt: skip
            assert [alert.by for alert in at.office.accepted] == ["box-root"]

    asyncio.run(run())


def test_a_word_that_does_not_fit_is_refused_as_a_desk_s_is(tmp_path: Path) -> None:
    async def run() -> None:
        async with box(tmp_path) as at:
            (ident,) = await at.raised(sos(1))
            await at.ask(asks.Accept(ident))
            assert await at.refused(asks.Accept(ident)) == "already_accepted"
            await at.ask(asks.Clear(ident))
            assert await at.refused(asks.Accept(ident)) == "already_cleared"
            assert await at.refused(asks.Clear(ident[:12])) == "already_cleared"
            assert await at.refused(asks.Accept("02zz")) == "unknown_alert"
            assert await at.refused(asks.Show("")) == "too_short"

    asyncio.run(run())


def test_the_longest_label_with_the_longest_user_is_what_the_contract_allows(tmp_path: Path) -> None:
    async def run() -> None:
        async with box(tmp_path) as at:
            (ident,) = await at.raised(sos(1))
            user = "box-" + "u" * (asks.USER_MAX - 4)
            await at.commands.answer(asks.encode(asks.Accept(ident, "x" * 24)), user)
            messages = await at.office.messages()  # held against the contract
            assert len(messages[-1]["by"]) == 64

    asyncio.run(run())


def test_an_alert_is_shown_with_its_story_also_when_it_is_over(tmp_path: Path) -> None:
    async def run() -> None:
        async with box(tmp_path) as at:
            (ident,) = await at.raised(sos(1))
            at.journal.tell(StoryLine(ident, moment(0).wall_ms, story.Heard("serial:a", -60)))
            at.journal.tell(StoryLine("another", 1, story.Heard("serial:a", -60)))
            await at.ask(asks.Clear(ident))
            result = (await at.ask(asks.Show(ident[:20])))["result"]
            assert (result["alert"]["id"], result["alert"]["state"]) == (ident, "cleared")
            assert result["story"] == [
                {
                    "subject": ident,
                    "at": "2026-11-24T00:00:00.000Z",
                    "what": {"type": "heard", "link": "serial:a", "rssi": -60},
                }
            ]

    asyncio.run(run())


def test_a_story_that_cannot_be_read_is_said_to_be_so(tmp_path: Path) -> None:
    async def run() -> None:
        async with box(tmp_path) as at:
            (ident,) = await at.raised(sos(1))
            files(tmp_path)[0].mkdir()
            assert await at.refused(asks.Show(ident)) == "story_unreadable"

    asyncio.run(run())


def test_a_test_window_is_opened_by_whoever_asks_and_is_shown_with_its_device(tmp_path: Path) -> None:
    async def run() -> None:
        async with box(tmp_path) as at:
            opened = (await at.ask(asks.Test("pend", 10)))["result"]
            assert opened == {"device": "pendant-1", "until": "2026-11-24T00:10:00.000Z"}
            trial = at.trials.of("pendant-1")
            assert trial is not None
            assert trial.by == "box-root"
            devices = (await at.ask(asks.Devices()))["result"]["devices"]
            assert [device["test_until"] for device in devices] == [None, None, opened["until"]]
            at.office.clock.ms = 600_000
            assert (await at.ask(asks.Device("pend")))["result"]["device"]["test_until"] is None
            assert await at.refused(asks.Test("band-0009")) == "unknown_device"
            assert (await at.said(b'{"ask":"test","device":"pend","minutes":11}'))["code"] == "invalid"
            assert at.trials.of("pendant-1") is None

    asyncio.run(run())


def test_every_wearable_is_listed_with_when_it_was_heard_and_what_is_open(tmp_path: Path) -> None:
    async def run() -> None:
        async with box(tmp_path) as at:
            low, ident = await at.raised(kind(sos(1), AlertKind.LOW_BATTERY), sos(1))
            level, profile = {Metric.BATTERY_LEVEL: 88}, "398-reference"
            at.sightings.see(Wearable("00000001", "band-0001"), moment(500), Heard("serial:a", -60), profile, level)
            at.sightings.see(Wearable("00000003", "pendant-1"), moment(0), Heard("ble:b", None), profile, {})
            for wearer in at.protection.wearers:
                at.protection.look(wearer, Way(), moment(600))
            devices = (await at.ask(asks.Devices()))["result"]["devices"]
            told = [[*list(device.values())[:-1], [alert["id"] for alert in device["alerts"]]] for device in devices]
            when = "2026-11-24T00:00:00.600Z"
            sound = {"state": "protected", "reasons": [], "since": when}
            unheard = {"state": "unprotected", "reasons": ["never_heard"], "since": when}
            heard = ("2026-11-24T00:00:00.500Z", "2026-11-24T00:00:00.000Z")
            assert told == [
                ["band-0001", "w-0001", None, heard[0], "serial:a", -60, 88, None, sound, None, [ident, low]],
                ["band-0002", "w-0002", "hall", None, None, None, None, None, unheard, None, []],
                ["pendant-1", None, None, heard[1], "ble:b", None, None, None, None, None, []],
            ]
            assert (await at.ask(asks.Device("pend")))["result"]["device"] == devices[2]
            assert (await at.ask(asks.Device("band-0001")))["result"]["device"] == devices[0]
            assert await at.refused(asks.Device("band")) == "ambiguous"
            assert await at.refused(asks.Device("ban")) == "too_short"
            assert await at.refused(asks.Device("w-0001")) == "unknown_device"

    asyncio.run(run())


def test_a_disk_that_stands_still_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "WAIT_S", 0.1)

    async def run() -> None:
        async with box(tmp_path) as at:
            other = sqlite3.connect(tmp_path / "alert.db", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            at.office.desk.put(sos(100))
            assert await at.refused(asks.Alerts()) == "waits"
            other.close()

    asyncio.run(run())


def test_a_word_that_is_not_on_the_disk_in_time_counts_once_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "WAIT_S", 0.1)

    async def run() -> None:
        async with open_office(tmp_path) as office:
            at = Box(office, tmp_path)  # its desk works only when told to
            (ident,) = await at.raised(sos(1))
            asking = asyncio.create_task(at.refused(asks.Accept(ident)))
            await asyncio.sleep(0)
            await office.desk.settle()  # finds the alert
            assert await asking == "not_yet"
            await office.desk.settle()
            assert [alert.by for alert in office.accepted] == ["box-root"]

    asyncio.run(run())


@pytest.mark.parametrize("line", [b"", b"{}", b'{"ask":"accept","alert":"x","by":"Li Ming"}', b"\xff" * 100])
def test_what_is_no_question_is_answered_with_a_reason(tmp_path: Path, line: bytes) -> None:
    async def run() -> None:
        async with box(tmp_path) as at:
            answer = await at.said(line)
            assert (answer["status"], answer["code"]) == ("error", "invalid")

    asyncio.run(run())


def alert(
    ident: str, number: int = 1, alert_kind: AlertKind = AlertKind.SOS, state: AlertState = AlertState.RAISED
) -> Alert:
    pressed = kind(sos(number), alert_kind)
    made: Alert = replace(raised(None, pressed, moment(0), Rules()).alert, id=ident, state=state)
    return made


KNOWN = [
    alert("01kaaa1"),
    alert("01kaaa2", alert_kind=AlertKind.LOW_BATTERY),
    alert("01kaaa", 2, state=AlertState.ACCEPTED),
    alert("01kb", 3, state=AlertState.CLEARED),
    alert("01kccc", 4, AlertKind.TAMPER),
    alert("01kddd", 4, AlertKind.LOW_BATTERY),
]


@pytest.mark.parametrize(
    ("given", "ident"),
    [
        ("01kaaa1", "01kaaa1"),
        ("01kaaa", "01kaaa"),
        ("01kb", "01kb"),
        ("01kc", "01kccc"),
        ("band-0001", "01kaaa1"),
        ("band-0002", "01kaaa"),
    ],
)
def test_an_alert_is_found_by_its_id_by_how_that_begins_and_by_its_device(given: str, ident: str) -> None:
    assert found(given, KNOWN).id == ident


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("01k", "too_short"),
        ("", "too_short"),
        ("zz", "unknown_alert"),
        ("01kz", "unknown_alert"),
        ("01ka", "ambiguous"),
        ("band-0003", "nothing_open"),
        ("band-0004", "ambiguous"),
        ("band-000", "unknown_alert"),
    ],
)
def test_what_does_not_tell_one_alert_is_refused(given: str, code: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        found(given, KNOWN)
    assert refused.value.code == code


def test_a_list_has_what_is_open_alone() -> None:
    wire = make_wire(StillClock())
    assert {each["id"] for each in listed(wire, KNOWN)["alerts"]} == {each.id for each in KNOWN} - {"01kb"}


def test_what_was_pressed_before_the_clock_was_right_stands_where_it_belongs() -> None:
    def raised_at(ident: str, at: Moment) -> Alert:
        return replace(next(alert for alert in KNOWN if alert.open), id=ident, at=at)

    of_1970 = replace(moment(2_000, synced=False), wall_ms=20_000)
    alerts = [raised_at("third", moment(3_000)), raised_at("second", of_1970), raised_at("first", moment(1_000))]
    ranks = [each["id"] for each in listed(make_wire(StillClock(5_000)), alerts)["alerts"]]
    assert ranks == ["first", "second", "third"]
