"""From the configuration to the drivers: one per link, with how soon each is tried again."""

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from drivers.base import Driver, Faults
from drivers.ble.adverts import Advert
from drivers.ble.radio import Radio
from drivers.ble.station import Options, Station
from drivers.framing import joined
from drivers.profile.connect import Connect
from drivers.registry import Profiles
from drivers.replay import Replay
from drivers.serial_port import SerialPort
from gateway.backoff import Backoff
from gateway.clock import Clock
from gateway.config import Config
from gateway.roster import Roster

SERIAL = Backoff(base=0.25, cap=1.0, floor=0.1)
"""A receiver that is plugged in again is heard within a second or so."""
RADIO = Backoff(base=0.5, cap=1.0, floor=0.2)
"""A bluetoothd that is there again is found within this; what disturbs an adapter is paced by its ladder."""
REPLAY = Backoff(base=1.0, cap=5.0, floor=0.5)


class Link(msgspec.Struct, frozen=True):
    driver: Driver
    backoff: Backoff
    zone: str | None


def build_links(
    config: Config, profiles: Profiles, roster: Roster, clock: Clock, faults: Faults, *, bench: bool = False
) -> Mapping[str, Link]:
    """Every configured link by its name; nothing is opened yet. On the `bench` all that is on the air is heard, and
    nobody is connected to."""
    links: dict[str, Link] = {}
    for port in config.serial:
        framing = joined([profiles.framing(name) for name in port.profile])
        if framing is None:
            raise ValueError(f"{port.link}: its profiles cut the line in different ways")
        driver = SerialPort(port.link, port.port, "+".join(port.profile), framing, clock.now, port.baud)
        links[port.link] = Link(driver, SERIAL, port.zone)
    station = station_of(profiles, roster, clock, faults)
    if bench:
        station = replace(station, knows=lambda *_: True, registered=lambda _: False, repeat_ms=0)
    for adapter in config.bluetooth:
        options = Options(adapter.adapter, adapter.scan, adapter.slots, adapter.beacons)
        links[adapter.link] = Link(Radio(adapter.link, options, station), RADIO, adapter.zone)
    for replay in config.replay:
        links[replay.link] = Link(Replay(replay.link, replay.file, clock.now), REPLAY, replay.zone)
    return links


def station_of(profiles: Profiles, roster: Roster, clock: Clock, faults: Faults) -> Station:
    """What the station's radios share."""

    def connect(advert: Advert) -> Connect | None:
        return profiles.connect(advert.service_uuids, advert.manufacturer_data, advert.service_data)

    return Station(
        knows=profiles.knows,
        connect=connect,
        patterns=profiles.patterns(),
        registered=lambda address: roster.find(address) is not None,
        clock=clock.now,
        faults=faults,
    )
