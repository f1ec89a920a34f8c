"""Whether each wearer is protected, by every link of the chain; what heals soon is nobody's business."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import Metric
from gateway import protection
from gateway.health import Fault
from gateway.model import Heard, Values, Wearable
from gateway.protection import BREAKS, OFF_MS, SETTLE_MS, UPLINK, Flaw, Protection, State, Verdict, Way, judged, way_of
from gateway.roster import Device, Roster
from gateway.sightings import Sightings
from gateway.sounder import UNHEARD
from gateway.supervision import Supervision
from gateway.thresholds import Supervision as Rules
from tests.support.moments import moment

S, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
RX = "serial:rx"
WORN: Values = {Metric.WORN: True, Metric.BATTERY_LEVEL: 88}
SOUND = Way()
PROTECTED = (State.PROTECTED, ())


def device(number: int, wearer: int | None = None, *, visitor: bool = False) -> Device:
    return Device(id=f"band-{number}", address=f"c0980000000{number}", wearer=f"w-{wearer or number}", visitor=visitor)


class Station:
    def __init__(self, *devices: Device) -> None:
        self.ms = 0
        self.up = True
        self.sightings = Sightings()
        self.supervision = Supervision(self.sightings, {"band": 2 * S, "key": 0}, Rules(), lambda: "id")
        self.protection = Protection(Roster(devices or (device(1),)), self.supervision, Rules().weak_signal)
        self.go(0)
        for each in devices or (device(1),):
            self.supervision.enter(each, moment(0))

    def go(self, ms: int) -> None:
        self.ms += ms
        self.sightings.ears.mind(moment(self.ms).mono_ms, {RX: self.up})

    def hear(self, number: int = 1, values: Values = WORN, rssi: int | None = -60, profile: str = "band") -> None:
        who = Wearable(f"0000000{number}", f"band-{number}", f"w-{number}")
        self.sightings.see(who, moment(self.ms), Heard(RX, rssi), profile, values)

    def look(self, way: Way = SOUND, place: int = 0) -> tuple[State, tuple[Flaw, ...]] | None:
        wearer = self.protection.wearers[place]
        self.protection.look(wearer, way, moment(self.ms))
        found = self.protection.verdict(wearer.id)
        return (found.state, found.flaws) if found is not None else None

    @property
    def since(self) -> int:
        found = self.protection.verdict("w-1")
        assert found is not None
        return found.since.wall_ms - moment(0).wall_ms


def heard(**more: object) -> Station:
    station = Station()
    station.hear(**more)  # type: ignore[arg-type]
    return station


def test_who_is_heard_worn_and_charged_is_protected() -> None:
    assert heard().look() == PROTECTED


def test_who_was_never_heard_is_not() -> None:
    assert Station().look() == (State.UNPROTECTED, (Flaw.NEVER_HEARD,))


def test_who_is_silent_is_not_until_she_is_heard_again() -> None:
    station = heard()
    station.go(5 * MINUTE - 1)
    assert station.look() == PROTECTED
    station.go(1)
    assert station.look() == (State.UNPROTECTED, (Flaw.SILENT,))
    station.hear()
    assert station.look() == PROTECTED


def test_whose_receiver_is_away_for_more_than_a_moment_is_not() -> None:
    station = heard()
    station.up = False
    station.go(S)
    station.go(SETTLE_MS - 1)
    assert station.look() == PROTECTED
    station.go(1)
    assert station.look() == (State.UNPROTECTED, (Flaw.RECEIVER_DOWN,))


def test_who_has_taken_it_off_for_long_is_not() -> None:
    station = heard(values={Metric.WORN: False})
    station.go(OFF_MS - 1)
    station.hear(values={})
    assert station.look() == PROTECTED
    station.go(1)
    assert station.look() == (State.UNPROTECTED, (Flaw.NOT_WORN,))
    station.hear()
    assert station.look() == PROTECTED


def test_a_low_battery_and_one_that_soon_is_are_a_weakness() -> None:
    station = heard(values={Metric.BATTERY_LEVEL: 15})
    station.supervision.weigh("band-1", moment(0))
    assert station.look() == (State.DEGRADED, (Flaw.LOW_BATTERY,))
    falling = Station()
    for half_day, level in enumerate((60, 50, 40, 30)):
        falling.ms = half_day * DAY // 2
        falling.hear(values={Metric.BATTERY_LEVEL: level})
        falling.supervision.weigh("band-1", moment(falling.ms))
    assert falling.look() == (State.DEGRADED, (Flaw.BATTERY_SHORT,))


def test_a_weak_signal_is_a_weakness_until_it_is_clearly_stronger() -> None:
    station, said = heard(), []
    seen = station.sightings.last("band-1")
    assert seen is not None
    for seen.strength in (-90, -91, -86, -85):
        said.append(station.look())
    weak = (State.DEGRADED, (Flaw.WEAK_SIGNAL,))
    assert said == [PROTECTED, weak, weak, PROTECTED]
    assert heard(rssi=None).look() == PROTECTED


def test_of_a_key_that_speaks_only_when_pressed_nobody_can_tell() -> None:
    station = heard(profile="key", values={})
    station.go(DAY)
    assert station.look() == (State.DEGRADED, (Flaw.NOT_SUPERVISED,))


def test_of_several_wearables_the_best_one_counts() -> None:
    station = Station(device(1), device(2, wearer=1))
    station.hear(1)
    assert station.look() == PROTECTED
    station.go(6 * MINUTE)
    station.hear(2, {Metric.BATTERY_LEVEL: 3})
    station.supervision.weigh("band-2", moment(station.ms))
    assert station.look() == (State.DEGRADED, (Flaw.LOW_BATTERY,))


def test_the_state_is_old_and_the_reasons_new_where_only_these_change() -> None:
    station = heard()
    station.look()
    station.go(6 * MINUTE)
    station.look()
    assert station.since == 6 * MINUTE
    station.go(MINUTE)
    assert station.look(Way(frozenset({Flaw.CLOCK}))) == (State.UNPROTECTED, (Flaw.SILENT, Flaw.CLOCK))
    assert station.since == 6 * MINUTE


def test_only_news_is_news() -> None:
    station = heard()
    (wearer,) = station.protection.wearers
    news = [station.protection.look(wearer, way, moment(5)) for way in (SOUND, SOUND, Way(frozenset({Flaw.CLOCK})))]
    assert news == [True, False, True]


def test_what_was_said_before_a_restart_goes_on() -> None:
    station = heard()
    station.protection.restore("w-1", Verdict(State.PROTECTED, (), moment(-DAY)))
    assert station.look() == PROTECTED
    assert station.since == -DAY


def test_a_visitor_is_away_when_she_is_silent_and_nobodys_after_a_day() -> None:
    station = Station(device(1, visitor=True))
    assert station.look() is None
    station.hear()
    assert station.look() == PROTECTED
    station.go(10 * MINUTE)
    assert station.look() == (State.AWAY, ())
    station.go(DAY - 10 * MINUTE - 1)
    assert station.look() == (State.AWAY, ())
    station.go(1)
    (wearer,) = station.protection.wearers
    assert [station.protection.look(wearer, SOUND, moment(station.ms)) for _ in range(2)] == [True, False]
    assert station.look() is None


def test_a_resident_with_a_visitors_wearable_is_a_resident_and_what_nobody_wears_is_no_wearer() -> None:
    fixed = Device(id="button-1", address="c09800000009")
    roster = Roster((device(1, visitor=True), device(2, wearer=1), device(3, visitor=True), fixed))
    station = Protection(roster, Supervision(Sightings(), {}, Rules(), lambda: "id"), -90)
    assert [(each.id, each.devices, each.visitor) for each in station.wearers] == [
        ("w-1", ("band-1", "band-2"), False),
        ("w-3", ("band-3",), True),
    ]


@given(st.sets(st.sampled_from(Flaw)), st.booleans())
def test_the_worst_counts_and_more_flaws_make_nothing_better(flaws: set[Flaw], rings: bool) -> None:
    gravity = [State.PROTECTED, State.DEGRADED, State.UNPROTECTED].index
    state = judged(flaws, rings=rings)
    assert (state is State.PROTECTED) == (not flaws)
    assert (state is State.UNPROTECTED) == bool(flaws & (BREAKS if rings else BREAKS | UPLINK))
    for flaw in Flaw:
        assert gravity(judged(flaws | {flaw}, rings=rings)) >= gravity(state)


def fault(name: str, where: str, ms: int = 0) -> Fault:
    return Fault(name, where, moment(ms), "what", "cure")


@pytest.mark.parametrize(
    ("name", "where", "flaw"),
    [
        ("broker_unreachable", "uplink:alert", Flaw.NO_BROKER),
        ("broker_certificate", "uplink:alert", Flaw.NO_BROKER),
        ("credentials_unreadable", "uplink:alert", Flaw.NO_BROKER),
        ("broker_unreachable", "uplink:telemetry", None),
        ("subscription_refused", "uplink:alert", None),
        ("nobody_listens", "lane:alert", Flaw.NOBODY_LISTENS),
        ("not_heard_back", "lane:telemetry", None),
        ("storage", "alert", Flaw.STORAGE),
        ("storage", "telemetry", None),
        ("disk_full", "disk", Flaw.STORAGE),
        ("clock_unsynced", "clock", Flaw.CLOCK),
        ("centre_silent", "call_centre", Flaw.CENTRE_SILENT),
        ("serial_absent", "serial:rx", None),
    ],
)
def test_what_is_broken_stands_in_the_way_of_presses_or_not(name: str, where: str, flaw: Flaw | None) -> None:
    way = way_of([fault(name, where)], moment(SETTLE_MS), rings=False)
    assert way.flaws == ({flaw} if flaw else set())


def test_what_heals_soon_stands_in_nobodys_way() -> None:
    broken = [fault("broker_unreachable", "uplink:alert")]
    assert way_of(broken, moment(SETTLE_MS - 1), rings=False).flaws == set()


def test_a_station_that_is_told_itself_is_weaker_without_a_broker_and_not_more() -> None:
    broken = [fault("broker_unreachable", "uplink:alert")]
    dumb = fault("local_alert_failed", "local_alert")
    looked: Callable[[Way], object] = heard().look
    assert looked(way_of(broken, moment(SETTLE_MS), rings=False)) == (State.UNPROTECTED, (Flaw.NO_BROKER,))
    assert looked(way_of(broken, moment(SETTLE_MS), rings=True)) == (State.DEGRADED, (Flaw.NO_BROKER,))
    assert looked(way_of([*broken, dumb], moment(SETTLE_MS), rings=True)) == (State.UNPROTECTED, (Flaw.NO_BROKER,))


def test_what_the_sounder_takes_for_no_broker_protects_nobody() -> None:
    assert {name for where, name in protection.OF_FAULTS if where == "lane:alert"} == UNHEARD
