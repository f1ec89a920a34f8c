"""gateway/contract/consumer.py: what it makes of stations' messages, in whatever order they come and how often."""

import json
import random
import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.contract.consumer import TABLES, news
from gateway.model import Message
from tests.support.paper import PaperStation, Pressed

HEALTH = Message("398/v1/a/health", b"{}")


class Desk:
    """The consumer without its broker."""

    def __init__(self) -> None:
        self.store = sqlite3.connect(":memory:", isolation_level=None)
        self.store.executescript(TABLES)
        self.also: list[str] = []
        """Where else a press was heard that had been told."""

    def hear(self, *messages: Message, kept: bool = False) -> list[str]:
        told = [line for message in messages for line in self._news(message, kept=kept)]
        self.also += [line for line in told if line.startswith("also ")]
        return [line for line in told if not line.startswith("also ")]

    def _news(self, message: Message, *, kept: bool) -> Iterator[str]:
        source, what = message.topic.removeprefix("398/v1/").split("/")[:2]
        return news(self.store, source, what, json.loads(message.payload), kept=kept)


def told(there: list[Pressed], wearer: str | None = "w-0001", here: list[Pressed] | None = None) -> int:
    """How many presses a desk tells when station a heard `here` and station b `there`."""
    a, b = PaperStation("a", "aaaaaaaa"), PaperStation("b", "bbbbbbbb")
    return len(Desk().hear(a.alert("a", here or [(1, 0)]), b.alert("b", there, wearer)))


@pytest.mark.parametrize(
    ("there", "wearer", "presses"),
    [
        ([(1, 0.3)], "w-0001", 1),
        ([(1, 599)], "w-0001", 1),
        ([(1, 601)], "w-0001", 2),
        ([(1, -599)], "w-0001", 1),
        ([(1, 0.3)], None, 1),  # registered at one station only
        ([(2, 0.3)], "w-0001", 2),  # numbered otherwise: another press, however near
        ([(None, 29)], "w-0001", 1),  # a box without the fleet key
        ([(None, 31)], "w-0001", 2),
        ([(None, 1)], "w-0002", 2),
        ([(None, 1)], None, 2),
        ([(1, 1), (2, 20)], "w-0001", 2),
    ],
)
def test_presses_are_joined_by_their_key_and_else_by_wearer_and_time(
    there: list[Pressed], wearer: str | None, presses: int
) -> None:
    assert told(there, wearer) == presses


def test_two_presses_without_keys_that_both_stations_heard_are_two_presses() -> None:
    assert told([(None, 1), (None, 21)], here=[(None, 0), (None, 20)]) == 2


def test_each_alert_of_a_joined_press_is_named_for_each_station_wants_its_own_accept() -> None:
    a, b, desk = PaperStation("a", "aaaaaaaa"), PaperStation("b", "bbbbbbbb"), Desk()
    (press,) = desk.hear(a.alert("1", [(1, 0)]), b.alert("2", [(1, 0.3)]), b.alert("2", [(1, 0.3)]))
    assert press.split()[:2] == ["press", f"398/v1/a/alert/{'1':0>26}"]
    assert desk.also == [f"also 398/v1/b/alert/{'2':0>26} {'1':0>26}/0"]


def test_presses_of_nobody_known_are_never_joined_without_a_key() -> None:
    assert told([(None, 0)], None, here=[(None, 0)]) == 2


def test_presses_of_one_station_are_never_joined_for_it_knows_them_apart() -> None:
    a = PaperStation("a", "aaaaaaaa")
    assert len(Desk().hear(a.alert("1", [(None, 0)]), a.alert("2", [(None, 5)]), a.alert("3", [(None, 9)]))) == 3


def test_a_press_is_told_once_though_its_alert_comes_again_and_with_more_presses_than_are_listed() -> None:
    a, desk, presses = PaperStation("a", "aaaaaaaa"), Desk(), [(number + 1, number) for number in range(120)]
    messages = [a.alert("1", presses[: number + 1]) for number in range(120)]
    assert [len(desk.hear(message, message)) for message in messages] == [1] * 120
    assert desk.hear(*messages) == []


def test_what_the_clock_corrected_is_no_press_of_its_own() -> None:
    a, desk = PaperStation("a", "aaaaaaaa"), Desk()
    assert len(desk.hear(a.alert("1", [(None, 0)]), a.alert("1", [(None, 90_000)]))) == 1


