"""What the tries ask of a gateway, whoever wrote it."""

import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

from tests.bench.peers.heard import Heard, Reading

PROBES = 60_001
"""Numbers from here on are no reading of the street."""
PROBE_S, PASSING_S = 0.5, 90.0


def device(number: int) -> str:
    return f"band-{number:04}"


class Side(AbstractContextManager["Side"], ABC):
    """A gateway as a process, with its way in and its far end. `keep` is where it keeps what is not delivered."""

    name: str
    version: str
    heard: Heard
    keep: Path
    probes = PROBES

    @abstractmethod
    def __enter__(self) -> Self: ...

    @abstractmethod
    def say(self, readings: Sequence[Reading]) -> None:
        """Each as a packet of its own, as fast as they are taken."""

    @abstractmethod
    def press(self, number: int) -> None:
        """The first SOS of that wearable, said once."""

    @abstractmethod
    def readings(self) -> Counter[Reading]:
        """How often each came out."""

    @abstractmethod
    def presses(self) -> dict[str, int]:
        """When the SOS of each wearable came out first, in wall nanoseconds."""

    @abstractmethod
    def stored(self) -> int:
        """Readings on the disk, where each is a row of its own."""

    @abstractmethod
    def told(self) -> str:
        """What it said to the far end of what will never come."""

    @abstractmethod
    def pid(self) -> int: ...

    @abstractmethod
    def kill(self) -> None:
        """SIGKILL."""

    @abstractmethod
    def start(self) -> None:
        """Begin again after a kill."""

    def greet(self, devices: int) -> None:
        """Every wearable once: a gateway may have to make each known to its server first."""
        self.passing()
        self.say([Reading(device(number), 0) for number in range(1, devices + 1)])
        self.heard.quiet(3, 60)

    def passing(self) -> None:
        """Until a reading that is said from now on comes out."""
        first, deadline = self.probes, time.monotonic() + PASSING_S
        while not any(each.steps >= first for each in self.readings()):
            assert time.monotonic() < deadline, f"{self.name} passes nothing on"
            self.say([Reading(device(1), self.probes)])
            self.probes += 1
            time.sleep(PROBE_S)
