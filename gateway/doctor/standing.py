"""What the running daemon says of itself, as far as it is judged: a part of its `health`. No I/O."""

import msgspec


class Fault(msgspec.Struct, frozen=True):
    fault: str
    where: str
    what: str
    cure: str


class Link(msgspec.Struct, frozen=True):
    up: bool
    packets: int
    readings: int
    rejected: dict[str, int]
    profiles: dict[str, int]
    """Packets that each profile could read."""

    @property
    def heard(self) -> int:
        """Whatever it was, frames that broke included."""
        return self.packets + sum(self.rejected.values())


class Lane(msgspec.Struct, frozen=True):
    pending: int
    oldest_s: int
    set_aside: int


class Daemon(msgspec.Struct, frozen=True):
    uptime_s: int
    links: dict[str, Link]
    lanes: dict[str, Lane]
    faults: tuple[Fault, ...]


class NoDaemon(msgspec.Struct, frozen=True):
    """Why there is no answer; `denied` where there is a daemon that we may not ask."""

    socket: str
    why: str
    denied: bool = False
