"""Test windows: short, for one device, used up by one press, and told in the log."""

from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import RequestRefused
from gateway.model import Moment
from gateway.roster import Device, Roster
from gateway.trials import MINUTES_MAX, Trials
from tests.support.moments import moment

ROSTER = Roster((
    Device(id="band-0001", address="c09800000001", wearer="w-0001"),
    Device(id="band-0002", address="c09800000002", wearer="w-0002"),
    Device(id="pendant-2", address="c09800000003", wearer="w-0002"),
    Device(id="button-1", address="c09800000004"),
))  # fmt: skip
MINUTE = 60_000


class Room:
    """Somebody tries wearables here; `ms` is what the clock shows."""

    def __init__(self) -> None:
        self.ms = 0
        self.trials = Trials(ROSTER, self.now)

    def now(self) -> Moment:
        return moment(self.ms)

    def press(self, device: str, ms: int) -> str | None:
        self.ms = ms
        trial = self.trials.take(device, self.now())
        return trial.by if trial else None


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture(autouse=True)
def log() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as lines:
        yield lines


def test_one_press_uses_a_window_up(room: Room) -> None:
    room.trials.open("band-0001", 5, "desk-3")
    assert room.press("band-0002", 1) is None
    assert room.press("band-0001", 2) == "desk-3"
    assert room.press("band-0001", 3) is None


@pytest.mark.parametrize("minutes", [1, 5, MINUTES_MAX])
def test_a_window_is_over_when_its_time_is(room: Room, minutes: int) -> None:
    room.trials.open("band-0001", minutes, "desk-3")
    assert room.press("band-0001", minutes * MINUTE) is None
    room.ms = 0
    trial = room.trials.open("band-0001", minutes, "desk-3")
    assert trial.until == moment(minutes * MINUTE)
    assert room.press("band-0001", minutes * MINUTE - 1) == "desk-3"


def test_a_wall_clock_that_jumps_makes_no_window_longer(room: Room) -> None:
    room.trials.open("band-0001", 1, "desk-3")
    late = moment(MINUTE)
    jumped = Moment(late.wall_ms - 24 * 3_600_000, late.mono_ms, late.boot, late.synced)
    assert room.trials.take("band-0001", jumped) is None


def test_a_second_opening_replaces_the_first(room: Room) -> None:
    room.trials.open("band-0001", 10, "desk-3")
    room.trials.open("band-0001", 1, "desk-4")
    assert room.press("band-0001", 1) == "desk-4"
    assert room.press("band-0001", 2) is None


@given(st.lists(st.tuples(st.sampled_from(["open", "press"]), st.integers(0, 4 * MINUTE)), max_size=30))
def test_there_are_never_more_tests_than_openings_and_none_without_one_in_its_time(
    steps: list[tuple[str, int]],
) -> None:
    room, opened, ms = Room(), None, 0
    for what, later in steps:
        ms += later
        if what == "open":
            room.ms = opened = ms
            room.trials.open("band-0001", 3, "desk-3")
        else:
            wanted = opened is not None and ms - opened < 3 * MINUTE
            assert (room.press("band-0001", ms) == "desk-3") == wanted
            opened = None if wanted else opened


@pytest.mark.parametrize(
    ("device", "wearer", "meant"),
    [("band-0002", None, "band-0002"), (None, "w-0001", "band-0001"), ("button-1", None, "button-1")],
)
def test_which_device_is_meant(room: Room, device: str | None, wearer: str | None, meant: str) -> None:
    assert room.trials.meant(device, wearer) == meant


@pytest.mark.parametrize(
    ("device", "wearer", "code", "said"),
    [
        ("band-0009", None, "unknown_device", "no such device or wearer"),
        (None, "w-0009", "unknown_device", "no such device or wearer"),
        ("", None, "unknown_device", "no such device or wearer"),
        (None, "", "unknown_device", "no such device or wearer"),
        (None, "w-0002", "ambiguous", "band-0002, pendant-2"),
    ],
)
def test_which_is_not(room: Room, device: str | None, wearer: str | None, code: str, said: str) -> None:
    with pytest.raises(RequestRefused, match=said) as refused:
        room.trials.meant(device, wearer)
    assert refused.value.code == code


def test_opened_used_and_expired_are_each_a_line_in_the_log(room: Room, log: list[Any]) -> None:
    room.trials.open("band-0001", 5, "desk-3")
    room.trials.open("band-0002", 1, "desk-4")
    room.press("band-0001", 1)
    for room.ms in (MINUTE - 1, MINUTE, 2 * MINUTE):
        room.trials.sweep()
    assert [(line["event"], line["device"], line["by"]) for line in log] == [
        ("test window opened", "band-0001", "desk-3"),
        ("test window opened", "band-0002", "desk-4"),
        ("test window used", "band-0001", "desk-3"),
        ("test window expired, nobody has pressed", "band-0002", "desk-4"),
    ]


def test_a_window_that_is_over_is_not_shown_as_open(room: Room) -> None:
    opened = room.trials.open("band-0001", 1, "desk-3")
    assert room.trials.of("band-0001") == opened
    room.ms = MINUTE
    assert room.trials.of("band-0001") is None
