"""From readings to meaning: whose they are, what they come to, and what must not leave the station."""

from dataclasses import dataclass, field

import pytest

from drivers.base import (
    Auth,
    Counter,
    Decoded,
    Edge,
    KeyPress,
    Level,
    Measurement,
    Metric,
    Occurrence,
    OccurrenceKind,
    Packet,
    PacketKind,
    Reading,
    Said,
)
from gateway import battery, thresholds
from gateway.alerts import Move, Rules, advance, raised
from gateway.counters import Counters
from gateway.episodes import COPY_MS, Episodes
from gateway.inputs import Accept, Clear, Confirmed, Copied, Ended, Pressed, Tick, Withdrawn
from gateway.model import AlertKey, AlertKind, Heard, Reason, Severity, Wearable
from gateway.normalise import STRANGERS, Events, Normaliser, Remember, Route, Secrets
from gateway.roster import Device, Roster
from tests.support.inside import StillClock, make_wire
from tests.support.moments import moment

BAND, PENDANT, BUTTON, SEALED, STRANGER = "00010203", "00020a01", "00030001", "00040001", "00099999"
KEYS = {"single": "sos", "2 long": {"kind": "service_request", "service": "ride"}, "long": "test"}
ROSTER = Roster(
    (
        Device(id="band-0001", address="C0:98:00:01:02:03", wearer="w-7f3a"),
        Device(id="pendant-0001", address=PENDANT, wearer="w-7f3a"),
        Device(id="toilet-button", address=BUTTON, zone="toilet", buttons=KEYS),
        Device(id="sealed-0001", address=SEALED, buttons=KEYS),
    ),
    {"sealed-0001": b"k" * 16},
)
FLEET, BOX = b"fleet", b"box-one"
RECEIVED_RSSI, TOLD_RSSI = -80, -60


@dataclass
class Station:
    """Hears packets; `now` in ms is advanced by the test."""

    fleet: bytes | None = None
    box: bytes = BOX
    lenient: tuple[str, ...] = ()
    clock: StillClock = field(default_factory=StillClock)
    test: bool = False

    def __post_init__(self) -> None:
        secrets = Secrets(self.fleet, self.box)
        self.normaliser = Normaliser(
            ROSTER, Episodes(), Counters(ROSTER.key_of), secrets, self.clock, self.lenient, test=self.test
        )

    def hear(self, address: str, *readings: Reading, link: str = "serial:a", zone: str | None = "lobby") -> Events:
        return self.said(Said(readings), address, link, zone)

    def sealed(self, number: int, *readings: Reading, link: str = "serial:a") -> Events:
        """A frame that the device's key proves, with its number."""
        return self.said(Said(readings, auth=Auth.OK, counter=number), SEALED, link)

    def plain(self, *readings: Reading) -> Events:
        """A frame of the same device that does not use its key."""
        return self.said(Said(readings, auth=Auth.DOWNGRADED), SEALED)

    def said(self, said: Said, address: str, link: str = "serial:a", zone: str | None = "lobby") -> Events:
        packet = Packet(
            link, PacketKind.FRAME, "398-reference", b"", self.clock.now(), address=address, rssi=RECEIVED_RSSI
        )
        return self.normaliser(packet, Decoded("398-reference", address, TOLD_RSSI, said), address, zone)

    def press(self, address: str, occurrence: Occurrence, *more: Reading, link: str = "serial:a") -> Pressed:
        pressed = self.hear(address, occurrence, *more, link=link).inputs[0]
        assert isinstance(pressed, Pressed)
        return pressed


def fresh(number: int, kind: OccurrenceKind = OccurrenceKind.SOS) -> Occurrence:
    return Occurrence(kind, Counter(number, fresh=True, wrap=65535))


def test_a_press_says_who_where_when_and_how_it_was_heard() -> None:
    station = Station(clock=StillClock(5_000, synced=False))
    pressed = station.press(BAND, fresh(7), Measurement(Metric.WORN, True), link="serial:b")
    assert pressed.key == AlertKey("w-7f3a", AlertKind.SOS, None, test=False)
    assert pressed.wearable == Wearable(BAND, "band-0001", "w-7f3a", None, registered=True)
    assert pressed.press.at == moment(5_000, synced=False)
    assert (pressed.heard, pressed.zone, pressed.worn) == (Heard("serial:b", TOLD_RSSI), "lobby", True)
    assert (pressed.auth, pressed.late, pressed.change is None) == (Auth.NONE, False, False)


