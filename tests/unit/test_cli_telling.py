"""What people read: at a glance in English and in Chinese, and word for word."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from drivers.base import Auth
from gateway import story
from gateway.alerts import Refusal
from gateway.cli import telling
from gateway.cli.chinese import CHINESE
from gateway.cli.english import ENGLISH
from gateway.cli.telling import Alert, Line, Protection, Wearable
from gateway.model import AlertKind, AlertState, Heard, Reason, Severity
from gateway.protection import Flaw, State

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
SOS = Alert(
    id="01kas0hm4nq8tz6m3d7e9f1234",
    wearer="w-7f3a",
    device="band-0001",
    registered=True,
    kind=AlertKind.SOS,
    service=None,
    severity=Severity.CRITICAL,
    state=AlertState.RAISED,
    confirmed=True,
    late=False,
    storm=False,
    press_count=2,
    test=False,
    auth=Auth.NONE,
    worn=True,
    at=NOW - timedelta(minutes=2),
    by=None,
    heard_by=(Heard("serial:rx", -67), Heard("ble:hci0", None)),
    zone="hall",
)
SHOPPING = replace(
    SOS,
    id="01kas0hm7777777777777777f1",
    kind=AlertKind.SERVICE_REQUEST,
    service="shopping",
    severity=Severity.REQUEST,
    state=AlertState.ACCEPTED,
    by="desk-\x1b3",
    at=NOW - timedelta(days=3),
    zone=None,
)


@pytest.fixture(autouse=True)
def in_datong(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(os.environ, "TZ", "CST-8")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_open_alerts_at_a_glance() -> None:
    assert list(telling.alerts([SOS, SHOPPING], ENGLISH, NOW)) == [
        "Open alerts: 2. Critical and not accepted: 1.",
        "SINCE                   WHO                 WHAT               STATE                PRESSES  ZONE  ID",
        "15:58:00 (2 min)        w-7f3a (band-0001)  SOS                NOT ACCEPTED         2        hall  01kas0hm4n",
        "2026-11-21 16:00 (3 d)  w-7f3a (band-0001)  service: shopping  accepted by desk-?3  2        -     01kas0hm77",
    ]


def test_open_alerts_at_a_glance_in_chinese() -> None:
    assert list(telling.alerts([SOS, SHOPPING], CHINESE, NOW)) == [
        "未结束的警报：2 条，其中紧急且无人接警：1 条。",
        "开始                     佩戴者              类型            状态               按键次数  区域  编号",
        "15:58:00 (2 分钟)        w-7f3a (band-0001)  紧急呼叫        无人接警           2         hall  01kas0hm4n",
        "2026-11-21 16:00 (3 天)  w-7f3a (band-0001)  服务请求：代购  已接警（desk-?3）  2         -     01kas0hm77",
    ]


def test_what_is_merely_ordered_is_no_critical_alert_though_nobody_has_accepted_it() -> None:
    ordered = replace(SHOPPING, state=AlertState.RAISED, by=None)
    assert next(telling.alerts([ordered], ENGLISH, NOW)) == "Open alerts: 1. Critical and not accepted: 0."


def test_nothing_open_is_said() -> None:
    assert list(telling.alerts([], ENGLISH, NOW)) == ["No alert is open."]
    assert list(telling.alerts([], CHINESE, NOW)) == ["没有未结束的警报。"]


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"test": True}, "SOS, TEST"),
        ({"kind": AlertKind.FALL, "confirmed": False}, "fall, unconfirmed"),
        ({"late": True, "worn": False}, "SOS, late, not worn"),
        ({"kind": AlertKind.NOT_WORN, "worn": False}, "not worn"),
        ({"auth": Auth.REPLAYED}, "SOS, maybe replayed"),
        ({"storm": True}, "SOS, in a storm of presses"),
        ({"kind": AlertKind.SERVICE_REQUEST, "service": "laundry"}, "service: laundry"),
    ],
)
def test_what_an_alert_is(changed: dict[str, Any], what: str) -> None:
    assert telling._what(replace(SOS, **changed), ENGLISH) == what


@pytest.mark.parametrize(
    ("changed", "who"),
    [
        ({"wearer": None}, "band-0001"),
        ({"wearer": None, "registered": False, "device": "x-12"}, "x-12, not in the roster"),
        ({"wearer": None, "registered": False, "device": None}, "serial:rx, ble:hci0"),
        ({"wearer": None, "registered": False, "device": None, "heard_by": ()}, "station"),
    ],
)
def test_whose_an_alert_is(changed: dict[str, Any], who: str) -> None:
    assert telling._who(replace(SOS, **changed), ENGLISH) == who


@pytest.mark.parametrize(
    ("minutes", "ago"),
    [(-5, "just now"), (0, "just now"), (1, "1 min"), (119, "119 min"), (120, "2 h"), (47 * 60, "47 h"), (2880, "2 d")],
)
def test_how_long_ago_something_was(minutes: int, ago: str) -> None:
    assert telling._ago(timedelta(minutes=minutes), ENGLISH) == ago


STORY = [
    Line(NOW, story.Heard("serial:rx", -67, "KEY")),
    Line(NOW, story.Tested("desk-3")),
    Line(NOW, story.Recorded("20261124.alert.jsonl")),
    Line(NOW, story.Decided(Reason.PRESS, AlertState.RAISED)),
    Line(NOW, story.Committed("aaaa0000-1")),
    Line(NOW, story.Sent("aaaa0000-1")),
    Line(NOW, story.Copied("ble:hci0")),
    Line(NOW, story.TurnedAway("aaaa0000-1", 135, "Not authorized")),
    Line(NOW, story.Taken("aaaa0000-1", 0, "Success")),
    Line(NOW + timedelta(milliseconds=10_007), story.Decided(Reason.REPEAT, AlertState.RAISED, None, 1)),
    Line(NOW + timedelta(hours=9), story.Decided(Reason.ACCEPT, AlertState.ACCEPTED, "desk-\n3"), synced=False),
    Line(NOW + timedelta(hours=9), story.Refused("box-root", Refusal.ALREADY_ACCEPTED)),
    Line(NOW + timedelta(hours=9), story.Buzzed("serial:rx")),
    Line(NOW + timedelta(hours=9), story.Buzzed("serial:rx", "timeout")),
    Line(NOW + timedelta(hours=9), story.Sounded("lamp")),
    Line(NOW + timedelta(hours=9), story.Sounded("siren", "ended with 1")),
    Line(NOW + timedelta(hours=9), story.Ended()),
]


def test_an_alert_and_its_story() -> None:
    assert list(telling.alert(SOS, STORY, ENGLISH, NOW)) == [
        "alert     01kas0hm4nq8tz6m3d7e9f1234",
        "what      SOS (critical)",
        "state     NOT ACCEPTED",
        "who       w-7f3a (band-0001)",
        "since     15:58:00 (2 min)",
        "presses   2",
        "zone      hall",
        "heard by  serial:rx (-67 dBm), ble:hci0",
        "",
        "2026-11-24",
        " 16:00:00.000  heard over serial:rx (-67 dBm), press KEY",
        " 16:00:00.000  counts as a test: desk-3 had opened a test window",
        " 16:00:00.000  packets recorded in recordings/20261124.alert.jsonl",
        " 16:00:00.000  raised",
        " 16:00:00.000  message aaaa0000-1 is on the disk, in the alert lane",
        " 16:00:00.000  message aaaa0000-1 sent to the broker",
        " 16:00:00.000  heard over ble:hci0 too, the same press",
        " 16:00:00.000  message aaaa0000-1 REFUSED by the broker (135 Not authorized); it is tried again",
        " 16:00:00.000  message aaaa0000-1 acknowledged by the broker (0 Success)",
        " 16:00:10.007  sent again, for nobody has accepted it (repetition 1)",
        "2026-11-25",
        "~01:00:00.000  accepted by desk-?3",
        " 01:00:00.000  the word of box-root changed nothing: somebody has accepted it already",
        " 01:00:00.000  the wearable was told over serial:rx that help is coming",
        " 01:00:00.000  the wearable was told over serial:rx that help is coming: FAILED, timeout",
        " 01:00:00.000  the station was told by lamp",
        " 01:00:00.000  the station was told by siren: FAILED, ended with 1",
        " 01:00:00.000  over on the device",
        "Times after a ~ are those of a clock that was not right yet.",
    ]


def test_a_story_in_chinese() -> None:
    lines = list(telling.alert(SOS, STORY, CHINESE, NOW))
    assert lines[:3] == [
        "警报      01kas0hm4nq8tz6m3d7e9f1234",
        "类型      紧急呼叫 (紧急)",
        "状态      无人接警",
    ]
    assert lines[10] == " 16:00:00.000  由 serial:rx 收到 (-67 dBm)，按键 KEY"
    assert "~01:00:00.000  desk-?3 接警" in lines
    assert " 01:00:00.000  在本站提醒（siren），失败：ended with 1" in lines
    assert " 01:00:00.000  已通过 serial:rx 通知佩戴者：正在赶来，失败：timeout" in lines


def test_every_happening_can_be_told_in_both_languages() -> None:
    assert {type(line.what) for line in STORY} == set(story.Happening.__args__)
    for words in (ENGLISH, CHINESE):
        assert not [line for line in telling.alert(SOS, STORY, words, NOW) if "{" in line]


def test_an_alert_whose_story_is_gone_is_shown_all_the_same() -> None:
    assert list(telling.alert(SOS, [], ENGLISH, NOW))[-1] == "Its story is not kept any longer."


FLAWED = Protection(State.UNPROTECTED, (Flaw.SILENT,), NOW)
BAND = Wearable(
    "band-0001", "w-7f3a", None, NOW - timedelta(seconds=5), "serial:rx", -67, 88.5, (SOS,), None, 9, FLAWED
)
UNHEARD = Wearable("band-0002", None, "hall", None, None, None, None, ())


def test_wearables_at_a_glance() -> None:
    assert list(telling.wearables([BAND, UNHEARD], ENGLISH, NOW)) == [
        "Wearables: 2. Never heard: 1.",
        "DEVICE     WEARER  LAST HEARD           OVER       SIGNAL   BATTERY           PROTECTED   OPEN ALERTS",
        "band-0001  w-7f3a  15:59:55 (just now)  serial:rx  -67 dBm  88.5 %, 9 d left  NO: silent  SOS",
        "band-0002  -       never                -          -        -                 -           -",
    ]
    assert list(telling.wearables([], CHINESE, NOW)) == ["设备：0 个，从未收到：0 个。"]


def test_who_is_protected_is_said_in_both_languages() -> None:
    sound = Protection(State.PROTECTED, (), NOW)
    told = [list(telling.wearable(replace(BAND, protection=sound), each, NOW)) for each in (ENGLISH, CHINESE)]
    assert [[line.split()[-1] for line in lines if line.startswith(("protected", "受保护"))] for lines in told] == [
        ["yes"],
        ["是"],
    ]
    both = replace(FLAWED, reasons=(Flaw.SILENT, Flaw.LOW_BATTERY))
    flawed = list(telling.wearable(replace(BAND, protection=both), CHINESE, NOW))
    assert any(line.endswith("否：失联，电量低") for line in flawed)


def test_one_wearable_with_its_alerts() -> None:
    lines = list(telling.wearable(BAND, ENGLISH, NOW))
    assert lines[0] == "device       band-0001"
    assert lines[-1].split()[-1] == SOS.id[:10]
    assert list(telling.wearable(UNHEARD, ENGLISH, NOW))[-1] == "zone         hall"


def test_what_the_daemon_answers_is_all_that_is_needed() -> None:
    body = msgspec.to_builtins(SOS) | {"station": "xinhua-03", "clock": "synced"}
    assert msgspec.convert(body, Alert, strict=False) == SOS