def test_open_alerts_that_were_asked_for_are_presses_like_those_that_came() -> None:
    a, desk = PaperStation("a", "aaaaaaaa"), Desk()
    missed = json.loads(a.alert("1", [(1, 0)]).payload)["data"]
    answer = {"v": 1, "id": "x", "status": "ok", "error": None, "result": {"total": 1, "alerts": [missed]}}
    answered = Message("398/v1/a/response/alerts", json.dumps(answer).encode())
    assert len(desk.hear(answered, answered, a.alert("1", [(1, 0)]))) == 1


PLAN = st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(31, 2_000)), max_size=8)


@given(PLAN, st.booleans(), st.randoms())
def test_in_whatever_order_and_however_often_messages_come_each_press_is_told_once(
    plan: list[tuple[bool, bool, int]], keyed: bool, chance: random.Random
) -> None:
    """A wearer walks between stations a and b; each of a press's frames is heard by one of them, or by both."""
    stations = [PaperStation("a", "aaaaaaaa"), PaperStation("b", "bbbbbbbb")]
    heard: tuple[list[Pressed], list[Pressed]] = ([], [])
    messages, second = [], 0.0
    for number, (here, there, later) in enumerate(plan, 1):
        second += 2 * later
        for place, hears in enumerate((here, there or not here)):
            if hears:
                heard[place].append((number if keyed else None, second + place))
                messages.append(stations[place].alert("ab"[place], heard[place]))
    messages = messages * 2
    chance.shuffle(messages)
    desk = Desk()
    assert len(desk.hear(*messages)) == len(plan)
    assert desk.store.execute("SELECT count(*) FROM press").fetchone() == (sum(map(len, heard)),)


# Numbers


def test_a_number_that_is_missing_twice_is_told_once_and_what_comes_late_is_not() -> None:
    a, desk = PaperStation("a", "aaaaaaaa"), Desk()
    one, late, three = (a.alert(str(number), [(None, number)]) for number in range(3))
    a.lose(2)
    assert len(desk.hear(one, three, a.alert("9", [(None, 99)]))) == 3
    assert desk.hear(HEALTH) == []
    desk.hear(late)
    assert [desk.hear(HEALTH) for _ in range(4)] == [["missing a aaaaaaaa 4-5"], [], [], []]


def test_what_a_gap_message_names_is_not_missing() -> None:
    a, desk = PaperStation("a", "aaaaaaaa"), Desk()
    desk.hear(a.alert("1", [(None, 0)]))
    a.lose(3)
    desk.hear(a.gap(2, 4))
    assert desk.hear(HEALTH, HEALTH) == []


def test_a_lost_tail_shows_when_the_station_comes_online() -> None:
    a, desk = PaperStation("a", "aaaaaaaa"), Desk()
    desk.hear(a.alert("1", [(None, 0)]))
    a.lose(2)
    desk.hear(a.online())
    assert desk.hear(HEALTH, HEALTH) == ["missing a aaaaaaaa 2-3"]
    assert desk.hear(a.alert("2", [(None, 50)]), HEALTH, HEALTH) != []


def test_what_a_station_sent_before_the_first_subscription_is_not_missing() -> None:
    a, desk = PaperStation("a", "aaaaaaaa"), Desk()
    birth = a.online()
    a.lose(30)
    assert desk.hear(birth, kept=True) == []
    assert len(desk.hear(a.alert("1", [(None, 0)]), HEALTH, HEALTH)) == 1
    a.lose(2)
    assert desk.hear(a.online(), kept=True) == []
    assert [line.split()[0] for line in desk.hear(HEALTH, HEALTH)] == ["missing"]


def test_the_telemetry_lane_s_gaps_leave_no_hole_for_who_does_not_receive_it() -> None:
    a, telemetry, desk = PaperStation("a", "aaaaaaaa"), PaperStation("a", "eeeeeeee"), Desk()
    desk.hear(a.alert("1", [(None, 0)]), telemetry.gap(5, 9, "telemetry"))
    telemetry.lose(100)
    assert desk.hear(telemetry.gap(50, 90, "telemetry"), HEALTH, HEALTH) == []


@given(st.sets(st.integers(1, 9), min_size=2), st.randoms())
def test_in_whatever_order_numbers_come_the_holes_are_those_that_never_did(
    came: set[int], chance: random.Random
) -> None:
    a, desk = PaperStation("a", "aaaaaaaa"), Desk()
    messages = [a.alert(str(number), [(None, 100 * number)]) for number in range(1, 10)]
    order = list(came)
    chance.shuffle(order)
    desk.hear(*(messages[number - 1] for number in order))
    missing = set()
    for line in desk.hear(HEALTH, HEALTH):
        first, last = line.rsplit(" ", 1)[1].split("-")
        missing |= set(range(int(first), int(last) + 1))
    assert missing == set(range(min(came), max(came))) - came
