"""Whatever comes in on a subscribed topic is answered once as the contract says, and never trusted."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.desk import ACKS
from gateway.model import AlertState
from gateway.report import Report
from gateway.requests import ALERTS_LISTED, LISTS, UNDER_WAY, Call, Requests
from gateway.roster import Device, Roster
from gateway.trials import Trials
from gateway.wire import PAYLOAD_MAX
from tests.support import contract
from tests.support.inside import Office, open_lane, open_office, sos

BASE = "398/v1/test-01"
ACCEPT = {"v": 1, "id": "q-1", "action": "accept", "by": "desk-3"}
PING = {"v": 1, "id": "q-1"}
Json = dict[str, Any]
SESSION = "01kas0g5m0w3v9rb6h2yj8n4kq"
ROSTER = Roster((
    Device(id="band-0001", address="c09800000001", wearer="w-0001"),
    Device(id="band-0002", address="c09800000002", wearer="w-0002"),
    Device(id="pendant-2", address="c09800000003", wearer="w-0002"),
))  # fmt: skip
TRY = PING | {"args": {"session": SESSION, "by": "desk-3", "device": "band-0001"}}


class Cloud:
    """Asks, and keeps the answers; each is held against the contract."""

    def __init__(self, office: Office, requests: Requests, trials: Trials) -> None:
        self.office, self.requests, self.trials = office, requests, trials
        self.answers: list[tuple[str, Json]] = []

    async def say(self, below: str, said: object, *, retained: bool = False) -> Json:
        """What is answered, once the desk has come round."""
        before = len(self.answers)
        payload = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.requests.take(Call(f"{BASE}/{below}", payload, retained, self._answered))
        await self.office.desk.settle()
        (answer,) = self.answers[before:]
        return answer[1]

    def _answered(self, verb: str, payload: bytes) -> None:
        contract.check(f"{BASE}/response/{verb}", payload)
        self.answers.append((verb, json.loads(payload)))


@asynccontextmanager
async def cloud(folder: Path) -> AsyncIterator[Cloud]:
    async with open_office(folder) as office, open_lane(folder, "telemetry") as telemetry:
        lanes, clock = {"alert": office.lane, "telemetry": telemetry}, office.clock
        report = Report(office.wire, {}, lanes, office.faults, clock.moment())
        told = {"ping": partial(report.ping, clock), "info": partial(report.info, clock, SESSION)}
        trials = Trials(ROSTER, clock.moment)
        session, now_ms = lambda: SESSION, lambda: clock.ms
        requests = Requests(office.wire, office.desk, trials, session, told, now_ms, report.requests)
        yield Cloud(office, requests, trials)


async def raised(it: Cloud, number: int = 1) -> str:
    pressed = sos(number)
    it.office.desk.put(pressed)
    await it.office.desk.settle()
    return pressed.new_id


def state(it: Cloud, alert: str) -> AlertState:
    found = it.office.book.by_id(alert)
    assert found is not None
    return found.state


def test_an_acknowledgement_is_answered_with_what_became_of_the_alert(tmp_path: Path) -> None:
    async def run() -> None:
        async with cloud(tmp_path) as it:
            alert = await raised(it)
            answer = await it.say(f"alert/{alert}/ack", ACCEPT)
            assert (answer["id"], answer["result"]) == ("q-1", {"alert": alert, "state": "accepted"})
            assert [found.id for found in it.office.accepted] == [alert]
            assert [data["by"] for data in await it.office.messages()] == [None, "desk-3"]

    asyncio.run(run())


def test_an_acknowledgement_that_does_not_fit_says_why_and_changes_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        async with cloud(tmp_path) as it:
            alert = await raised(it)
            said = [(alert, "accept"), (alert, "accept"), (alert, "clear"), (alert, "clear"), ("unknown", "accept")]
            answers = [await it.say(f"alert/{about}/ack", ACCEPT | {"action": action}) for about, action in said]
            codes = [answer["error"] and answer["error"]["code"] for answer in answers]
            assert codes == [None, "already_accepted", None, "already_cleared", "unknown_alert"]
            assert it.requests.counts == {
                "ok": 2, "already_accepted": 1, "already_cleared": 1, "unknown_alert": 1
            }  # fmt: skip
            assert [data["state"] for data in await it.office.messages()] == ["raised", "accepted", "cleared"]

    asyncio.run(run())


HOSTILE: dict[str, tuple[object, str]] = {
    "nothing": (b"", "invalid"),
    "not JSON": (b"accept", "invalid"),
    "not UTF-8": (b'{"v":1,"id":"q-1","action":"accept","by":"\xff"}', "invalid"),
    "UTF-16": (json.dumps(ACCEPT).encode("utf-16"), "invalid"),
    "half a surrogate": (b'{"v":1,"id":"q-1","action":"accept","by":"\\ud800"}', "invalid"),
    "a number": (b"1", "invalid"),
    "a list": ([ACCEPT], "invalid"),
    "NaN": (b'{"v":NaN,"id":"q-1","action":"accept","by":"desk-3"}', "invalid"),
    "a deep list": (b"[" * 60_000, "invalid"),
    "another version": (ACCEPT | {"v": 2}, "invalid"),
    "a number beyond range": (b'{"v":1e999,"id":"q-1","action":"accept","by":"desk-3"}', "invalid"),
    "a number without end": (b'{"v":1,"id":' + b"9" * 60_000 + b',"action":"accept","by":"desk-3"}', "invalid"),
    "a byte order mark": (b'\xef\xbb\xbf{"v":1,"id":"q-1","action":"accept","by":"desk-3"}', "invalid"),
    "an unknown action": (ACCEPT | {"action": "delete"}, "invalid"),
    "a number for a name": (ACCEPT | {"by": 3}, "invalid"),
    "an object for an id": (ACCEPT | {"id": {}}, "invalid"),
    "no id": ({"v": 1, "action": "accept", "by": "desk-3"}, "invalid"),
    "an empty id": (ACCEPT | {"id": ""}, "invalid"),
    "a long id": (ACCEPT | {"id": "x" * 65}, "invalid"),
    "an empty name": (ACCEPT | {"by": ""}, "invalid"),
    "a long name": (ACCEPT | {"by": "x" * 65}, "invalid"),
    "huge": (ACCEPT | {"by": "x" * PAYLOAD_MAX}, "too_large"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_acknowledgement_is_refused_and_the_alert_stays_raised(tmp_path: Path, name: str) -> None:
    async def run() -> None:
        payload, code = HOSTILE[name]
        async with cloud(tmp_path) as it:
            alert = await raised(it)
            answer = await it.say(f"alert/{alert}/ack", payload)
            assert answer["error"]["code"] == code
            assert it.requests.counts == {code: 1}
            assert state(it, alert) is AlertState.RAISED

    asyncio.run(run())


def test_a_refusal_names_the_question_where_its_id_can_be_made_out(tmp_path: Path) -> None:
    async def run() -> None:
        async with cloud(tmp_path) as it:
            said: list[object] = [{"id": "q-7"}, {"id": 7}, {"id": ""}, b'{"id":"q-7"', b"\xff"]
            answers = [await it.say("alert/a/ack", payload) for payload in said]
            assert [answer["id"] for answer in answers] == ["q-7", None, None, None, None]

    asyncio.run(run())


@pytest.mark.parametrize("below", ["request/ping", "request/x", "alert/a/ack"])
@pytest.mark.parametrize(
    "deep", [b'{"id":"q-1","x":' + b"[" * 30_000, b'{"v":1,"id":"q-1","args":' + b'{"a":' * 10_000], ids=["list", "map"]
)
def test_what_is_nested_too_deep_to_be_read_is_refused(tmp_path: Path, below: str, deep: bytes) -> None:
    async def run() -> None:
        async with cloud(tmp_path) as it:
            answer = await it.say(below, deep)
            assert (answer["id"], answer["status"]) == (None, "error")

    asyncio.run(run())


def test_nothing_retained_is_carried_out(tmp_path: Path) -> None:
    async def run() -> None:
        async with cloud(tmp_path) as it:
            alert = await raised(it)
            for below, said in ((f"alert/{alert}/ack", ACCEPT), ("request/ping", PING)):
                answer = await it.say(below, said, retained=True)
                assert (answer["id"], answer["error"]["code"]) == ("q-1", "retained")
            assert state(it, alert) is AlertState.RAISED

    asyncio.run(run())


def test_where_a_key_stands_twice_one_of_them_counts_and_one_answer_is_given(tmp_path: Path) -> None:
    async def run() -> None:
        async with cloud(tmp_path) as it:
            alert = await raised(it)
            twice = b'{"v":1,"id":"q-1","action":"accept","by":"desk-3","action":"clear","id":"q-2"}'
            answer = await it.say(f"alert/{alert}/ack", twice)
            assert (answer["id"], answer["result"]["state"]) == ("q-2", "cleared")

    asyncio.run(run())


@pytest.mark.parametrize("verb", ["reboot", "PING", "ping ", "__class__"])
def test_an_unknown_verb_is_refused_with_the_known_ones(tmp_path: Path, verb: str) -> None:
    async def run() -> None:
        async with cloud(tmp_path) as it:
            error = {"code": "unknown_verb", "message": "known are alerts, info, ping, test-window"}
            assert (await it.say(f"request/{verb}", PING))["error"] == error

    asyncio.run(run())


def test_ping_and_info_answer_as_the_contract_says(tmp_path: Path) -> None:
    async def run() -> None:
        async with cloud(tmp_path) as it:
            await raised(it)
            async with asyncio.timeout(5):
                while not it.office.lane.pending:
                    await asyncio.sleep(0.002)
            assert (await it.say("request/ping", PING))["result"] == {"at": "2026-11-24T00:00:00.000Z"}
            info = (await it.say("request/info", PING | {"args": {"unknown": [1]}, "more": None}))["result"]
            assert info["lanes"] == {
                "alert": {"epoch": "aaaa0000", "next": 2}, "telemetry": {"epoch": "aaaa0000", "next": 1}
            }  # fmt: skip

    asyncio.run(run())


def test_a_test_window_is_opened_for_a_device_or_for_the_only_one_of_a_wearer(tmp_path: Path) -> None:
    async def run() -> None:
        async with cloud(tmp_path) as it:
            result = (await it.say("request/test-window", TRY))["result"]
            assert result == {"device": "band-0001", "until": "2026-11-24T00:05:00.000Z"}
            by_wearer = {"session": SESSION, "by": "desk-4", "wearer": "w-0001", "minutes": 10}
            result = (await it.say("request/test-window", PING | {"args": by_wearer}))["result"]
            assert result == {"device": "band-0001", "until": "2026-11-24T00:10:00.000Z"}
            trial = it.trials.of("band-0001")
            assert trial is not None
            assert trial.by == "desk-4"

    asyncio.run(run())


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"device": "band-0009"}, "unknown_device"),
        ({"device": "W-0001"}, "unknown_device"),
        ({"device": None, "wearer": "w-0002"}, "ambiguous"),
        ({"session": "01kas0g5m0w3v9rb6h2yj8n4kr"}, "stale"),
        ({"session": None}, "invalid"),
        ({"wearer": "w-0001"}, "invalid"),
        ({"device": None}, "invalid"),
        ({"minutes": 0}, "invalid"),
        ({"minutes": 11}, "invalid"),
        ({"minutes": 2.5}, "invalid"),
        ({"minutes": "5"}, "invalid"),
        ({"by": ""}, "invalid"),
        ({"by": "x" * 65}, "invalid"),
    ],
)
def test_a_test_window_is_refused_with_its_reason_and_none_is_open(tmp_path: Path, changed: Json, code: str) -> None:
    async def run() -> None:
        async with cloud(tmp_path) as it:
            args = {name: value for name, value in (TRY["args"] | changed).items() if value is not None}
            answer = await it.say("request/test-window", TRY | {"args": args})
            assert answer["error"]["code"] == code
            assert not any(map(it.trials.of, ("band-0001", "band-0002", "pendant-2")))

    asyncio.run(run())


def test_no_test_window_is_opened_by_a_retained_message(tmp_path: Path) -> None:
    async def run() -> None:
        async with cloud(tmp_path) as it:
            assert (await it.say("request/test-window", TRY, retained=True))["error"]["code"] == "retained"
            assert it.trials.of("band-0001") is None

    asyncio.run(run())


def test_alerts_lists_a_hundred_and_counts_all_that_are_open(tmp_path: Path) -> None:
    async def run() -> None:
        async with cloud(tmp_path) as it:
            for number in range(ALERTS_LISTED + 20):
                it.office.desk.put(sos(number))
            await it.office.desk.settle()
            await it.say(f"alert/{sos(0).new_id}/ack", ACCEPT | {"action": "clear"})
            result = (await it.say("request/alerts", PING))["result"]
            assert (result["total"], len(result["alerts"])) == (ALERTS_LISTED + 19, ALERTS_LISTED)
            assert sos(0).new_id not in {alert["id"] for alert in result["alerts"]}

    asyncio.run(run())


def test_of_a_flood_of_questions_for_the_alerts_no_more_than_two_wait(tmp_path: Path) -> None:
    async def run() -> None:
        async with cloud(tmp_path) as it:
            for _ in range(LISTS + 30):
                it.requests.take(Call(f"{BASE}/request/alerts", json.dumps(PING).encode(), False, it._answered))
            assert (it.requests.counts, it.office.desk.waiting) == ({"busy": 30}, LISTS)
            it.office.clock.ms = 1_000
            it.requests.take(Call(f"{BASE}/request/alerts", json.dumps(PING).encode(), False, it._answered))
            assert it.requests.counts == {"busy": 31}  # those of before still wait
            await it.office.desk.settle()
            assert it.requests.counts == {"busy": 31, "ok": LISTS}
            assert (await it.say("request/alerts", PING))["status"] == "ok"
            assert (await it.say("request/ping", PING))["status"] == "ok"

    asyncio.run(run())


def test_no_list_is_told_while_the_answers_before_it_are_still_on_their_way(tmp_path: Path) -> None:
    async def run() -> None:
        async with cloud(tmp_path) as it:
            on_the_way = [UNDER_WAY + 1]
            asked = json.dumps(PING).encode()
            for verb in ("alerts", "ping"):
                it.requests.take(
                    Call(f"{BASE}/request/{verb}", asked, False, it._answered, under_way=lambda: on_the_way[0])
                )
            assert [(verb, answer["status"]) for verb, answer in it.answers] == [("alerts", "error"), ("ping", "ok")]
            on_the_way[0] = UNDER_WAY
            it.requests.take(
                Call(f"{BASE}/request/alerts", asked, False, it._answered, under_way=lambda: on_the_way[0])
            )
            await it.office.desk.settle()
            assert it.requests.counts == {"busy": 1, "ok": 2}

    asyncio.run(run())


def test_a_flood_of_what_is_no_request_at_all_is_answered_and_changes_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        async with cloud(tmp_path) as it:
            alert = await raised(it)
            for _ in range(20):
                for payload, _ in HOSTILE.values():
                    said = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
                    for below in (f"alert/{alert}/ack", "alert/nobody/ack", "request/test-window", "request/x"):
                        it.office.clock.ms += 200  # no faster than is answered
                        it.requests.take(Call(f"{BASE}/{below}", said, False, it._answered))
            assert len(it.answers) == it.requests.counts.total() == 20 * 4 * len(HOSTILE)
            assert it.requests.counts.keys() == {"invalid", "too_large", "unknown_verb"}
            assert (state(it, alert), it.office.desk.waiting) == (AlertState.RAISED, 0)

    asyncio.run(run())


def test_a_flood_of_acknowledgements_is_refused_beyond_its_bound_and_let_in_again(tmp_path: Path) -> None:
    async def run() -> None:
        async with cloud(tmp_path) as it:
            payload = json.dumps(ACCEPT).encode()
            for _ in range(ACKS + 50):
                it.requests.take(Call(f"{BASE}/alert/a/ack", payload, False, it._answered))
            assert it.requests.counts == {"busy": 50}
            while it.office.desk.waiting:
                await it.office.desk.settle()
            assert it.requests.counts == {"busy": 50, "unknown_alert": ACKS}
            assert (await it.say("alert/a/ack", ACCEPT))["error"]["code"] == "unknown_alert"

    asyncio.run(run())


def test_a_storm_of_requests_is_answered_busy_within_a_bound_and_counted_beyond_and_lets_acknowledgements_by(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with cloud(tmp_path) as it:
            alert, forgotten = await raised(it), []
            payload = json.dumps(PING).encode()
            for _ in range(1_000):
                it.requests.take(
                    Call(f"{BASE}/request/ping", payload, False, it._answered, lambda: forgotten.append(1))
                )
            assert it.requests.counts == {"ok": 50, "busy": 50, "flood": 900}
            assert (len(it.answers), len(forgotten)) == (100, 900)
            assert (await it.say(f"alert/{alert}/ack", ACCEPT))["result"]["state"] == "accepted"
            it.office.clock.ms = 1_000
            assert (await it.say("request/ping", PING))["status"] == "ok"

    asyncio.run(run())


FIELDS = st.sampled_from(["v", "id", "action", "by", "at", "args", "x"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=70) | st.sampled_from([1, "accept"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
PAYLOADS = st.binary(max_size=300) | st.dictionaries(FIELDS, VALUES).map(lambda said: json.dumps(said).encode())


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["alert/{}/ack", "request/ping", "request/info", "request/alerts", "request/test-window", "request/x"]
            ),
            PAYLOADS,
        ),
        max_size=20,
    )
)
def test_whatever_bytes_come_each_message_is_answered_once(
    tmp_path_factory: pytest.TempPathFactory, said: list[tuple[str, bytes]]
) -> None:
    async def run() -> None:
        async with cloud(tmp_path_factory.mktemp("requests")) as it:
            alert = await raised(it)
            for below, payload in said:
                await it.say(below.format(alert), payload)
            assert it.requests.counts.total() == len(said)
            await it.office.messages()

    asyncio.run(run())
