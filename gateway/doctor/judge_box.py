"""Judgements on the box: clock, temperature, disk, permissions, units. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.box import HOT, Unseen, Zone
from gateway.doctor.facts import Access, Confidence, Disk, Need, Socket, Time, Unit, Wear
from gateway.doctor.findings import Finding, Sign

FIRST = datetime(2026, 11, 1, tzinfo=UTC)
"""No clock that is right shows an earlier time: this program was not there yet."""
LAST = datetime(2100, 1, 1, tzinfo=UTC)
AHEAD = timedelta(hours=1)
"""So far a file may be ahead of the clock: a box that boots begins a little before it was switched off."""
TOO_HOT = 95.0
"""Degrees Celsius, near which boxes switch off."""
FULL = 8 << 20
"""Bytes: twice what the daemon keeps for alerts alone."""
FEW_FILES = 100
WORN, WORN_OUT = 8, 10
"""Tenths of an eMMC's life: the last fifth is a warning, beyond the whole an error."""
SCARCE, URGENT = 2, 3
VOLATILE = frozenset({"tmpfs", "ramfs", "overlay"})
UNFIT = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "vfat", "exfat", "ntfs", "ntfs3", "fuseblk"})
"""Over a network SQLite's locks and log do not hold; and what cameras use survives no power cut."""
STATE = Path("/var/lib/station-gateway")
"""The unit's StateDirectory=; all else is read-only for it."""
UNSEEN_BY_UNIT = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108 - named, not used
"""What ProtectHome= and PrivateTmp= hide from the daemon."""
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def time(fact: Time) -> Iterator[Finding]:
    now = f"{fact.now:%Y-%m-%d %H:%M}"
    if not FIRST <= fact.now < LAST:
        yield Finding(Sign.CLOCK_IMPLAUSIBLE, found=now)
    elif fact.newest is not None and fact.newest > fact.now + AHEAD:
        yield Finding(Sign.CLOCK_BEHIND, found=now, more=f"{fact.newest:%Y-%m-%d %H:%M}")
    yield Finding(Sign.CLOCK_SYNCED if fact.synced else Sign.CLOCK_UNSYNCED, found=now)


def temperature(zones: Sequence[Zone]) -> Iterator[Finding]:
    """Nothing where the box has no thermometer."""
    if zones:
        hottest = max(zones, key=lambda zone: zone.celsius)
        warm = Sign.TOO_HOT if hottest.celsius >= TOO_HOT else Sign.HOT
        sign = warm if hottest.celsius >= HOT else Sign.COOL
        yield Finding(sign, hottest.name, f"{hottest.celsius:.0f}")


def disk(fact: Disk | Unseen) -> Iterator[Finding]:
    """All that is wrong with it, or that nothing is."""
    if isinstance(fact, Unseen):
        yield Finding(Sign.DISK_UNSEEN, fact.where, fact.why)
        return
    amiss = list(_amiss(fact))
    yield from amiss or [Finding(Sign.DISK_GOOD, str(fact.folder), size(fact.free), size(fact.size))]


def _amiss(fact: Disk) -> Iterator[Finding]:
    folder, free = str(fact.folder), size(fact.free)
    if fact.filesystem in VOLATILE:
        yield Finding(Sign.DISK_VOLATILE, folder, fact.filesystem)
    if fact.filesystem in UNFIT:
        yield Finding(Sign.DISK_UNFIT, folder, fact.filesystem)
    if fact.read_only:
        yield Finding(Sign.DISK_READ_ONLY, folder)
    elif fact.free < FULL:
        yield Finding(Sign.DISK_FULL, folder, free)
    elif fact.counts_files and fact.files < FEW_FILES:
        yield Finding(Sign.DISK_CROWDED, folder, str(fact.files))
    elif fact.free < fact.wanted:
        yield Finding(Sign.DISK_TIGHT, folder, free, size(fact.wanted))


def wear(fact: Wear) -> Iterator[Finding]:
    life, reserve = fact.life or 0, fact.reserve or 0
    used = f"{min(life, WORN_OUT) * 10}"
    if life > WORN_OUT or reserve >= URGENT:
        yield Finding(Sign.WORN_OUT, fact.device, used)
    elif life > WORN or reserve >= SCARCE:
        yield Finding(Sign.WEAR_HIGH, fact.device, used)
    elif life:
        yield Finding(Sign.WEAR_LOW, fact.device, used)


def permissions(user: str, accesses: Iterable[Access], secrets: Iterable[Confidence]) -> Iterator[Finding]:
    denied = [access for access in accesses if not access.allowed]
    for access in denied:
        sign = Sign.UNREADABLE if access.need is Need.READ else Sign.UNWRITABLE
        yield Finding(sign, str(access.path), access.user)
    for secret in secrets:
        if secret.mode & 0o007:
            yield Finding(Sign.SECRET_OPEN, str(secret.path), f"{secret.mode:03o}")
    if not denied:
        yield Finding(Sign.ALLOWED, found=user)


def sandbox(fact: Unit | Unseen, data: Path, read: Iterable[Path]) -> Iterator[Finding]:
    """Of what the daemon wants: what its unit does not let it see, and a data folder that it does not let it write."""
    if isinstance(fact, Unseen) or fact.loaded != "loaded":
        return
    for path in (data, *read):
        if any(path.is_relative_to(hidden) for hidden in UNSEEN_BY_UNIT):
            yield Finding(Sign.HIDDEN, str(path))
    if not any(data.is_relative_to(own) for own in (STATE, *fact.writable)):
        yield Finding(Sign.SHUT_IN, str(data))


def unit(fact: Unit | Unseen) -> Iterator[Finding]:
    if isinstance(fact, Unseen):
        yield Finding(Sign.NO_SYSTEMD, found=fact.why)
        return
    if fact.loaded != "loaded":
        yield Finding(Sign.UNIT_ABSENT, fact.name, fact.loaded)
        return
    if fact.enabled != "enabled":
        yield Finding(Sign.UNIT_DISABLED, fact.name, fact.enabled)
    if fact.active != "active":
        yield Finding(Sign.UNIT_STOPPED, fact.name, fact.active)
    if (fact.enabled, fact.active) == ("enabled", "active"):
        yield Finding(Sign.UNIT_GOOD, fact.name)


def socket(fact: Socket) -> Iterator[Finding]:
    sign = Sign.SOCKET_GOOD if fact.there else Sign.SOCKET_ABSENT
    yield Finding(sign, str(fact.path), more=fact.unit)


def size(count: int) -> str:
    """Bytes as people read them."""
    amount, unit_ = float(count), _UNITS[0]
    for unit_ in _UNITS:
        if amount < 1024 or unit_ == _UNITS[-1]:
            break
        amount /= 1024
    return f"{amount:.0f} {unit_}" if amount >= 10 or unit_ == "B" else f"{amount:.1f} {unit_}"