@pytest.mark.parametrize("kind", [OccurrenceKind.PUT_ON, OccurrenceKind.FALL_CANCELLED])
def test_the_end_of_what_takes_something_back_ends_nothing(kind: OccurrenceKind) -> None:
    station = Station()
    station.hear(BAND, Occurrence(kind, Level(True)))
    given = station.hear(BAND, Occurrence(kind, Level(False))).inputs
    assert [type(each) for each in given] == [Remember]


@pytest.mark.parametrize("kind", [OccurrenceKind.PUT_ON, OccurrenceKind.FALL_CANCELLED])
def test_a_stranger_that_takes_something_back_leaves_nothing_on_the_disk(kind: OccurrenceKind) -> None:
    for address, kept in ((BAND, True), (STRANGER, False)):
        station = Station()
        (given,) = station.hear(address, fresh(7, kind)).inputs
        assert isinstance(given, Withdrawn | Ended)
        assert (given.change is not None) is kept


def test_strangers_that_only_repeat_leave_a_bounded_memory() -> None:
    station = Station()
    for number in range(STRANGERS + 500):
        for _ in range(2):
            station.hear(f"{number:08x}", Occurrence(OccurrenceKind.SOS, Counter(7, fresh=False, wrap=65535)))
    assert len(station.normaliser._told) <= STRANGERS + len(ROSTER.devices)


def test_the_first_sos_in_a_test_window_is_a_test_and_closes_it() -> None:
    station = Station()
    station.normaliser.trials.open("band-0001", 5, "desk-3")
    tried = station.press(BAND, fresh(1))
    meant = station.press(BAND, fresh(2))
    assert (tried.key, tried.tester) == (AlertKey("w-7f3a", AlertKind.SOS, None, test=True), "desk-3")
    assert (meant.key, meant.tester) == (AlertKey("w-7f3a", AlertKind.SOS, None, test=False), None)


def test_copies_of_a_test_press_are_told_to_the_test_and_use_up_no_window() -> None:
    station = Station()
    station.press(BAND, fresh(1))
    station.normaliser.trials.open("band-0001", 5, "desk-3")
    assert station.hear(BAND, fresh(1), link="serial:b").inputs[0].key.test is False
    tried = station.press(BAND, fresh(2))
    (copy,) = station.hear(BAND, fresh(2), link="serial:b").inputs
    assert (tried.key.test, copy) == (True, Copied(tried.key, copy.heard, "lobby"))


@pytest.mark.parametrize(
    ("address", "occurrence"),
    [
        (BAND, fresh(7, OccurrenceKind.FALL)),
        (BAND, fresh(7, OccurrenceKind.BUTTON)),
        (BAND, Occurrence(OccurrenceKind.SOS, Counter(7, fresh=False, wrap=65535))),
        (PENDANT, fresh(7)),
        (STRANGER, fresh(7)),
    ],
    ids=["a fall", "a button", "late", "another device of the wearer", "a stranger"],
)
def test_what_is_no_fresh_sos_of_that_device_stays_real_and_leaves_the_window_open(
    address: str, occurrence: Occurrence
) -> None:
    station = Station()
    station.hear(address, Occurrence(OccurrenceKind.NONE, Counter(1, fresh=False, wrap=65535)))
    station.normaliser.trials.open("band-0001", 5, "desk-3")
    assert station.press(address, occurrence).key.test is False
    assert station.press(BAND, fresh(8)).key.test is True


def test_a_replayed_sos_stays_real_and_leaves_the_window_open() -> None:
    station = Station()
    station.press(BAND, fresh(1))
    station.clock.ms = COPY_MS + 1
    station.normaliser.trials.open("band-0001", 5, "desk-3")
    replayed = station.press(BAND, fresh(1))
    assert (replayed.auth, replayed.key.test) == (Auth.REPLAYED, False)
    assert station.press(BAND, fresh(2)).key.test is True


def test_a_doubtful_sos_stays_real_and_leaves_the_window_open() -> None:
    station = Station()
    station.normaliser.trials.open("sealed-0001", 5, "desk-3")
    (doubtful, *_) = station.plain(fresh(1)).inputs
    (proven, *_) = station.sealed(1, fresh(2)).inputs
    assert [each.key.test for each in (doubtful, proven)] == [False, True]


