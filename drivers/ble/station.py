"""What the radios of a station share, what they are given, and what they say of themselves."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from drivers.base import Address, Faults, Instant, PacketKind, ScanMode
from drivers.ble.adverts import REPEAT_MS, Advert
from drivers.ble.bluez import Bluez, bluez
from drivers.ble.call import call
from drivers.ble.hearing import Hearing
from drivers.ble.reset import Answer, Step, ask
from drivers.ble.scan import Advertised, Patterns, scanning
from drivers.ble.visits import Dial, Visits
from drivers.profile.connect import Connect


class State(StrEnum):
    DOWN = "down"
    LISTENING = "listening"
    """It scans, and has not heard anything yet."""
    HEARS = "hears"
    QUIET = "quiet"
    """Nothing is heard and nothing says that it should be."""


class Standing(msgspec.Struct, frozen=True):
    """How a radio is, for health. `mode` is how it scans now; `rungs` counts what was done to heal it."""

    adapter: str | None
    address: Address | None
    state: State
    mode: ScanMode | None
    silence_s: int
    gap_s: float
    repeated: int
    connected: int
    waiting: int
    rungs: dict[str, int]


@dataclass(frozen=True)
class Station:
    """What the radios of one station share, and what they are told of its wearables."""

    knows: Callable[[PacketKind, int | str, bytes], bool]
    connect: Callable[[Advert], Connect | None]
    """What connection the profiles of a device ask for, by its advert."""
    patterns: Patterns
    registered: Callable[[Address], bool]
    clock: Callable[[], Instant]
    faults: Faults
    repeat_ms: int = REPEAT_MS
    """How often an advert that says nothing new is passed on."""
    radios: dict[str, Hearing] = field(default_factory=dict)
    """What each link hears: they bear witness for each other."""
    claims: dict[Address, Visits] = field(default_factory=dict)


@dataclass(frozen=True)
class World:
    """Everything outside that a radio touches."""

    bluez: Callable[[str], AbstractAsyncContextManager[Bluez]] = bluez
    scan: Callable[[str, ScanMode, Patterns, Advertised], AbstractAsyncContextManager[None]] = scanning
    reset: Callable[[Step, str | None], Awaitable[Answer]] = ask
    dial: Dial = call


class Options(msgspec.Struct, frozen=True):
    """What the configuration says of one adapter: its name (hci0) or address, and how it is used."""

    adapter: str
    scan: ScanMode = ScanMode.AUTO
    slots: int = 5
    beacons: tuple[str, ...] = ()
    """Addresses, as BlueZ writes them, of devices that are always there."""


REAL = World()
