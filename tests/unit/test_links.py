"""Every configured link is a driver of its own by its own name, and none is opened by being built."""

from pathlib import Path

import pytest

from drivers.base import PacketKind
from drivers.ble.radio import Radio
from drivers.registry import Profiles
from drivers.replay import Replay
from drivers.serial_port import SerialPort
from gateway.config import Config
from gateway.health import Faults
from gateway.links import RADIO, REPLAY, SERIAL, build_links
from gateway.roster import Device, Roster
from tests.support.inside import StillClock

STATION = (Profiles.load(), Roster(()), StillClock(), Faults(StillClock().moment))


def config(**links: object) -> Config:
    return Config.model_validate({"station": "a", "mqtt": {"brokers": ["mqtt://a"]}} | links)


def test_each_kind_of_link_has_its_driver_its_zone_and_its_patience(tmp_path: Path) -> None:
    built = build_links(
        config(
            serial=[{"port": "/dev/absent/a", "zone": "lobby"}, {"port": "socket://absent.example:1", "name": "far"}],
            bluetooth=[{"adapter": "hci7", "zone": "garden"}],
            replay=[{"file": tmp_path / "absent.jsonl"}],
        ),
        *STATION,
    )
    assert {name: (type(link.driver), link.backoff, link.zone) for name, link in built.items()} == {
        "serial:a": (SerialPort, SERIAL, "lobby"),
        "serial:far": (SerialPort, SERIAL, None),
        "ble:hci7": (Radio, RADIO, "garden"),
        "replay:absent.jsonl": (Replay, REPLAY, None),
    }
    assert {name: link.driver.name for name, link in built.items()} == {name: name for name in built}


def test_packets_of_a_line_that_several_profiles_share_say_so() -> None:
    both = config(serial=[{"port": "/dev/a", "profile": ["rflink", "ingics-gateway"]}])
    (link,) = build_links(both, *STATION).values()
    assert isinstance(link.driver, SerialPort)
    assert link.driver._profile == "rflink+ingics-gateway"
    assert link.driver._framing == STATION[0].framing("ingics-gateway")  # the longer lines of the two


def test_profiles_that_cut_a_line_in_different_ways_make_no_link() -> None:
    torn = config(serial=[{"port": "/dev/a", "profile": ["398-reference", "rflink"]}])
    with pytest.raises(ValueError, match="cut the line in different ways"):
        build_links(torn, *STATION)


def test_a_station_may_begin_without_links() -> None:
    assert build_links(config(), *STATION) == {}


def test_a_serial_link_without_a_framing_is_never_built() -> None:
    with pytest.raises(KeyError):
        build_links(config(serial=[{"port": "/dev/a", "profile": "absent"}]), *STATION)


def test_on_the_bench_radios_pass_on_all_that_they_hear_and_call_nobody() -> None:
    known = Roster((Device(id="band-0001", address="C0:98:00:01:02:03"),))
    profiles, _, clock, faults = STATION
    for bench in (False, True):
        (link,) = build_links(config(bluetooth=[{}]), profiles, known, clock, faults, bench=bench).values()
        assert isinstance(link.driver, Radio)
        station = link.driver._station
        assert station.knows(PacketKind.MANUFACTURER, 0x004C, b"a phone") is bench
        assert station.registered("c09800010203") is not bench
        assert (station.repeat_ms == 0) is bench