def test_a_test_code_uses_up_no_window() -> None:
    station = Station()
    station.normaliser.trials.open("band-0001", 5, "desk-3")
    assert station.press(BAND, fresh(1, OccurrenceKind.TEST)).tester is None
    assert station.press(BAND, fresh(2)).tester == "desk-3"


def test_a_test_press_still_confirms_a_fall_that_is_pending() -> None:
    station = Station()
    station.normaliser.trials.open("band-0001", 5, "desk-3")
    confirming = Occurrence(OccurrenceKind.SOS, Counter(1, fresh=True, wrap=65535), confirms_fall=True)
    tried, confirmed = station.hear(BAND, confirming).inputs
    assert (tried.key.test, confirmed) == (True, Confirmed(AlertKey("w-7f3a", AlertKind.FALL, None, test=False)))


def test_two_devices_of_one_wearer_press_the_same_alert_and_a_fixed_button_its_own() -> None:
    station = Station()
    assert station.press(BAND, fresh(1)).key == station.press(PENDANT, fresh(1)).key
    button = station.press(BUTTON, fresh(1))
    assert (button.key.subject, button.zone) == (BUTTON, "toilet")


def test_measurements_of_a_registered_wearable_are_one_sample_and_a_stranger_s_are_none() -> None:
    readings = (Measurement(Metric.HEART_RATE, 72), Measurement(Metric.WORN, False))
    sample = Station().hear(BAND, *readings).sample
    assert sample is not None
    assert (sample.wearable.device, sample.at) == ("band-0001", moment(0))
    assert sample.values == {"heart_rate": 72, "worn": False}
    assert Station().hear(STRANGER, *readings).sample is None
    assert Station().hear(BAND, fresh(1)).sample is None


@pytest.mark.parametrize(
    ("kind", "alert"),
    [
        (OccurrenceKind.SOS, AlertKind.SOS),
        (OccurrenceKind.FALL, AlertKind.FALL),
        (OccurrenceKind.BUTTON, AlertKind.BUTTON),
        (OccurrenceKind.SERVICE_REQUEST, AlertKind.SERVICE_REQUEST),
        (OccurrenceKind.LOW_BATTERY, AlertKind.LOW_BATTERY),
        (OccurrenceKind.TAKEN_OFF, AlertKind.NOT_WORN),
        (OccurrenceKind.TAMPER, AlertKind.TAMPER),
    ],
)
def test_each_occurrence_is_its_kind_of_alert(kind: OccurrenceKind, alert: AlertKind) -> None:
    assert Station().press(BAND, fresh(1, kind)).key == AlertKey("w-7f3a", alert, None, test=False)


def test_a_test_press_is_an_sos_that_is_told_apart_from_a_real_one() -> None:
    pressed = Station().press(BAND, fresh(1, OccurrenceKind.TEST))
    assert pressed.key == AlertKey("w-7f3a", AlertKind.SOS, None, test=True)


@pytest.mark.parametrize(
    ("press", "key", "kind", "service", "test"),
    [
        (KeyPress.SINGLE, None, AlertKind.SOS, None, False),
        (KeyPress.SINGLE, 3, AlertKind.SOS, None, False),
        (KeyPress.LONG, 2, AlertKind.SERVICE_REQUEST, "ride", False),
        (KeyPress.LONG, 3, AlertKind.SOS, None, True),
        (KeyPress.DOUBLE, 2, AlertKind.BUTTON, None, False),
        (None, None, AlertKind.BUTTON, None, False),
    ],
)
def test_the_roster_says_what_a_device_s_keys_are_for(
    press: KeyPress | None, key: int | None, kind: AlertKind, service: str | None, test: bool
) -> None:
    pressed = Station().press(BUTTON, Occurrence(OccurrenceKind.BUTTON, Edge(1), press=press, button=key))
    assert pressed.key == AlertKey(BUTTON, kind, service, test=test)
    assert (pressed.press.press, pressed.press.button) == (press, key)


def test_what_the_format_states_itself_no_roster_entry_changes() -> None:
    stated = Occurrence(OccurrenceKind.FALL, Edge(1), press=KeyPress.SINGLE)
    assert Station().press(BUTTON, stated).key.kind is AlertKind.FALL
    assert Station().press(BAND, Occurrence(OccurrenceKind.BUTTON, Edge(1))).key.kind is AlertKind.BUTTON


