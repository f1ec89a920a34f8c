"""A wearable that may be connected: as it was last heard, and what waits to be written to it."""

import asyncio
from collections import deque

from bleak.backends.device import BLEDevice

from drivers.base import Address, LinkDown, Write
from drivers.profile.connect import Connect

NOTHING = Connect(None, (), (), None, alerts=True)
"""The plan of a wearable that is only written to."""

Wish = tuple[Write, "asyncio.Future[None]"]
"""What is to be written, and whom to tell what became of it."""


class Wearable:
    """`plan` is what its profiles ask for."""

    def __init__(self, address: Address, device: BLEDevice, plan: Connect) -> None:
        self.address, self.device, self.plan = address, device, plan
        self.heard_ms = 0
        self.wake = asyncio.Event()
        """Something is to be written, the slot is wanted by another, or the connection is gone."""
        self.leaving = False
        self.gone = False
        self._wishes: deque[Wish] = deque()

    def lost(self) -> None:
        self.gone = True
        self.wake.set()

    def wish(self, write: Write) -> "asyncio.Future[None]":
        """Have it written as soon as it is connected; the future ends with that, or with LinkDown."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._wishes = deque(each for each in self._wishes if not _given_up(each))
        self._wishes.append((write, done))
        self.wake.set()
        return done

    @property
    def wanted(self) -> bool:
        """Whether something is to be written."""
        return any(not _given_up(wish) for wish in self._wishes)

    def next(self) -> Wish | None:
        """What is to be written first, and is still wanted."""
        while self._wishes:
            wish = self._wishes.popleft()
            if not _given_up(wish):
                return wish
        return None

    def fail(self, why: str) -> None:
        """Nothing that waits will be written."""
        while wish := self.next():
            wish[1].set_exception(unwritten(why))


def unwritten(what: str) -> LinkDown:
    return LinkDown("ble_write", what, "see whether the wearable is in reach and charged")


def _given_up(wish: Wish) -> bool:
    """Whoever asked for it waits no longer."""
    return wish[1].done()
