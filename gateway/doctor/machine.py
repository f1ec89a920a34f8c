"""Looks at the box: its clock, its disk, the units of ours. Blocking."""

import os
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from gateway.box import Unseen
from gateway.clock import kernel_synchronised
from gateway.config import Config
from gateway.doctor.facts import Disk, Time, Unit, Wear
from gateway.journal import HALF
from gateway.recorder import ROOM
from gateway.sensors import SYS

MOUNTS = Path("/proc/self/mountinfo")
SYSTEMD = Path("/run/systemd/system")
"""There where systemd is what began all else."""
SYSTEMCTL_S = 10.0
ALERTS = 32 << 20
"""What alerts, the ballast and small files may come to."""


def time(data: Path) -> Time:
    written = [datetime.fromtimestamp(seconds, UTC) for seconds in _written(data)]
    return Time(datetime.now(UTC), kernel_synchronised(), max(written, default=None))


def files(data: Path) -> list[Path]:
    """Of the lanes; none where the folder cannot be seen."""
    try:
        return sorted(data.glob("*.db*"))
    except OSError:
        return []


def _written(data: Path) -> Iterator[float]:
    for file in files(data):
        try:
            yield file.stat().st_mtime
        except OSError:  # gone meanwhile, or not ours to see
            continue


def disk(config: Config) -> Disk | Unseen:
    """Of the data folder, or of the nearest one above it that is there already."""
    try:
        folder = nearest(config.data)
        found, filesystem = os.statvfs(folder), _filesystem(folder)
    except OSError as error:
        return Unseen(str(config.data), error.strerror or str(error))
    return Disk(
        config.data,
        filesystem,
        found.f_bavail * found.f_frsize,
        found.f_blocks * found.f_frsize,
        found.f_favail,
        found.f_files > 0,
        bool(found.f_flag & os.ST_RDONLY),
        max(0, _caps(config) - _taken(config.data)),
    )


def nearest(folder: Path) -> Path:
    """It, or what is there already above it. OSError where that cannot be seen."""
    return next(each for each in (folder, *folder.parents) if each.is_dir())


def _caps(config: Config) -> int:
    """What the daemon may take at most."""
    influx = config.influx.cap if config.influx is not None else 0
    return config.telemetry.cap + influx + sum(ROOM.values()) + 2 * HALF + ALERTS


def _taken(data: Path) -> int:
    taken = 0
    for folder, _, names in os.walk(data):
        for name in names:
            try:
                taken += (Path(folder) / name).stat().st_size
            except OSError:  # gone meanwhile
                continue
    return taken


def _filesystem(folder: Path) -> str:
    """Its type: that of the nearest mount above it, and of several there the one that was made last."""
    nearest, found = Path("/"), "?"
    for line in MOUNTS.read_text("utf-8").splitlines():
        mount, _, source = line.partition(" - ")
        at = Path(mount.split()[4].encode().decode("unicode_escape"))
        if folder.resolve().is_relative_to(at) and at.is_relative_to(nearest):
            nearest, found = at, source.split()[0]
    return found


def wear(data: Path, sys: Path = SYS) -> Wear | None:
    """Of the eMMC that the data folder is on; other disks need tools to be asked."""
    try:
        device = nearest(data).stat().st_dev
    except OSError:  # told of the disk itself
        return None
    block = (sys / "dev/block" / f"{os.major(device)}:{os.minor(device)}").resolve()
    for part in (block, block.parent):  # a partition's disk is the folder above it
        life, reserve = _numbers(part / "device/life_time"), _numbers(part / "device/pre_eol_info")
        if life or reserve:
            return Wear(part.name, max(life, default=None), max(reserve, default=None))
    return None


def _numbers(file: Path) -> list[int]:
    """An eMMC writes 0x01, or two of them."""
    try:
        return [int(word, 16) for word in re.findall(r"0x[0-9a-fA-F]+", file.read_text("ascii"))]
    except OSError:
        return []


def unit(name: str) -> Unit | Unseen:
    """As systemd knows it."""
    if not SYSTEMD.is_dir():
        return Unseen(name, "")
    wanted = ["LoadState", "UnitFileState", "ActiveState", "ReadWritePaths"]
    asked = ["systemctl", "show", name, *(f"--property={each}" for each in wanted)]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, timeout=SYSTEMCTL_S, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as error:
        return Unseen(name, f" ({error})")
    said = dict(line.split("=", 1) for line in told.stdout.splitlines() if "=" in line)
    loaded, enabled, active = (said.get(each, "") or "?" for each in wanted[:3])
    writable = (Path(each.lstrip("-+")) for each in said.get("ReadWritePaths", "").split())
    return Unit(name, loaded, enabled, active, tuple(writable))