def test_presses_of_several_keys_are_presses_of_one_alert_and_each_says_which() -> None:
    station = Station()
    alert = None
    for key, press in ((1, KeyPress.SINGLE), (2, KeyPress.SINGLE), (2, KeyPress.HOLD)):
        pressed = station.press(BAND, Occurrence(OccurrenceKind.BUTTON, Edge(7), press=press, button=key))
        answer = advance(alert, pressed, moment(0), Rules())
        assert isinstance(answer, Move)
        alert = answer.alert
    assert alert is not None
    body = make_wire(station.clock).alert_body(alert)
    assert (body["press"], body["button"], body["press_count"]) == ("hold", 2, 3)
    assert [(each["press"], each["button"]) for each in body["presses"]] == [
        ("single", 1), ("single", 2), ("hold", 2)
    ]  # fmt: skip


def test_what_the_wearer_takes_back_and_what_ends_find_the_alert_they_belong_to() -> None:
    station = Station()
    said = [station.hear(BAND, fresh(n, kind)).inputs[0] for n, kind in enumerate(
        (OccurrenceKind.FALL, OccurrenceKind.FALL_CANCELLED, OccurrenceKind.TAKEN_OFF, OccurrenceKind.PUT_ON), 1
    )]  # fmt: skip
    fall, cancelled, off, on = said
    assert isinstance(fall, Pressed)
    assert isinstance(off, Pressed)
    assert cancelled == Withdrawn(fall.key, getattr(cancelled, "change", None))
    assert on == Ended(off.key, getattr(on, "change", None))


def test_a_level_begins_once_and_ends_once() -> None:
    station, told = Station(), []
    for active in (True, True, False, False):
        told += station.hear(BAND, Occurrence(OccurrenceKind.LOW_BATTERY, Level(active))).inputs
    key = AlertKey("w-7f3a", AlertKind.LOW_BATTERY, None, test=False)
    assert [(type(given), getattr(given, "key", None)) for given in told] == [(Pressed, key), (Ended, key)]


def test_while_its_level_is_low_the_end_of_a_bit_ends_nothing() -> None:
    station, low = Station(), [Occurrence(OccurrenceKind.LOW_BATTERY, Level(active)) for active in (True, False)]
    station.hear(BAND, low[0], Measurement(Metric.BATTERY_LEVEL, 9))
    seen = station.normaliser.sightings.last("band-0001")
    assert seen is not None
    assert (seen.charge.flat, seen.charge.level) == (True, 9)
    assert isinstance(battery.judge(seen, thresholds.Supervision(), lambda: "id"), Pressed)
    assert [type(given) for given in station.hear(BAND, low[1]).inputs] == [Remember]
    assert not seen.charge.flat


def test_the_press_that_is_declared_to_confirm_a_fall_does_both() -> None:
    occurrence = Occurrence(OccurrenceKind.SOS, Edge(3), confirms_fall=True)
    pressed, confirmed = Station().hear(BAND, occurrence).inputs
    assert isinstance(pressed, Pressed)
    assert confirmed == Confirmed(AlertKey("w-7f3a", AlertKind.FALL, None, test=False))


def test_a_fall_brings_its_window_and_a_service_key_what_it_orders() -> None:
    fall = Station().press(BAND, Occurrence(OccurrenceKind.FALL, Edge(1), window_ms=20_000))
    ride = Station().press(BAND, Occurrence(OccurrenceKind.SERVICE_REQUEST, Edge(1), service="ride"))
    assert (fall.window_ms, ride.key.service) == (20_000, "ride")


def test_each_further_link_that_hears_a_press_is_told_once() -> None:
    station = Station()
    pressed = station.press(BAND, fresh(7), link="a")
    heard = [station.hear(BAND, fresh(7), link=link).inputs for link in ("a", "b", "b", "c", "a")]
    copies = [Copied(pressed.key, Heard(link, TOLD_RSSI), "lobby") for link in ("b", "c")]
    assert heard == [[], [copies[0]], [], [copies[1]], []]


