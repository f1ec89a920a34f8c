"""What is broken, by name and with its cure, and the five counters that show where things stop."""

from collections import Counter
from collections.abc import Callable, Iterator

import msgspec
import structlog

from gateway.model import Moment

log = structlog.get_logger("health")


class Fault(msgspec.Struct, frozen=True):
    """One thing that is broken: its name, where, since when, in words, and what cures it."""

    fault: str
    where: str
    since: Moment
    what: str
    cure: str


class Faults:
    """What is broken now. Each beginning and end is one line in the log, however often it is reported."""

    def __init__(self, now: Callable[[], Moment]) -> None:
        self._now = now
        self._faults: dict[tuple[str, str], Fault] = {}

    def begin(self, fault: str, where: str, what: str, cure: str) -> None:
        known = self._faults.get((fault, where))
        since = known.since if known else self._now()
        self._faults[fault, where] = Fault(fault, where, since, what, cure)
        if known is None:
            log.error("fault", fault=fault, where=where, what=what, cure=cure)

    def end(self, where: str, fault: str | None = None) -> None:
        """End one fault of a place, or all of them."""
        for name, place in list(self._faults):
            if place == where and fault in (None, name):
                del self._faults[name, place]
                log.info("fault over", fault=name, where=where)

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._faults.values())

    def __len__(self) -> int:
        return len(self._faults)


class LinkCounters(msgspec.Struct):
    """Of one link, since the daemon began. `rejected` counts by reason, `profiles` packets by who could read them;
    `missed` are events numbered but unheard.

    `unproven` are readings refused because their frame was replayed, or plain text of a device that has a key.
    """

    up: bool = False
    packets: int = 0
    readings: int = 0
    events: int = 0
    unknown: int = 0
    absurd: int = 0
    missed: int = 0
    unproven: int = 0
    rejected: Counter[str] = msgspec.field(default_factory=Counter)
    profiles: Counter[str] = msgspec.field(default_factory=Counter)
