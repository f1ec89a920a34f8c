"""What lies before the desk, in the order in which it came, and what gives way where it becomes too much. Pure."""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from enum import IntEnum

import msgspec

from gateway.alerts import Refusal
from gateway.inputs import Accept, Clear, Input, Pressed
from gateway.model import CONDITIONS, Alert
from gateway.normalise import Remember

MOST = 20_000
"""Works before the desk: what all wearables of a town press at once, while the disk takes nothing."""


class Ruled(msgspec.Struct, frozen=True):
    """A desk's acknowledgement, and who wants to hear what became of it. `heard` is called after the commit."""

    given: Accept | Clear
    heard: Callable[[Alert | Refusal], None]


class Asked(msgspec.Struct, frozen=True):
    """A question for the open alerts, answered in turn with everything else; `over`: for those of the last week too."""

    heard: Callable[[list[Alert]], None]
    over: bool = False


class Then(msgspec.Struct, frozen=True):
    """What is to be done once all that was put before it is on the disk."""

    do: Callable[[], None]


Work = Input | Remember | Ruled | Asked | Then


class Worth(IntEnum):
    """What gives way first: the lesser before the greater, and of one kind the oldest."""

    BESIDE = 0
    """Neither a press nor a fall: a copy, a condition, an end, what is only to be remembered."""
    STRANGER = 1
    """A press or a fall of a device that is not in the roster."""
    WEARER = 2
    """A press or a fall of one of ours, and what is wrong with the station itself."""
    OWED = 3
    """Somebody waits for the answer, people or a device: whoever takes these in keeps them few, and counts on each."""


class Tray:
    """At most `most` works. `dropped` counts what gave way, by what it was."""

    def __init__(self, most: int = MOST) -> None:
        self.dropped: Counter[Worth] = Counter()
        self._most = most
        self._lying: dict[Worth, deque[tuple[int, Work]]] = {worth: deque() for worth in Worth}
        self._first = self._next = 0

    def __len__(self) -> int:
        return sum(map(len, self._lying.values()))

    def put(self, work: Work) -> None:
        self._lying[worth(work)].append((self._next, work))
        self._next += 1
        if len(self) > self._most:
            lesser = next(each for each in Worth if self._lying[each])
            self._lying[lesser].popleft()
            self.dropped[lesser] += 1

    def take(self, count: int) -> list[Work]:
        """The next ones, oldest first."""
        return [self._oldest() for _ in range(min(count, len(self)))]

    def put_back(self, works: Iterable[Work]) -> None:
        """What was taken last lies before everything else again."""
        for work in reversed(list(works)):
            self._first -= 1
            self._lying[worth(work)].appendleft((self._first, work))

    def _oldest(self) -> Work:
        lying = min((each for each in self._lying.values() if each), key=lambda each: each[0][0])
        return lying.popleft()[1]


def worth(work: Work) -> Worth:
    match work:
        case Ruled() | Asked() | Then():
            return Worth.OWED
        case Pressed(wearable=who, key=key):
            if who is None:
                return Worth.WEARER
            if key.kind in CONDITIONS:
                return Worth.BESIDE
            return Worth.WEARER if who.registered else Worth.STRANGER
        case _:
            return Worth.BESIDE