def test_only_what_is_news_is_counted() -> None:
    station = Station()
    pressed = station.hear(BAND, fresh(7), Measurement(Metric.HEART_RATE, 72))
    copied = station.hear(BAND, fresh(7), link="b")
    jumped = station.hear(BAND, fresh(10))
    assert [(events.count, events.missed) for events in (pressed, copied, jumped)] == [(2, 0), (0, 0), (1, 2)]


def test_a_baseline_is_remembered_of_the_roster_s_devices_alone() -> None:
    baseline = Occurrence(OccurrenceKind.SOS, Counter(7, fresh=False, wrap=65535))
    remembered = Station().hear(BAND, baseline)
    assert [(type(given), remembered.count) for given in remembered.inputs] == [(Remember, 0)]
    assert Station().hear(STRANGER, baseline).inputs == []


def test_a_press_that_moved_the_counter_unheard_is_late() -> None:
    station = Station()
    station.hear(BAND, Occurrence(OccurrenceKind.SOS, Counter(7, fresh=False, wrap=65535)))
    assert station.press(BAND, Occurrence(OccurrenceKind.SOS, Counter(8, fresh=False, wrap=65535))).late


def test_one_press_has_one_key_at_every_station_of_the_fleet_and_none_without_one() -> None:
    here, there = Station(FLEET, b"box-one"), Station(FLEET, b"box-two")
    key = here.press(BAND, fresh(7)).press.key
    assert key is not None
    assert there.press(BAND, fresh(7)).press.key == key
    others = [there.press(BAND, fresh(8)), there.press(PENDANT, fresh(7)), Station(b"other").press(BAND, fresh(7))]
    assert key not in {other.press.key for other in others}
    assert Station(None).press(BAND, fresh(7)).press.key is None
    assert here.press(BAND, Occurrence(OccurrenceKind.SOS, Edge(9))).press.key is None


def test_a_stranger_keeps_its_pseudonym_and_stations_share_it_only_with_the_fleet_key() -> None:
    def name(station: Station, address: str = STRANGER) -> str:
        return station.press(address, fresh(1)).wearable.device

    first = name(Station(None, b"one"))
    assert name(Station(None, b"one")) == first
    assert name(Station(None, b"two")) != first
    assert name(Station(FLEET, b"one")) == name(Station(FLEET, b"two"))
    assert name(Station(), "00099998") != name(Station(), "00099999")


@pytest.mark.parametrize("address", [BAND, STRANGER])
@pytest.mark.parametrize("fleet", [None, FLEET])
def test_no_address_stands_in_what_goes_out(address: str, fleet: bytes | None) -> None:
    station = Station(fleet)
    pressed = station.press(address, fresh(1))
    alert = raised(None, pressed, moment(0), Rules()).alert
    message = make_wire(station.clock).alert(alert, Reason.PRESS, moment(0)).freeze("aaaa0000", 1)
    assert pressed.wearable.address == address
    assert address.encode() not in message.topic.encode() + message.payload
    assert bytes.fromhex(address) not in message.payload


def test_a_registered_device_is_answered_over_the_link_that_heard_it_last() -> None:
    station = Station()
    for link in ("a", "b"):
        station.hear(BAND, fresh(1), link=link)
        station.hear(STRANGER, fresh(1), link=link)
    assert station.normaliser.route(BAND) == Route("b", "398-reference", BAND)
    assert station.normaliser.route(STRANGER) is None


def test_a_great_many_strangers_that_press_leave_a_bounded_memory() -> None:
    station, known = Station(), len(ROSTER.devices)
    for number in range(STRANGERS + 500):
        station.press(f"{0xA0000000 + number:08x}", fresh(1))
    kept = station.normaliser
    sizes = (len(kept._wearables), len(kept._told), len(kept.episodes), len(kept._routes))
    assert sizes == (STRANGERS + known, STRANGERS + known, STRANGERS, 0)


