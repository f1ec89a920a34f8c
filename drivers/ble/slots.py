"""Who is connected next, and who gives way. Pure: wishes and the boot clock go in, addresses come out.

An adapter holds only a few connections. Writes go first, then wearables with alert functions, then whoever has
waited longest. While somebody waits, nobody stays for longer than a lease.
"""

from collections.abc import Collection, Iterator

import msgspec

from drivers.base import Address

REACH_MS = 10_000
"""A wearable silent for longer is not worth trying."""
LEASE_MS, SHORT_LEASE_MS = 60_000, 10_000
"""How long a connection is kept while another wearable waits; the short one yields to alert functions."""
RETRY_MS, RETRY_MOST_MS = 5_000, 300_000


class _Wearable(msgspec.Struct):
    alerts: bool
    heard_ms: int
    due_ms: int
    urgent: bool = False
    failures: int = 0
    since_ms: int | None = None
    """When its connection was begun; None while there is none."""


class Slots:
    """Of one adapter. Holds whoever asked for a connection: bounded by who is allowed to ask."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._wearables: dict[Address, _Wearable] = {}

    @property
    def used(self) -> int:
        return sum(each.since_ms is not None for each in self._wearables.values())

    def waiting(self, now_ms: int) -> int:
        """How many ask for a connection, are in reach, and have none."""
        return sum(1 for _ in self._asking(now_ms))

    def heard(self, address: Address, now_ms: int, *, alerts: bool) -> None:
        """A wearable whose profile asks for a connection is in reach."""
        known = self._wearables.get(address)
        if known is None:
            self._wearables[address] = _Wearable(alerts, now_ms, now_ms)
        else:
            known.heard_ms, known.alerts = now_ms, alerts

    def urge(self, address: Address, now_ms: int) -> None:
        """Something is to be written to it: it goes first, whatever failed before and however long it was silent."""
        known = self._wearables.setdefault(address, _Wearable(alerts=True, heard_ms=now_ms, due_ms=now_ms))
        known.urgent, known.heard_ms, known.due_ms = True, now_ms, min(known.due_ms, now_ms)

    def next(self, now_ms: int, elsewhere: Collection[Address] = ()) -> Address | None:
        """Who is to be connected now; None where nobody waits or no slot is free.

        `elsewhere`: those that another adapter has; nobody waits behind them.
        """
        if self.used >= self.budget:
            return None
        return self._first(now_ms, elsewhere)

    def giving_way(self, now_ms: int, elsewhere: Collection[Address] = ()) -> Address | None:
        """Who must leave for one that waits, all slots being taken."""
        if self.used < self.budget or (first := self._first(now_ms, elsewhere)) is None:
            return None
        waiting = self._wearables[first]
        held = [(address, each) for address, each in self._connected() if not each.urgent]
        for address, each in sorted(held, key=lambda entry: (entry[1].alerts, entry[1].since_ms)):
            if now_ms - (each.since_ms or 0) >= _lease(waiting, each):
                return address
        return None

    def hurried(self, address: Address, now_ms: int, elsewhere: Collection[Address] = ()) -> bool:
        """Whether something is to be written to one that waits, and nothing to this one."""
        first = self._first(now_ms, elsewhere)
        return first is not None and self._wearables[first].urgent and not self._wearables[address].urgent

    def begun(self, address: Address, now_ms: int) -> None:
        self._wearables[address].since_ms = now_ms

    def ended(self, address: Address, due_ms: int) -> None:
        """Its connection came to its proper end; it wants another one from `due_ms` on."""
        known = self._wearables[address]
        known.since_ms, known.failures, known.urgent, known.due_ms = None, 0, False, due_ms

    def failed(self, address: Address, now_ms: int) -> None:
        """It could not be connected, or was lost: it is tried again later and later."""
        known = self._wearables[address]
        known.since_ms, known.urgent = None, False
        known.due_ms = now_ms + min(RETRY_MS << min(known.failures, 10), RETRY_MOST_MS)
        known.failures += 1

    def served(self, address: Address) -> None:
        """What was urgent has been done."""
        self._wearables[address].urgent = False

    def forget(self, address: Address) -> None:
        """It wants no further connection."""
        self._wearables.pop(address, None)

    def _first(self, now_ms: int, elsewhere: Collection[Address]) -> Address | None:
        ranks = (
            (not each.urgent, not each.alerts, each.due_ms, address)
            for address, each in self._asking(now_ms)
            if address not in elsewhere
        )
        first = min(ranks, default=None)
        return first[-1] if first else None

    def _asking(self, now_ms: int) -> Iterator[tuple[Address, _Wearable]]:
        return (
            (address, each)
            for address, each in self._wearables.items()
            if each.since_ms is None and each.due_ms <= now_ms and now_ms - each.heard_ms <= REACH_MS
        )

    def _connected(self) -> Iterator[tuple[Address, _Wearable]]:
        return ((address, each) for address, each in self._wearables.items() if each.since_ms is not None)


def _lease(waiting: _Wearable, held: _Wearable) -> int:
    if waiting.urgent:
        return 0
    return SHORT_LEASE_MS if waiting.alerts and not held.alerts else LEASE_MS
