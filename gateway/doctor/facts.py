"""What `doctor` looks at, as it found it. Words only: edges fill them in, judgements read them."""

from datetime import datetime
from enum import Enum
from pathlib import Path

import msgspec

from gateway.box import Certificate


class Time(msgspec.Struct, frozen=True):
    now: datetime
    synced: bool
    newest: datetime | None = None
    """When the latest of the daemon's files was written."""


class Disk(msgspec.Struct, frozen=True):
    """Where the data folder is, or will be. `wanted` is what the daemon may yet fill of `free`; all in bytes."""

    folder: Path
    filesystem: str
    free: int
    size: int
    files: int
    """How many more files it takes; a file system that does not count them says 0 of 0."""
    counts_files: bool
    read_only: bool
    wanted: int


class Wear(msgspec.Struct, frozen=True):
    """What an eMMC says of itself. `life` is tenths used, 11 more than all; `reserve` 1 normal, 2 low, 3 urgent."""

    device: str
    life: int | None
    reserve: int | None


class Need(Enum):
    READ = "r"
    WRITE = "w"


class Access(msgspec.Struct, frozen=True):
    """Whether `user` may do with `path` what the daemon will."""

    path: Path
    need: Need
    user: str
    allowed: bool


class Confidence(msgspec.Struct, frozen=True):
    """A file that holds a secret, and who else may read it, as the mode's last three digits."""

    path: Path
    mode: int


class Unit(msgspec.Struct, frozen=True):
    """A unit in systemd's own words: loaded or not-found, enabled or disabled, active or failed.

    `writable` are folders beyond its own that it may write.
    """

    name: str
    loaded: str
    enabled: str
    active: str
    writable: tuple[Path, ...] = ()


class Socket(msgspec.Struct, frozen=True):
    """Where a unit of ours is asked; `there` says whether the socket is."""

    unit: str
    path: Path
    there: bool


class Port(msgspec.Struct, frozen=True):
    """A receiver's port. `holders` are other programs that have it open; `trouble` is why it could not be opened."""

    link: str
    port: str
    there: bool
    terminal: bool = True
    holders: tuple[str, ...] = ()
    trouble: str | None = None


class Blocked(Enum):
    NO = "no"
    SOFT = "soft"
    HARD = "hard"


class Adapter(msgspec.Struct, frozen=True):
    name: str
    address: str
    powered: bool
    scanning: bool
    blocked: Blocked
    bluetoothd: str | None = None
    """The version of whoever answers for it."""


class Trouble(msgspec.Struct, frozen=True):
    """Why a broker or an adapter cannot be had: the fault's name as the daemon has it, in words, and its cure."""

    fault: str
    what: str
    cure: str


class Welcome(msgspec.Struct, frozen=True):
    """A broker that let us in; it shows a certificate where it speaks TLS."""

    endpoint: str
    certificate: Certificate | None = None
