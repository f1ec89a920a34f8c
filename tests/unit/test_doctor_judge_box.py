"""What is found of a box: one row for each thing that can be so."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.box import Unseen, Zone
from gateway.doctor import judge_box
from gateway.doctor.facts import Access, Confidence, Disk, Need, Socket, Time, Unit, Wear
from gateway.doctor.findings import Finding, Level, Sign, worst
from gateway.doctor.judge_box import FULL, size

NOW = datetime(2026, 11, 25, 8, 30, tzinfo=UTC)
SHOWN = "2026-11-25 08:30"
DATA = Path("/var/lib/station-gateway")
UNIT = Unit("a.service", "loaded", "enabled", "active")
DISK = Disk(DATA, "ext4", 10 << 30, 30 << 30, 500_000, counts_files=True, read_only=False, wanted=1 << 30)


def unfit(**changes: Any) -> list[Finding]:
    return list(judge_box.disk(replace(DISK, **changes)))


@pytest.mark.parametrize(
    ("fact", "signs"),
    [
        (Time(NOW, synced=True), [Sign.CLOCK_SYNCED]),
        (Time(NOW, synced=False), [Sign.CLOCK_UNSYNCED]),
        (Time(datetime(1970, 1, 1, tzinfo=UTC), synced=False), [Sign.CLOCK_IMPLAUSIBLE, Sign.CLOCK_UNSYNCED]),
        (Time(datetime(2100, 1, 1, tzinfo=UTC), synced=True), [Sign.CLOCK_IMPLAUSIBLE, Sign.CLOCK_SYNCED]),
        (Time(NOW, synced=True, newest=NOW + timedelta(minutes=59)), [Sign.CLOCK_SYNCED]),
        (Time(NOW, synced=True, newest=NOW + timedelta(minutes=61)), [Sign.CLOCK_BEHIND, Sign.CLOCK_SYNCED]),
    ],
)
def test_a_clock(fact: Time, signs: list[Sign]) -> None:
    assert [finding.sign for finding in judge_box.time(fact)] == signs


@pytest.mark.parametrize(
    ("celsius", "sign"),
    [(79.9, Sign.COOL), (80.0, Sign.HOT), (94.9, Sign.HOT), (95.0, Sign.TOO_HOT), (-3.0, Sign.COOL)],
)
def test_of_the_thermometers_the_hottest_counts(celsius: float, sign: Sign) -> None:
    zones = [Zone("cpu", celsius), Zone("disk", -10.0)]
    assert list(judge_box.temperature(zones)) == [Finding(sign, "cpu", f"{celsius:.0f}")]


def test_a_box_without_thermometers_is_not_judged() -> None:
    assert list(judge_box.temperature(())) == []


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({}, Finding(Sign.DISK_GOOD, str(DATA), "10 GiB", "30 GiB")),
        ({"free": FULL}, Finding(Sign.DISK_TIGHT, str(DATA), "8.0 MiB", "1.0 GiB")),
        ({"free": FULL - 1}, Finding(Sign.DISK_FULL, str(DATA), "8.0 MiB")),
        ({"wanted": (10 << 30) + 1}, Finding(Sign.DISK_TIGHT, str(DATA), "10 GiB", "10 GiB")),
        ({"wanted": 10 << 30}, Finding(Sign.DISK_GOOD, str(DATA), "10 GiB", "30 GiB")),
        ({"files": 99}, Finding(Sign.DISK_CROWDED, str(DATA), "99")),
        ({"files": 0, "counts_files": False}, Finding(Sign.DISK_GOOD, str(DATA), "10 GiB", "30 GiB")),
        ({"read_only": True, "free": 0}, Finding(Sign.DISK_READ_ONLY, str(DATA))),
        ({"filesystem": "tmpfs"}, Finding(Sign.DISK_VOLATILE, str(DATA), "tmpfs")),
        ({"filesystem": "overlay"}, Finding(Sign.DISK_VOLATILE, str(DATA), "overlay")),
        ({"filesystem": "vfat"}, Finding(Sign.DISK_UNFIT, str(DATA), "vfat")),
        ({"filesystem": "nfs4"}, Finding(Sign.DISK_UNFIT, str(DATA), "nfs4")),
        ({"filesystem": "btrfs"}, Finding(Sign.DISK_GOOD, str(DATA), "10 GiB", "30 GiB")),
    ],
)
def test_a_disk(changes: dict[str, Any], finding: Finding) -> None:
    assert unfit(**changes) == [finding]


def test_of_a_disk_all_that_is_wrong_is_told() -> None:
    assert [each.sign for each in unfit(filesystem="tmpfs", free=1)] == [Sign.DISK_VOLATILE, Sign.DISK_FULL]
    unseen = Unseen("/data", "Input/output error")
    assert list(judge_box.disk(unseen)) == [Finding(Sign.DISK_UNSEEN, "/data", "Input/output error")]


@pytest.mark.parametrize(
    ("life", "reserve", "found"),
    [
        (1, 1, (Sign.WEAR_LOW, "10")),
        (8, 1, (Sign.WEAR_LOW, "80")),
        (9, 1, (Sign.WEAR_HIGH, "90")),
        (3, 2, (Sign.WEAR_HIGH, "30")),
        (10, 1, (Sign.WEAR_HIGH, "100")),
        (11, 1, (Sign.WORN_OUT, "100")),
        (3, 3, (Sign.WORN_OUT, "30")),
        (None, 3, (Sign.WORN_OUT, "0")),
        (0, 0, None),
        (None, 1, None),
    ],
)
def test_the_wear_of_an_emmc(life: int | None, reserve: int | None, found: tuple[Sign, str] | None) -> None:
    wanted = [Finding(found[0], "mmcblk0", found[1])] if found else []
    assert list(judge_box.wear(Wear("mmcblk0", life, reserve))) == wanted


def test_what_is_denied_is_told_each_and_what_others_may_read() -> None:
    kinds = [(Path("/a"), Need.READ, True), (Path("/b"), Need.READ, False), (Path("/c"), Need.WRITE, False)]
    accesses = [Access(path, need, "them", allowed) for path, need, allowed in kinds]
    secrets = [Confidence(Path("/key"), 0o640), Confidence(Path("/open"), 0o604)]
    assert list(judge_box.permissions("them", accesses, secrets)) == [
        Finding(Sign.UNREADABLE, "/b", "them"),
        Finding(Sign.UNWRITABLE, "/c", "them"),
        Finding(Sign.SECRET_OPEN, "/open", "604"),
    ]
    assert list(judge_box.permissions("them", accesses[:1], ())) == [Finding(Sign.ALLOWED, found="them")]


@pytest.mark.parametrize(
    ("path", "hidden"),
    [
        ("/home/a/key", True),
        ("/root/x", True),
        ("/tmp/x", True),
        ("/homes/x", False),
        ("/etc/x", False),
        ("/dev/x", False),
    ],
)
def test_what_the_units_sandbox_hides(path: str, *, hidden: bool) -> None:
    assert list(judge_box.sandbox(UNIT, DATA, [Path(path)])) == ([Finding(Sign.HIDDEN, path)] if hidden else [])
    for elsewhere in (Unseen("a.service", ""), replace(UNIT, loaded="not-found")):
        assert list(judge_box.sandbox(elsewhere, Path("/srv"), [Path(path)])) == []


@pytest.mark.parametrize(
    ("data", "writable", "shut"),
    [
        ("/var/lib/station-gateway", (), False),
        ("/var/lib/station-gateway/deeper", (), False),
        ("/var/lib/station-gateway-2", (), True),
        ("/srv/data", (), True),
        ("/srv/data", (Path("/srv"), Path("/x")), False),
    ],
)
def test_a_data_folder_that_the_unit_may_not_write(data: str, writable: tuple[Path, ...], *, shut: bool) -> None:
    found = list(judge_box.sandbox(replace(UNIT, writable=writable), Path(data), ()))
    assert found == ([Finding(Sign.SHUT_IN, data)] if shut else [])


@pytest.mark.parametrize(
    ("loaded", "enabled", "active", "signs"),
    [
        ("loaded", "enabled", "active", [Sign.UNIT_GOOD]),
        ("loaded", "disabled", "active", [Sign.UNIT_DISABLED]),
        ("loaded", "enabled", "activating", [Sign.UNIT_STOPPED]),
        ("loaded", "disabled", "inactive", [Sign.UNIT_DISABLED, Sign.UNIT_STOPPED]),
        ("masked", "masked", "inactive", [Sign.UNIT_ABSENT]),
        ("not-found", "?", "inactive", [Sign.UNIT_ABSENT]),
    ],
)
def test_a_unit(loaded: str, enabled: str, active: str, signs: list[Sign]) -> None:
    assert [finding.sign for finding in judge_box.unit(Unit("a.service", loaded, enabled, active))] == signs


def test_a_box_without_systemd_and_a_socket_that_is_there_or_not() -> None:
    assert list(judge_box.unit(Unseen("a.service", " (why)"))) == [Finding(Sign.NO_SYSTEMD, found=" (why)")]
    for there, sign in ((True, Sign.SOCKET_GOOD), (False, Sign.SOCKET_ABSENT)):
        found = list(judge_box.socket(Socket("act.socket", Path("/run/act"), there=there)))
        assert found == [Finding(sign, "/run/act", more="act.socket")]


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (10 << 10, "10 KiB"),
        (3 << 29, "1.5 GiB"),
        (5 << 50, "5120 TiB"),
    ],
)
def test_sizes_are_said_in_few_figures(count: int, said: str) -> None:
    assert size(count) == said


def test_the_worst_is_the_exit_code() -> None:
    good, doubtful, bad = Finding(Sign.COOL), Finding(Sign.HOT), Finding(Sign.TOO_HOT)
    assert [worst([]), worst([good]), worst([doubtful, good]), worst([good, bad, doubtful])] == [
        Level.OK, Level.OK, Level.WARNING, Level.ERROR
    ]  # fmt: skip
    assert [int(level) for level in Level] == [0, 1, 2]