def test_on_the_bench_nothing_is_meant_and_all_of_it_says_so() -> None:
    station = Station(test=True)
    events = station.hear(BAND, fresh(1), Measurement(Metric.SPO2, 97))
    (pressed,) = events.inputs
    assert isinstance(pressed, Pressed)
    assert (pressed.key.test, events.sample is not None and events.sample.test) == (True, True)
    assert raised(None, pressed, moment(0), Rules()).alert.severity is Severity.TECHNICAL
    low = Occurrence(OccurrenceKind.LOW_BATTERY, Level(active=True))
    over = Occurrence(OccurrenceKind.LOW_BATTERY, Level(active=False))
    inputs = [
        *station.hear(BAND, fresh(1), link="serial:b").inputs,
        *station.hear(BAND, low).inputs,
        *station.hear(BAND, over).inputs,
        *station.hear(BAND, fresh(2, OccurrenceKind.FALL_CANCELLED)).inputs,
    ]
    assert [type(given) for given in inputs] == [Copied, Pressed, Ended, Withdrawn]
    assert all(given.key.test for given in inputs if not isinstance(given, Remember | Accept | Clear | Tick))


# Frames that prove who sent them, and those that prove less than they could

PULSE = Measurement(Metric.HEART_RATE, 72)
REFUSED = [
    PULSE,
    Occurrence(OccurrenceKind.FALL_CANCELLED, Edge(3)),
    Occurrence(OccurrenceKind.PUT_ON, Edge(4)),
    Occurrence(OccurrenceKind.TAKEN_OFF, Edge(5)),
    Occurrence(OccurrenceKind.LOW_BATTERY, Level(True)),
    Occurrence(OccurrenceKind.TAMPER, Edge(6)),
    Occurrence(OccurrenceKind.TEST, Edge(7)),
    Occurrence(OccurrenceKind.NONE, Counter(0, fresh=False, wrap=9)),
    Occurrence(OccurrenceKind.SOS, Level(False)),
]
FORWARDED = [
    (OccurrenceKind.SOS, AlertKind.SOS),
    (OccurrenceKind.FALL, AlertKind.FALL),
    (OccurrenceKind.SERVICE_REQUEST, AlertKind.SERVICE_REQUEST),
    (OccurrenceKind.BUTTON, AlertKind.BUTTON),
]


def edge(key: int | None, kind: OccurrenceKind = OccurrenceKind.SOS) -> Occurrence:
    return Occurrence(kind, Edge(key))


def pressed(events: Events) -> list[tuple[AlertKind, Auth]]:
    return [(given.key.kind, given.auth) for given in events.inputs if isinstance(given, Pressed)]


def test_a_press_whose_number_has_risen_is_proven() -> None:
    events = Station().sealed(5, edge(1), PULSE)
    assert pressed(events) == [(AlertKind.SOS, Auth.OK)]
    assert events.sample is not None
    assert events.unproven == 0


@pytest.mark.parametrize("reading", REFUSED)
def test_what_calls_nobody_is_refused_without_proof_and_counted(reading: Reading) -> None:
    station = Station()
    station.sealed(9)
    for events in (station.sealed(8, reading), station.plain(reading)):
        assert (events.sample, events.inputs, events.unproven, events.count) == (None, [], 1, 0)


@pytest.mark.parametrize(("kind", "alert"), FORWARDED)
def test_what_calls_people_goes_on_once_without_proof_and_is_marked(kind: OccurrenceKind, alert: AlertKind) -> None:
    replaying, downgrading = Station(), Station()
    replaying.sealed(9)
    replayed = [replaying.sealed(8, edge(1, kind), PULSE) for _ in range(10)]
    downgraded = [downgrading.plain(edge(1, kind), PULSE) for _ in range(10)]
    for events, auth in ((replayed, Auth.REPLAYED), (downgraded, Auth.DOWNGRADED)):
        assert [pressed(each) for each in events] == [[(alert, auth)]] + [[]] * 9
        assert [each.unproven for each in events] == [1] * 10


def test_a_recording_cannot_cancel_a_fall_or_say_that_a_band_is_worn() -> None:
    station = Station()
    station.sealed(1, edge(1, OccurrenceKind.FALL))
    cancelled = edge(2, OccurrenceKind.FALL_CANCELLED)
    assert station.plain(cancelled).inputs == []
    assert isinstance(station.sealed(2, cancelled).inputs[0], Withdrawn)
    doubted = station.plain(edge(9), Measurement(Metric.WORN, True)).inputs[0]
    assert isinstance(doubted, Pressed)
    assert doubted.worn is None


def test_a_forged_press_does_not_keep_the_true_one_from_being_raised() -> None:
    station = Station()
    assert pressed(station.plain(edge(7))) == [(AlertKind.SOS, Auth.DOWNGRADED)]
    assert pressed(station.sealed(5, edge(7))) == [(AlertKind.SOS, Auth.OK)]


