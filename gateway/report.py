"""What `health` and `info` say: the five counters, the links, the lanes and what is broken. No I/O."""

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import starmap

import msgspec

from drivers.ble.radio import Radio
from drivers.ble.station import Standing
from gateway.box import Box
from gateway.clock import Clock
from gateway.forward import Lane
from gateway.health import Faults, LinkCounters
from gateway.model import Moment
from gateway.tray import Tray
from gateway.wire import Json, Wire, rfc3339


class Report(msgspec.Struct, frozen=True):
    """Where the numbers are found."""

    wire: Wire
    links: Mapping[str, LinkCounters]
    lanes: Mapping[str, Lane]
    faults: Faults
    began: Moment
    radios: Mapping[str, Radio] = {}
    box: Callable[[], Box] = Box
    requests: Counter[str] = msgspec.field(default_factory=Counter)
    """What the cloud asked and said, by outcome."""
    tray: Tray = msgspec.field(default_factory=Tray)
    """What waits for the desk."""

    def health(self, clock: Clock) -> Json:
        return {
            "uptime_s": self.began.until(clock.moment()) // 1000,
            "counters": self.counters(),
            "links": dict(starmap(_link, self.links.items())),
            "radios": {name: _radio(radio.standing) for name, radio in self.radios.items()},
            "lanes": {name: _lane(lane, clock) for name, lane in self.lanes.items()},
            "requests": dict(self.requests),
            "desk": {"waiting": len(self.tray), "dropped": _dropped(self.tray)},
            "box": _box(self.box()),
            "faults": [
                {"fault": f.fault, "where": f.where, "since": self.wire.when(f.since), "what": f.what, "cure": f.cure}
                for f in self.faults
            ],
        }

    def ping(self, clock: Clock) -> Json:
        return {"at": self.wire.when(clock.moment())}

    def info(self, clock: Clock, session: str) -> Json:
        standing = {name: {"epoch": epoch, "next": following} for name, (epoch, following) in self.standing().items()}
        return {
            "station": self.wire.station,
            "version": self.wire.version,
            "boot": clock.boot,
            "session": session,
            "uptime_s": self.began.until(clock.moment()) // 1000,
            "links": list(self.links),
            "lanes": standing,
        }

    def counters(self) -> dict[str, int]:
        return {
            "packets": sum(link.packets for link in self.links.values()),
            "readings": sum(link.readings for link in self.links.values()),
            "events": sum(link.events for link in self.links.values()),
            "pending": sum(lane.pending for lane in self.lanes.values()),
            "delivered": sum(lane.delivered for lane in self.lanes.values()),
        }

    def standing(self) -> dict[str, tuple[str, int]]:
        return {name: lane.outbox.standing for name, lane in self.lanes.items()}

    def epochs(self) -> dict[str, str]:
        return {name: lane.outbox.epoch for name, lane in self.lanes.items()}

    def status(self) -> str:
        counted = ", ".join(f"{count} {name}" for name, count in self.counters().items())
        return f"{counted}; {len(self.faults)} faults" if len(self.faults) else counted


def _link(name: str, link: LinkCounters) -> tuple[str, Json]:
    counted = {"up": link.up, "packets": link.packets, "readings": link.readings, "events": link.events}
    more = {"unknown": link.unknown, "absurd": link.absurd, "missed": link.missed, "unproven": link.unproven}
    return name, counted | more | {"rejected": dict(link.rejected), "profiles": dict(link.profiles)}


def _box(box: Box) -> Json:
    return {
        "temperature_c": box.temperature,
        "disk_free": box.disk_free,
        "disk_size": box.disk_size,
        "certificates": {each.where: rfc3339(round(each.ends.timestamp() * 1000)) for each in box.certificates},
    }


def _radio(standing: Standing) -> Json:
    return {
        "adapter": standing.adapter,
        "address": standing.address,
        "state": standing.state.value,
        "scan": standing.mode.value if standing.mode else None,
        "silence_s": standing.silence_s,
        "gap_s": standing.gap_s,
        "repeated": standing.repeated,
        "connected": standing.connected,
        "waiting": standing.waiting,
        "rungs": standing.rungs,
    }


def _dropped(tray: Tray) -> Json:
    return {worth.name.lower(): count for worth, count in tray.dropped.items()}


def _lane(lane: Lane, clock: Clock) -> Json:
    level = lane.outbox.level
    oldest = 0 if level.oldest_ms is None else clock.age_ms(level.oldest_ms) // 1000
    return {
        "connected": lane.connected,
        "pending": level.count,
        "bytes": level.bytes,
        "oldest_s": oldest,
        "delivered": lane.delivered,
        "refused": lane.refused,
        "held": len(lane.sideline),
        "set_aside": len(lane.sideline.aside) if lane.sideline.aside is not None else 0,
    }
