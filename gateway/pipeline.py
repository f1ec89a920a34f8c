"""The inside half, from bytes to what is committed. Read this first.

    driver --Packet--> decode --Reading--> normalise --Event--> desk (alerts) and telemetry, which commit

What is called with what was heard runs on the event loop, returns at once and never raises: drivers must not notice it.
"""

from collections.abc import Mapping

import structlog

from drivers.base import Address, BadFrame, Decoded, Driver, Instant, Packet, Write
from drivers.registry import Profiles
from gateway.desk import Desk
from gateway.evidence import Evidence
from gateway.health import LinkCounters
from gateway.normalise import Normaliser
from gateway.supervise import Up
from gateway.telemetry import Telemetry
from gateway.writes import Replies
from gateway.zones import Zones

log = structlog.get_logger("pipeline")


class Pipeline:
    """The drivers' Listener. `links` counts what each link brought; `zones` says where its receiver stands."""

    def __init__(
        self,
        profiles: Profiles,
        normalise: Normaliser,
        desk: Desk,
        telemetry: Telemetry,
        evidence: Evidence,
        replies: Replies,
        zones: Mapping[str, str | None],
    ) -> None:
        self.links = {link: LinkCounters() for link in zones}
        self._profiles = profiles
        self._normalise = normalise
        self._desk = desk
        self._telemetry = telemetry
        self._evidence = evidence
        self._replies = replies
        self._zones = Zones(zones)
        self._ears = normalise.sightings.ears

    async def listen(self, driver: Driver, up: Up) -> None:
        """Run a driver until it fails; meanwhile its link is up."""
        counters = self.links[driver.name]

        def heard() -> None:
            counters.up = True
            log.info("link up", link=driver.name)
            up()

        try:
            await driver.run(self, heard)
        finally:
            counters.up = False

    def packet(self, packet: Packet) -> None:
        self._evidence.heard(packet, self._take(packet))

    def rejected(self, link: str, reason: str, payload: bytes, received: Instant) -> None:
        self.links[link].rejected[reason] += 1
        self._evidence.rejected(link, reason, payload, received)

    def _take(self, packet: Packet) -> Address | None:
        """Read a packet and hand on what it says; the device that it is of, where that was found."""
        counters = self.links[packet.link]
        counters.packets += 1
        try:
            decoded = self._profiles.decode(packet)
            inside = self._profiles.relayed(packet, decoded) if decoded is not None else ()
        except BadFrame as bad:
            counters.rejected[bad.reason] += 1
            self._evidence.unread(packet.link, bad.reason, bad.payload, packet.received)
            return None
        if decoded is None:
            counters.unknown += 1
            return None
        counters.profiles[decoded.profile] += 1
        if inside:  # a receiver passes on a whole advert: its sections are packets like any other's
            devices = [self._take(section) for section in inside]
            return next((device for device in devices if device is not None), None)
        self._heard(packet, decoded)
        return decoded.address

    def _heard(self, packet: Packet, decoded: Decoded) -> None:
        """What a packet says goes its two ways: to the desk what concerns alerts, and to the telemetry the rest."""
        counters, said = self.links[packet.link], decoded.said
        if said.absurd:
            counters.absurd += len(said.absurd)
            self._evidence.absurd(packet, said.absurd)
        counters.readings += len(said.readings)
        if decoded.address is None:  # the receiver speaks of itself
            self._ears.speak(packet.link, packet.received.mono_ms)
            return
        rssi = decoded.rssi if decoded.rssi is not None else packet.rssi
        zone = self._zones.hear(decoded.address, packet.link, rssi, packet.received.mono_ms)
        events = self._normalise(packet, decoded, decoded.address, zone)
        counters.events += events.count
        counters.missed += events.missed
        counters.unproven += events.unproven
        for given in events.inputs:
            self._desk.put(given)
        if events.sample is not None:
            self._telemetry.add(events.sample)
        if events.kept is not None:
            self._telemetry.keep(events.kept)
        if said.reply is not None:  # to a copy as well: the device repeats itself because it missed our reply
            self._replies.owe(Write(packet.link, decoded.address, said.reply))