def test_the_same_frame_over_another_radio_is_neither_taken_twice_nor_refused() -> None:
    station = Station()
    first = station.sealed(5, edge(1), PULSE, link="a")
    copy = station.sealed(5, edge(1), PULSE, link="b")
    assert first.sample is not None
    assert [type(given) for given in copy.inputs] == [Copied]
    assert (copy.sample, copy.unproven, copy.kept) == (None, 0, None)


def test_an_old_press_heard_anew_under_a_new_number_is_marked_as_replayed() -> None:
    station = Station()
    station.sealed(5, edge(1))
    station.clock.ms = COPY_MS + 1
    assert pressed(station.sealed(6, edge(1))) == [(AlertKind.SOS, Auth.REPLAYED)]


def test_a_lenient_station_takes_readings_without_proof_and_marks_the_calls_all_the_same() -> None:
    station = Station(lenient=("398-reference",))
    station.sealed(9)
    events = station.sealed(8, PULSE, edge(2, OccurrenceKind.TAMPER), edge(1))
    assert events.sample is not None
    assert pressed(events) == [(AlertKind.TAMPER, Auth.REPLAYED), (AlertKind.SOS, Auth.REPLAYED)]
    assert events.unproven == 0
    assert station.sealed(9, PULSE).sample is None  # a copy of what was taken already
    other = Station(lenient=("another",))
    assert other.plain(PULSE).unproven == 1


def test_a_key_whose_purpose_the_roster_states_counts_by_that_purpose() -> None:
    station = Station()
    sos, test = (Occurrence(OccurrenceKind.BUTTON, Edge(1), press=press) for press in (KeyPress.SINGLE, KeyPress.LONG))
    assert pressed(station.plain(sos)) == [(AlertKind.SOS, Auth.DOWNGRADED)]
    refused = station.plain(test)
    assert (refused.inputs, refused.unproven) == ([], 1)


def test_a_device_with_a_key_is_not_believed_in_a_format_that_proves_nothing() -> None:
    station = Station()
    events = station.hear(SEALED, edge(1), PULSE, edge(2, OccurrenceKind.FALL_CANCELLED))
    assert pressed(events) == [(AlertKind.SOS, Auth.DOWNGRADED)]
    assert (events.sample, events.unproven) == (None, 2)


def test_a_number_is_kept_after_what_the_desk_is_told_and_where_that_is_nothing_with_the_readings() -> None:
    station, low = Station(), Occurrence(OccurrenceKind.LOW_BATTERY, Level(True))
    frames = [
        station.sealed(5, edge(1), PULSE),
        station.sealed(6, edge(1), PULSE),  # a copy of the press, and yet its number must outlive a kill at once
        station.sealed(7, low),
        station.sealed(8, low),
        station.sealed(9, PULSE),
        station.sealed(10),
    ]
    told = [[type(given) for given in events.inputs] for events in frames]
    assert told == [[Pressed, Remember], [Remember], [Pressed, Remember], [], [], []]
    assert [events.kept is not None for events in frames] == [False, False, False, True, True, True]


def test_a_killed_daemon_knows_the_numbers_that_both_lanes_kept() -> None:
    station = Station()
    call, reading = station.sealed(5, edge(1)).inputs[-1], station.sealed(6, PULSE).kept
    assert isinstance(call, Remember)
    assert reading is not None
    again = Station()
    again.normaliser._counters.load({call.change.key: call.change.value}, {reading.key: reading.value})
    assert pressed(again.sealed(5, edge(4))) == [(AlertKind.SOS, Auth.REPLAYED)]
    assert (again.sealed(6, PULSE).sample, again.sealed(4, PULSE).unproven) == (None, 1)
    assert again.sealed(7, PULSE).sample is not None


def test_that_a_press_is_still_on_the_air_is_kept_now_and_then_and_of_strangers_never() -> None:
    station, pressed = Station(), Occurrence(OccurrenceKind.SOS, Edge(None))
    for address, kept in ((BAND, 6), (STRANGER, 0)):
        station.press(address, pressed)
        given: list[object] = []
        for _ in range(120):
            station.clock.ms += 500
            given += station.hear(address, pressed).inputs
        assert [type(each) for each in given] == [Remember] * kept
