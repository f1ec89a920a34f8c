"""The box as it is looked at: real file systems, and an eMMC and a systemctl as they show themselves."""

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.box import Unseen
from gateway.config import Config
from gateway.doctor import machine
from gateway.doctor.facts import Disk, Unit, Wear
from tests.support.disks import small_disk

SHOWN = """#!/bin/sh
[ "$1 $2" = "show a.service" ] || exit 1
echo LoadState=loaded; echo UnitFileState=disabled; echo ActiveState=inactive
echo ReadWritePaths=/srv/a -/srv/b
"""


def configured(data: Path, **more: object) -> Config:
    return Config.model_validate({"station": "a", "data": data, "mqtt": {"brokers": ["mqtt://b"]}} | more)


def seen(config: Config) -> Disk:
    found = machine.disk(config)
    assert isinstance(found, Disk)
    return found


def test_the_latest_of_the_daemons_files_is_known(tmp_path: Path) -> None:
    assert machine.time(tmp_path / "nowhere").newest is None
    for name, ahead in (("alert.db", 0), ("telemetry.db-wal", 7), ("notes.txt", 9)):
        (tmp_path / name).touch()
        at = (datetime.now(UTC) + timedelta(days=ahead)).timestamp()
        os.utime(tmp_path / name, (at, at))
    found = machine.time(tmp_path)
    assert found.newest is not None
    assert timedelta(days=6) < found.newest - found.now < timedelta(days=8)


def test_a_disk_is_the_one_that_the_folder_will_be_on(tmp_path: Path) -> None:
    with small_disk(tmp_path / "own disk", "16m") as at:
        for data in (at, at / "data", at / "not" / "yet"):
            found = seen(configured(data))
            assert (found.folder, found.filesystem, found.size) == (data, "tmpfs", 16 << 20)
        (at / "data").mkdir()
        before = seen(configured(at / "data"))
        (at / "data" / "telemetry.db").write_bytes(bytes(5 << 20))
        after = seen(configured(at / "data"))
        assert (before.free - after.free, before.wanted - after.wanted) == (5 << 20, 5 << 20)
        subprocess.run(["mount", "-o", "remount,ro", str(at)], check=True)
        assert seen(configured(at / "data")).read_only
    assert not seen(configured(tmp_path)).read_only


def test_what_may_yet_be_wanted_is_what_the_caps_allow(tmp_path: Path) -> None:
    small, large = (seen(configured(tmp_path, telemetry={"cap": cap})).wanted for cap in ("1MiB", "1GiB"))
    assert large - small == (1 << 30) - (1 << 20)
    influx = {"url": "http://a", "org": "o", "bucket": "b", "token": {"file": "t"}, "cap": "2GiB"}
    assert seen(configured(tmp_path, telemetry={"cap": "1MiB"}, influx=influx)).wanted - small == 2 << 30


@pytest.mark.parametrize("partition", [False, True])
@pytest.mark.parametrize(
    ("life", "reserve", "worn"),
    [
        ("0x01 0x02\n", "0x01\n", Wear("mmcblk0", 2, 1)),
        ("0x0b 0x03\n", None, Wear("mmcblk0", 11, None)),
        (None, "0x03\n", Wear("mmcblk0", None, 3)),
        (None, None, None),
    ],
)
def test_an_emmc_tells_its_wear(
    tmp_path: Path, life: str | None, reserve: str | None, worn: Wear | None, *, partition: bool
) -> None:
    """A partition stands below its disk."""
    disk = tmp_path / "devices/mmcblk0"
    (disk / "mmcblk0p1").mkdir(parents=True)
    (disk / "device").mkdir()
    for name, text in (("life_time", life), ("pre_eol_info", reserve)):
        if text is not None:
            (disk / "device" / name).write_text(text)
    device = tmp_path.stat().st_dev
    link = tmp_path / f"dev/block/{os.major(device)}:{os.minor(device)}"
    link.parent.mkdir(parents=True)
    link.symlink_to(disk / "mmcblk0p1" if partition else disk)
    assert machine.wear(tmp_path / "not" / "yet", tmp_path) == worn


def test_a_disk_that_does_not_tell_has_no_wear(tmp_path: Path) -> None:
    assert machine.wear(tmp_path, tmp_path / "sys") is None


def test_a_unit_is_asked_of_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "SYSTEMD", tmp_path / "none")
    assert machine.unit("a.service") == Unseen("a.service", "")
    monkeypatch.setattr(machine, "SYSTEMD", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    program = tmp_path / "systemctl"
    program.write_text(SHOWN)
    program.chmod(0o755)
    assert machine.unit("a.service") == Unit(
        "a.service", "loaded", "disabled", "inactive", (Path("/srv/a"), Path("/srv/b"))
    )
    found = machine.unit("b.service")
    assert isinstance(found, Unseen)
    assert "exit status 1" in found.why
