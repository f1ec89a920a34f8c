"""A radio that is down for long is an alert, once, and its end is told."""

from gateway.inputs import Ended, Pressed
from gateway.model import AlertKey, AlertKind, Heard
from gateway.outages import Outages
from tests.support.moments import moment

KEY = AlertKey("link:ble:hci0", AlertKind.RADIO_DOWN, None, test=False)


def told(outages: Outages, *seen: tuple[int, bool], link: str = "ble:hci0") -> list[Pressed | Ended | None]:
    return [outages.see(link, moment(ms), up=up) for ms, up in seen]


def test_a_short_outage_is_nobodys_business() -> None:
    assert told(Outages(1_000, lambda: "id"), (0, False), (999, False), (1_500, True)) == [None, None, Ended(KEY)]
    assert told(Outages(1_000, lambda: "id"), (0, True), (10, False), (999, False), (1_500, True))[1:] == [None] * 3


def test_a_long_one_is_told_once_with_its_beginning_and_its_end() -> None:
    outages = Outages(1_000, lambda: "id")
    seen = told(outages, (0, True), (10, False), (1_010, False), (5_000, False), (6_000, True), (7_000, True))
    (pressed,) = [each for each in seen if isinstance(each, Pressed)]
    assert (pressed.key, pressed.wearable, pressed.heard) == (KEY, None, Heard("ble:hci0", None))
    assert pressed.press.at == moment(0)
    assert seen.index(pressed) == 2
    assert [place for place, each in enumerate(seen) if isinstance(each, Ended)] == [0, 4]


def test_radios_are_told_apart() -> None:
    outages = Outages(1_000, lambda: "id")
    told(outages, (0, False))
    told(outages, (500, False), link="ble:hci1")
    assert isinstance(outages.see("ble:hci0", moment(1_000), up=False), Pressed)
    assert outages.see("ble:hci1", moment(1_000), up=False) is None


def test_after_a_restart_the_end_of_what_was_told_before_is_told() -> None:
    assert told(Outages(1_000, lambda: "id"), (0, True)) == [Ended(KEY)]
