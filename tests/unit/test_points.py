"""A point is read back as what was heard, whatever its names hold, and its fields never change their type."""

import re

from hypothesis import given
from hypothesis import strategies as st

from drivers.base import BOOLEAN_METRICS, LIMIT, Metric
from gateway.model import Gap, GapCause, Moment, Sample, Wearable
from gateway.points import Points
from gateway.rows import THINNED, Row
from tests.support.inside import StillClock
from tests.support.lines import Point, parsed
from tests.support.moments import moment

BAND = Wearable("00010203", "band-0001", "w-7f3a")
NUMBERS = st.one_of(st.integers(-LIMIT, LIMIT), st.floats(-LIMIT, LIMIT))
METRICS = sorted(Metric)
VALUES = st.dictionaries(st.sampled_from(METRICS), NUMBERS | st.booleans(), min_size=1).map(
    lambda values: {
        name.value: bool(value) if name in BOOLEAN_METRICS else value if not isinstance(value, bool) else 1
        for name, value in values.items()
    }
)
NAMES = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), min_size=1).filter(
    lambda name: not name.endswith("\\") and not re.search(r"\\[,= ]", name)
)


def points(clock: StillClock | None = None) -> Points:
    return Points("test-01", clock or StillClock())


def written(*samples: Sample, clock: StillClock | None = None) -> list[Point]:
    message = points(clock).telemetry(samples, moment(99)).freeze("aaaa0000", 1)
    assert message.topic == "telemetry"
    return parsed(message.payload)


def test_a_sample_is_one_line_with_its_tags_in_order_fields_as_heard_and_nanoseconds() -> None:
    sample = Sample(BAND, moment(120), {"heart_rate": 72, "skin_temperature": 33.12, "worn": True, "moving": False})
    message = points().telemetry([sample], moment(500)).freeze("aaaa0000", 307)
    at = moment(120).wall_ms
    assert message.payload.decode() == (
        "telemetry,device=band-0001,station=test-01,wearer=w-7f3a "
        f"heart_rate=72,skin_temperature=33.12,worn=true,moving=false {at}070000"
    )


@given(st.lists(VALUES, min_size=1, max_size=5))
def test_every_value_is_read_back_as_a_float_or_a_boolean_and_as_nothing_else(heard: list[dict[str, float]]) -> None:
    found = written(*(Sample(BAND, moment(number), values) for number, values in enumerate(heard)))
    assert [point.fields for point in found] == heard
    for point in found:
        assert all(isinstance(value, bool) == (name in BOOLEAN_METRICS) for name, value in point.fields.items())
        assert not any(isinstance(value, int) and not isinstance(value, bool) for value in point.fields.values())


@given(NAMES, NAMES)
def test_what_means_something_to_the_database_is_escaped_in_names(device: str, wearer: str) -> None:
    (point,) = written(Sample(Wearable("00010203", device, wearer), moment(0), {"steps": 1}))
    assert point.tags == {"device": device, "station": "test-01", "wearer": wearer}


def test_a_line_end_in_a_name_ends_no_line() -> None:
    (point,) = written(Sample(Wearable("00010203", "a\nb", None), moment(0), {"steps": 1}))
    assert point.tags["device"] == "a\\nb"


def test_a_device_without_a_wearer_has_no_such_tag_and_a_test_is_marked() -> None:
    (point,) = written(Sample(Wearable("00010203", "x-1"), moment(0), {"steps": 1}, test=True))
    assert point.tags == {"device": "x-1", "station": "test-01", "test": "true"}


def test_a_moment_before_the_clock_was_right_is_marked_and_put_right_where_it_can_be() -> None:
    true = moment(5_000)
    sample = Sample(BAND, Moment(0, true.mono_ms, true.boot, synced=False), {"steps": 1})
    (wrong,) = written(sample, clock=StillClock(9_000, synced=False))
    assert (wrong.tags["clock"], wrong.at_ns) == ("unsynced", 10_000)
    (right,) = written(sample, clock=StillClock(9_000))
    assert ("clock" in right.tags, right.at_ns) == (False, true.wall_ms * 1_000_000 + 10_000)


def test_a_gap_is_a_point_that_names_the_rows_and_is_not_shed() -> None:
    gap = Gap("influx", "88aa01bc", GapCause.SHED, moment(10), 813, 1068, 256)
    draft = points().gap(gap)
    assert draft.subject is not None
    (point,) = parsed(draft.freeze("88aa01bc", 1_069).payload)
    assert (point.measurement, point.tags) == ("gap", {"cause": "shed", "lane": "influx", "station": "test-01"})
    assert point.fields == {"epoch": "88aa01bc", "first": 813.0, "last": 1068.0, "count": 256.0}
    assert point.at_ns == moment(10).wall_ms * 1_000_000 + 690_000


@given(NAMES, st.lists(VALUES, min_size=1, max_size=5))
def test_a_row_is_read_back_by_the_line_and_thinned_it_has_the_same_points(
    device: str, heard: list[dict[str, float]]
) -> None:
    samples = [
        Sample(Wearable("00010203", device), moment(number * 30_000), values) for number, values in enumerate(heard)
    ]
    message = points().telemetry(samples, moment(99)).freeze("aaaa0000", 1)
    said = points().said(message.payload)
    assert said is not None
    assert [each.values for each in said] == heard
    assert len({each.minute for each in said}) == len(heard) // 2 + 1 - (len(heard) % 2 == 0)
    row = Row(1, "aaaa0000-1", None, 0, message.topic, message.payload)
    again = points().thinned(row, said[-1:], moment(99))
    assert again.subject == THINNED
    assert parsed(again.freeze("aaaa0000", 77).payload) == parsed(message.payload)[-1:]


def test_what_is_no_line_of_ours_says_nothing() -> None:
    assert [points().said(row) for row in (b"", b"a b", b"a b=c 1", b"a b=1 x", b"a b 1")] == [None] * 5


def test_frames_of_one_millisecond_are_points_of_their_own_over_several_rows() -> None:
    drafts = [points().telemetry([Sample(BAND, moment(5), {"steps": 1})] * 500, moment(9)) for _ in range(3)]
    rows = [draft.freeze("aaaa0000", seq) for seq, draft in enumerate(drafts, 98)]
    at = [point.at_ns for row in rows for point in parsed(row.payload)]
    assert (len(set(at)), {each // 1_000_000 for each in at}) == (1_500, {moment(5).wall_ms})


def test_of_a_gap_only_what_is_known_is_written_and_two_of_one_moment_are_two_points() -> None:
    gap = Gap("influx", "88aa01bc", GapCause.CRASH, moment(10))
    first, second = (parsed(points().gap(gap).freeze("88aa01bc", seq).payload)[0] for seq in (1, 2))
    assert first.fields == second.fields == {"epoch": "88aa01bc"}
    assert first.at_ns != second.at_ns
