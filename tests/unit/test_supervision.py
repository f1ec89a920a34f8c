"""Silent wearables are told once per outage and so is their return; a deaf receiver's are not told at all."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ears import Rhythm
from gateway.inputs import Ended, Pressed
from gateway.model import Alert, AlertKind, AlertState, Heard, Press, Wearable, severity
from gateway.roster import Device
from gateway.sightings import Sightings
from gateway.supervision import ENOUGH, SLOW_MS, UNSTATED_MS, Known, Supervision, patience
from gateway.thresholds import Supervision as Rules
from tests.support.moments import moment

S, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
RX, BLE = "serial:rx", "ble:b"
INTERVALS: Mapping[str, int | None] = {"band": 2 * S, "hourly": HOUR, "key": 0, "unstated": None}
SILENT, UNHEARD = AlertKind.DEVICE_SILENT, AlertKind.NEVER_COMMISSIONED


def band(number: int, *, visitor: bool = False) -> Device:
    return Device(id=f"band-{number}", address=f"c0980000000{number}", wearer=f"w-{number}", visitor=visitor)


class Station:
    """`told` is all that people hear; time goes on by `go`, a second at a time as in the daemon."""

    def __init__(self, *devices: Device, kept: Mapping[str, Known] | None = None, at: int = 0) -> None:
        self.devices, self.ms = devices or (band(1),), at
        self.up = {RX: True, BLE: True}
        self.sightings = Sightings()
        self.supervision = Supervision(self.sightings, INTERVALS, Rules(), lambda: "id")
        self.told: list[tuple[int, Pressed | Ended]] = []
        self.sightings.ears.mind(moment(at).mono_ms, dict.fromkeys(self.up, False))
        for device in self.devices:
            self.supervision.enter(device, moment(at))
            if kept is not None:
                self.supervision.restore(device.id, kept[device.id], moment(at))
        self.look()

    def hear(self, number: int = 1, profile: str = "band", link: str = RX) -> None:
        self.sightings.see(
            Wearable(f"0000000{number}", f"band-{number}", f"w-{number}"),
            moment(self.ms),
            Heard(link, -60),
            profile,
            {},
        )

    def go(self, ms: int, *speaking: int, profile: str = "band", every: int = 2 * S, own: bool = True) -> None:
        """Time passes while these speak; `own`: the receiver speaks of itself."""
        for now in range(self.ms + S, self.ms + ms + 1, S):
            self.ms = now
            if own and self.up[RX] and now % (10 * S) == 0:
                self.sightings.ears.speak(RX, moment(now).mono_ms)
            if now % every == 0 and self.up[RX]:
                for number in speaking:
                    self.hear(number, profile)
            self.look()

    def look(self) -> None:
        self.sightings.ears.mind(moment(self.ms).mono_ms, self.up)
        for device in self.devices:
            told = self.supervision.look(device.id, moment(self.ms))
            if told is not None:
                self.told.append((self.ms, told))
        self.supervision.count()

    @property
    def kinds(self) -> list[str]:
        return [f"{'+' if isinstance(each, Pressed) else '-'}{each.key.kind.value}" for _, each in self.told]

    def kept(self) -> dict[str, Known]:
        return {device.id: self.supervision.known(device.id, moment(self.ms)) for device in self.devices}


def rhythm(gap: int = 0, beats: int = ENOUGH) -> Rhythm:
    return Rhythm(0, 0, beats, gap)


@pytest.mark.parametrize(
    ("interval", "gap", "allowed"),
    [
        (2 * S, 0, 5 * MINUTE),
        (2 * S, 3 * MINUTE, 5 * MINUTE),
        (2 * S, 4 * MINUTE, 6 * MINUTE),
        (2 * S, 3 * DAY, 15 * MINUTE),
        (MINUTE, 0, 10 * MINUTE),
        (SLOW_MS - 1, 0, 10 * (SLOW_MS - 1)),
        (SLOW_MS, 0, 3 * SLOW_MS),
        (None, 0, 5 * MINUTE),
        (None, 10 * MINUTE, 30 * MINUTE),
        (None, DAY, UNSTATED_MS + UNSTATED_MS // 2),
    ],
)
def test_patience_is_what_the_profile_and_the_habits_of_its_wearer_ask_for(
    interval: int | None, gap: int, allowed: int
) -> None:
    assert patience(interval, rhythm(gap), Rules()) == allowed


def test_with_what_has_not_shown_how_often_it_speaks_there_is_a_days_patience() -> None:
    assert patience(None, rhythm(beats=ENOUGH - 1), Rules()) == UNSTATED_MS


def test_the_silence_of_a_key_says_nothing() -> None:
    assert patience(0, rhythm(), Rules()) is None
    station = Station()
    station.hear(profile="key")
    station.go(2 * HOUR)
    assert station.kinds == []


def test_a_silent_wearable_is_told_once_with_when_it_was_last_heard_and_so_is_its_return() -> None:
    station = Station()
    station.go(60 * S, 1)
    station.go(HOUR)
    station.go(10 * S, 1)
    station.go(HOUR, 1)
    (at, pressed), (back, ended) = station.told
    assert isinstance(pressed, Pressed)
    assert isinstance(ended, Ended)
    assert pressed.key == ended.key
    assert (pressed.key.kind, pressed.press, pressed.heard) == (SILENT, Press(None, moment(60 * S)), None)
    assert pressed.wearable is not None
    assert (pressed.wearable.device, pressed.wearable.wearer) == ("band-1", "w-1")
    assert at == 60 * S + 5 * MINUTE
    assert back == 60 * S + HOUR + 2 * S


def test_an_hourly_one_is_silent_after_three_hours() -> None:
    station = Station()
    station.hear(profile="hourly")
    station.go(3 * HOUR - S)
    assert station.kinds == []
    station.go(S)
    assert station.kinds == ["+device_silent"]


def test_who_is_used_to_longer_gaps_has_more_time() -> None:
    station = Station()
    station.go(20 * S, 1)
    for _ in range(3):
        station.go(4 * MINUTE)
        station.go(10 * S, 1)
    station.go(6 * MINUTE - S)
    assert station.kinds == []
    station.go(10 * S)
    assert station.kinds == ["+device_silent"]


def test_an_outage_is_no_habit() -> None:
    station = Station()
    station.go(20 * S, 1)
    station.go(2 * HOUR)
    station.go(20 * S, 1)
    station.go(5 * MINUTE)
    assert station.kinds == ["+device_silent", "-device_silent", "+device_silent"]


def test_a_new_device_that_is_not_heard_for_a_day_was_never_put_to_use() -> None:
    station = Station()
    station.go(DAY - 2 * S)
    assert station.kinds == []
    station.go(10 * S)
    (_, told), = station.told  # fmt: skip
    assert isinstance(told, Pressed)
    assert (told.key.kind, told.press.at, told.heard) == (UNHEARD, moment(0), None)
    station.go(2 * S, 1)
    station.go(HOUR)
    assert station.kinds == ["+never_commissioned", "-never_commissioned", "+device_silent"]


def test_while_its_receiver_is_away_nobody_is_silent() -> None:
    station = Station(*map(band, range(1, 4)))
    station.go(60 * S, 1, 2, 3)
    station.up[RX] = False
    station.go(6 * HOUR)
    assert station.kinds == []
    station.up[RX] = True
    station.go(5 * MINUTE - 5 * S, 1)
    assert station.kinds == []
    station.go(MINUTE, 1)
    assert station.kinds == ["+device_silent"] * 2


def test_while_its_receiver_is_deaf_nobody_is_silent() -> None:
    station = Station(*map(band, range(1, 4)))
    station.go(60 * S, 1, 2, 3)
    station.go(6 * HOUR, own=False)
    assert station.kinds == []
    assert station.sightings.ears.of[RX].mute


def test_when_all_of_many_fall_silent_nobody_is_told_of_each() -> None:
    station = Station(*map(band, range(1, 7)))
    station.go(60 * S, *range(1, 7))
    station.go(6 * HOUR)
    assert station.kinds == []
    assert station.sightings.ears.of[RX].mute
    station.go(6 * MINUTE, *range(1, 6))
    assert station.kinds == ["+device_silent"]


def test_what_another_receiver_hears_is_not_silent() -> None:
    station = Station()
    station.go(60 * S, 1)
    station.up[RX] = False
    station.hear(link=BLE)
    station.go(5 * MINUTE)
    assert station.kinds == ["+device_silent"]


def test_a_receiver_that_turns_out_to_have_been_deaf_brings_nobody_back() -> None:
    station = Station()
    station.go(60 * S, 1)
    station.go(10 * MINUTE)
    station.up[RX] = False
    station.go(10 * MINUTE)
    station.up[RX] = True
    station.go(MINUTE)
    assert station.kinds == ["+device_silent"]


def test_a_visitor_may_come_and_go() -> None:
    station = Station(band(1, visitor=True), band(2, visitor=True))
    station.go(60 * S, 1)
    station.go(DAY)
    assert station.kinds == []
    now = moment(station.ms).mono_ms
    assert [station.supervision.silent(device, now) for device in ("band-1", "band-2")] == [True, True]


def test_a_restart_goes_on_where_it_was() -> None:
    station = Station()
    station.go(60 * S, 1)
    station.go(4 * MINUTE)
    later = Station(kept=station.kept(), at=DAY)
    later.go(MINUTE - S)
    assert later.kinds == []
    later.go(2 * S)
    assert later.kinds == ["+device_silent"]
    (_, told), = later.told  # fmt: skip
    assert isinstance(told, Pressed)
    assert told.press.at == moment(60 * S)
    again = Station(kept=later.kept(), at=2 * DAY)
    again.go(HOUR)
    assert again.kinds == []
    again.go(2 * S, 1)
    assert again.kinds == ["-device_silent"]


def test_the_day_of_a_new_device_goes_on_over_restarts() -> None:
    station = Station()
    station.go(12 * HOUR)
    later = Station(kept=station.kept(), at=5 * DAY)
    later.go(12 * HOUR + S)
    assert later.kinds == ["+never_commissioned"]
    (_, told), = later.told  # fmt: skip
    assert isinstance(told, Pressed)
    assert told.press.at == moment(0)


def open_alert(device: str) -> Alert:
    watched = Supervision(Sightings(), INTERVALS, Rules(), lambda: "id").enter(
        Device(id=device, address="c09800000009"), moment(0)
    )
    key, at = watched.key(SILENT), moment(0)
    return Alert("id", key, watched.wearable, severity(key), AlertState.RAISED, at, at, (Press(None, at),), 1, ())


def test_what_was_told_before_a_crash_is_known_by_its_open_alert() -> None:
    station = Station(band(1), band(2, visitor=True))
    over = station.supervision.adopt(map(open_alert, ("band-1", "band-2", "band-9")))
    assert [ended.key.subject for ended in over] == ["device:band-2", "device:band-9"]
    station.hear()
    station.go(S)
    assert station.kinds == ["-device_silent"]


def test_one_that_was_silent_stays_so_though_all_else_that_was_known_of_it_is_lost() -> None:
    station = Station()
    station.supervision.adopt([open_alert("band-1")])
    station.go(HOUR)
    assert station.kinds == []
    station.go(2 * S, 1)
    assert station.kinds == ["-device_silent"]


def test_that_it_was_taken_off_is_known_after_a_restart() -> None:
    station = Station()
    station.sightings.see(Wearable("00000001", "band-1", "w-1"), moment(0), Heard(RX, -60), "band", {"worn": False})
    station.go(MINUTE, 1)
    later = Station(kept=station.kept(), at=DAY)
    seen = later.sightings.last("band-1")
    assert seen is not None
    assert (seen.worn, moment(DAY).mono_ms - seen.worn_ms) == (False, MINUTE)


STEPS = st.lists(
    st.tuples(st.sampled_from(["all", "one", "none", "unplug", "plug", "deaf", "restart"]), st.integers(1, 15 * 60)),
    max_size=12,
)


@settings(max_examples=60)
@given(STEPS)
def test_whatever_happens_each_is_told_by_turns_and_nobody_while_the_receiver_is_away(
    steps: list[tuple[str, int]],
) -> None:
    station = Station(*map(band, range(1, 8)))
    told: dict[str, list[type]] = {device.id: [] for device in station.devices}
    for step, seconds in steps:
        station.told.clear()
        match step:
            case "unplug" | "plug":
                station.up[RX] = step == "plug"
            case "restart":
                station = Station(*station.devices, kept=station.kept(), at=station.ms + seconds * S)
        speaking = {"all": range(1, 8), "one": range(1, 2)}.get(step, range(0))
        station.go(seconds * S, *speaking, own=step != "deaf")
        assert station.up[RX] or not station.told
        for _, each in station.told:
            told[each.key.subject.removeprefix("device:")].append(type(each))
    for turns in told.values():
        assert turns == [Pressed, Ended] * (len(turns) // 2) + [Pressed] * (len(turns) % 2)
