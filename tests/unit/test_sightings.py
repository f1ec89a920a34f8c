"""What the last frames of a wearable said of itself: the latest counts, and what a frame leaves out stays known."""

from drivers.base import Metric
from gateway.model import Heard, Values, Wearable
from gateway.sightings import DAY_MS, Sighting, Sightings
from tests.support.moments import moment

WHO = Wearable("00000001", "band-1", "w-1")


def seen(*frames: tuple[int, Values], rssi: int | None = -60) -> Sighting:
    sightings = Sightings()
    sightings.ears.mind(moment(0).mono_ms, {"serial:a": True})
    for ms, values in frames:
        sightings.see(WHO, moment(ms), Heard("serial:a", rssi), "398-reference", values)
    found = sightings.last("band-1")
    assert found is not None
    return found


def test_what_was_never_heard_is_not_known() -> None:
    assert Sightings().last("band-1") is None


def test_a_frame_without_a_value_leaves_what_is_known_of_it() -> None:
    full = {Metric.BATTERY_LEVEL: 88, Metric.BATTERY_VOLTAGE: 2.9, Metric.WORN: True}
    found = seen((0, full), (5, {}))
    assert (found.at, found.charge.level, found.charge.voltage, found.worn) == (moment(5), 88, 2.9, True)
    assert seen((0, full), (6, {Metric.BATTERY_LEVEL: 0})).charge.level == 0


def test_it_is_known_since_when_a_wearable_is_off() -> None:
    on, off = {Metric.WORN: True}, {Metric.WORN: False}
    found = seen((0, on), (10, off), (20, off), (30, {}))
    assert (found.worn, found.worn_ms) == (False, moment(10).mono_ms)


def test_strength_is_smoothed_and_a_frame_without_one_says_nothing() -> None:
    sightings = Sightings()
    for rssi in (-60, -76, None):
        sightings.see(WHO, moment(0), Heard("serial:a", rssi), "398-reference", {})
    found = sightings.last("band-1")
    assert found is not None
    assert found.strength == -62
    assert found.heard.rssi is None


def test_the_longest_gap_of_today_and_yesterday_is_known_and_what_is_older_is_forgotten() -> None:
    minute = 60_000
    first: list[tuple[int, Values]] = [(0, {}), (7 * minute, {})]
    later: list[tuple[int, Values]] = [(each * minute, {}) for each in range(8, 3 * DAY_MS // minute)]
    gaps = [seen(*first, *later[:count]).rhythm.gap_ms // minute for count in (1, 1440, 2800, 2900)]
    assert gaps == [7, 7, 7, 1]


def test_the_formats_in_which_it_is_heard_are_known() -> None:
    sightings = Sightings()
    for profile in ("ibeacon", "kkm-sensor", "ibeacon"):
        sightings.see(WHO, moment(0), Heard("ble:b", None), profile, {})
    found = sightings.last("band-1")
    assert found is not None
    assert found.profiles == ("ibeacon", "kkm-sensor")
