"""From the configuration to the drivers: one per link, with how soon each is tried again."""

from collections.abc import Mapping

import msgspec

from drivers.base import Driver
from drivers.ble.scanner import Scanner
from drivers.registry import Profiles
from drivers.replay import Replay
from drivers.serial_port import SerialPort
from gateway.backoff import Backoff
from gateway.clock import Clock
from gateway.config import Config

SERIAL = Backoff(base=0.25, cap=1.0, floor=0.1)
"""A receiver that is plugged in again is heard within a second or so."""
RADIO = Backoff(base=0.5, cap=5.0, floor=0.2)
REPLAY = Backoff(base=1.0, cap=5.0, floor=0.5)


class Link(msgspec.Struct, frozen=True):
    driver: Driver
    backoff: Backoff
    zone: str | None


def build_links(config: Config, profiles: Profiles, clock: Clock) -> Mapping[str, Link]:
    """Every configured link by its name; nothing is opened yet."""
    links: dict[str, Link] = {}
    for port in config.serial:
        framing = profiles.framing(port.profile)
        driver = SerialPort(port.link, port.port, port.profile, framing, clock.now, port.baud)
        links[port.link] = Link(driver, SERIAL, port.zone)
    for radio in config.bluetooth:
        links[radio.link] = Link(Scanner(radio.link, radio.adapter, profiles.knows, clock.now), RADIO, radio.zone)
    for replay in config.replay:
        links[replay.link] = Link(Replay(replay.link, replay.file, clock.now), REPLAY, replay.zone)
    return links
