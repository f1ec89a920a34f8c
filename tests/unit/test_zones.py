"""A wearable is where it is heard best, and does not jump about for a few decibels."""

from gateway.zones import REMEMBERED, RETURN_DB, STALE_MS, SWITCH_DB, Zones

HERE = {"ble:a": "lobby", "ble:b": "garden", "ble:c": None}


def test_the_first_radio_that_hears_it_gives_the_zone() -> None:
    assert Zones(HERE).hear("x", "ble:b", -80, 0) == "garden"


def test_another_radio_must_be_clearly_stronger() -> None:
    zones = Zones(HERE)
    zones.hear("x", "ble:a", -80, 0)
    assert zones.hear("x", "ble:b", -80 + SWITCH_DB - 1, 1) == "lobby"
    assert zones.hear("x", "ble:b", -80 + SWITCH_DB, 2) == "garden"


def test_the_way_back_is_shorter() -> None:
    zones = Zones(HERE)
    zones.hear("x", "ble:a", -80, 0)
    zones.hear("x", "ble:b", -60, 1)
    assert zones.hear("x", "ble:c", -60 + RETURN_DB, 2) == "garden"
    assert zones.hear("x", "ble:a", -60 + RETURN_DB - 1, 3) == "garden"
    assert zones.hear("x", "ble:a", -60 + RETURN_DB, 4) == "lobby"


def test_a_radio_that_hears_it_no_more_is_given_up() -> None:
    zones = Zones(HERE)
    zones.hear("x", "ble:a", -40, 0)
    assert zones.hear("x", "ble:b", -90, STALE_MS) == "lobby"
    assert zones.hear("x", "ble:b", -90, STALE_MS + 1) == "garden"


def test_the_nearest_radio_may_have_no_zone() -> None:
    assert Zones(HERE).hear("x", "ble:c", -50, 0) is None


def test_what_comes_without_a_strength_changes_nothing() -> None:
    zones = Zones(HERE)
    zones.hear("x", "ble:a", -80, 0)
    assert zones.hear("x", "ble:b", None, 1) == "lobby"
    assert zones.hear("x", "ble:a", None, 2) == "lobby"
    assert zones.hear("x", "ble:b", -80 + SWITCH_DB, 3) == "garden"


def test_wearables_are_told_apart_and_no_crowd_costs_memory() -> None:
    zones = Zones(HERE)
    for number in range(2 * REMEMBERED):
        assert zones.hear(str(number), "ble:a", -80, 0) == "lobby"
    assert zones.hear("x", "ble:b", -80, 0) == "garden"
    assert len(zones._nearest) == REMEMBERED
