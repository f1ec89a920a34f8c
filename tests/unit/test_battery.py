"""A low battery is told once per episode, whatever says so; how long one will do only where that means something."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import Edge, Level, Occurrence, OccurrenceKind
from gateway import battery
from gateway.ears import Rhythm
from gateway.inputs import Ended, Pressed
from gateway.model import AlertKey, AlertKind, Heard, Press, Wearable
from gateway.sightings import Charge, Sighting
from gateway.thresholds import Supervision as Rules
from tests.support.moments import moment

WHO = Wearable("00000001", "band-1", "w-1")
HALF_DAY = battery.NOTED_EVERY_MS


def sighting() -> Sighting:
    return Sighting(WHO, moment(5), Heard("serial:a", -60), Rhythm(0, 0), 0, ("398-reference",), Charge())


def told(*charges: tuple[float | None, float | None, bool]) -> list[str]:
    """What each level, voltage and bit in turn lead to."""
    seen, signs = sighting(), {Pressed: "+", Ended: "-", type(None): "."}
    said = []
    for seen.charge.level, seen.charge.voltage, seen.charge.flat in charges:
        said.append(signs[type(battery.judge(seen, Rules(), lambda: "id"))])
    return said


def levels(*values: float) -> list[str]:
    return told(*((value, None, False) for value in values))


def test_a_low_level_is_told_once_and_ends_five_percent_above() -> None:
    assert levels(88, 16, 15, 14, 16, 19, 20, 16, 15) == [".", ".", "+", ".", ".", ".", "-", ".", "+"]


def test_a_voltage_counts_where_no_level_is_told() -> None:
    volts = [(None, volt, False) for volt in (3.0, 2.51, 2.5, 2.4, 2.59, 2.61, 2.5)]
    assert told(*volts) == [".", ".", "+", ".", ".", "-", "+"]
    assert told((88, 2.0, False), (15, 3.0, False)) == [".", "+"]


def test_a_bit_that_flickers_near_the_level_where_it_came_is_one_episode() -> None:
    charges = [(21, None, False), (20, None, True), (21, None, False), (20, None, True), (24, None, False)]
    assert told(*charges, (25, None, False)) == [".", "+", ".", ".", ".", "-"]


def test_a_bit_is_believed_against_a_full_level() -> None:
    assert told((88, None, True), (88, None, True), (88, None, False)) == ["+", ".", "-"]
    assert told((10, None, True), (88, None, True), (88, None, False)) == ["+", ".", "-"]


def test_of_a_bit_alone_nothing_is_told_here() -> None:
    assert told((None, None, True), (None, None, False)) == [".", "."]


def test_it_is_told_as_the_normaliser_tells_it() -> None:
    seen = sighting()
    seen.charge.level = 3
    pressed = battery.judge(seen, Rules(), lambda: "id")
    key = AlertKey("w-1", AlertKind.LOW_BATTERY, None, test=False)
    assert pressed == Pressed(key, WHO, Press(None, moment(5)), Heard("serial:a", -60), "id")


@pytest.mark.parametrize(
    ("occurrence", "says"),
    [
        (Occurrence(OccurrenceKind.LOW_BATTERY, Level(active=True)), True),
        (Occurrence(OccurrenceKind.LOW_BATTERY, Level(active=False)), False),
        (Occurrence(OccurrenceKind.LOW_BATTERY, Edge(None)), None),
        (Occurrence(OccurrenceKind.SOS, Level(active=True)), None),
    ],
)
def test_what_a_device_says_by_a_bit(occurrence: Occurrence, says: bool | None) -> None:
    assert battery.bit(occurrence, None) is says


@given(st.lists(st.tuples(st.none() | st.integers(0, 100), st.none() | st.floats(1, 4), st.booleans()), max_size=40))
def test_whatever_is_told_beginnings_and_ends_take_turns(
    charges: Sequence[tuple[float | None, float | None, bool]],
) -> None:
    signs = "".join(told(*charges)).replace(".", "")
    assert signs == ("+-" * len(signs))[: len(signs)]


def noted(*values: float, every: int = HALF_DAY, synced: bool = True) -> Charge:
    charge = Charge()
    for count, charge.level in enumerate(values):
        battery.note(charge, moment(count * every, synced=synced))
    return charge


def test_a_level_that_falls_evenly_has_a_forecast() -> None:
    assert battery.days_left(noted(*range(90, 80, -1))) == 40


@pytest.mark.parametrize(
    "values",
    [
        (),
        (90,),
        (90, 88, 86),
        (90,) * 14,
        (90, 89.5, 89, 88.5),
        (86, 87, 88, 89, 90),
        (90, 89.9) * 7,
        (90,) * 13 + (80,),
    ],
    ids=str,
)
def test_where_little_is_known_or_little_is_used_there_is_none(values: Sequence[float]) -> None:
    assert battery.days_left(noted(*values)) is None


def test_one_strange_level_hardly_counts() -> None:
    even = list(range(90, 76, -1))
    assert abs((battery.days_left(noted(*even[:7], even[7] - 4, *even[8:])) or 0) - 38) <= 1


def test_a_charge_begins_anew_and_what_lies_between_two_notes_is_passed_over() -> None:
    assert noted(50, 45, 40, 35, 95).notes == [(moment(4 * HALF_DAY).wall_ms, 95)]
    assert len(noted(*range(90, 80, -1), every=HALF_DAY // 2).notes) == 5
    assert len(noted(*range(100, 0, -1)).notes) == battery.NOTED


def test_a_time_that_is_not_known_is_not_noted() -> None:
    assert noted(90, 80, 70, 60, synced=False).notes == []
