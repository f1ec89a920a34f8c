"""Promises 1 and 2 where the plug is pulled: what was seen outside the machine as committed is delivered after it.

`python -m tests.faults power-cuts` is the long form, which sets POWER_CUTS and POWER_SEED.
"""

import json
import os
import random
import shutil
import socket
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from gateway.store import Store
from tests.e2e.bare import Bare
from tests.e2e.pair import DATA, FULL, NORMAL, Life, shared, site_disk
from tests.e2e.writelog import replayed
from tests.support.air import Air, over_serial
from tests.support.cloud import Cloud
from tests.support.mosquitto import Mosquitto
from tests.support.processes import free_port
from tests.support.toll import Toll, doubled

CUTS = int(os.environ.get("POWER_CUTS", "2"))
SEED = int(os.environ.get("POWER_SEED", "20261125"))
PRESSES = 5
"""Between a start and a cut."""
SOON_S = 120.0
ALERT = b'"gateway.alert.v1"'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return site_disk(tmp_path_factory.mktemp("site"))


def on_the_air(box: Bare, wearables: int) -> Air:
    """Both stations hear the same, as long as there is somebody to hear it."""

    def first(octets: bytes) -> None:
        box.receiver.send(octets, socket.MSG_DONTWAIT)

    def second(octets: bytes) -> None:
        box.second.send(octets, socket.MSG_DONTWAIT)

    return Air(wearables, over_serial(first), over_serial(second), pace=0.5)


def drained(cloud: Cloud, since: float) -> bool:
    """Whether the station has said since then that nothing waits."""
    found = [seen.body for seen in cloud.messages("health") if seen.at > since]
    return bool(found) and all(lane["pending"] == 0 for lane in found[-1]["lanes"].values())


def stored(disk: Path, folder: Path, name: str) -> set[bytes]:
    """A station's rows on a disk that the power was cut from: the file system is mended first, as a boot does it."""
    copy = shutil.copy(disk, folder / "disk.img")
    mended = subprocess.run(["e2fsck", "-y", "-E", "journal_only", copy], capture_output=True, text=True, check=False)
    assert mended.returncode in (0, 1), mended.stdout
    shutil.rmtree(folder / name, ignore_errors=True)
    subprocess.run(["debugfs", "-R", f"rdump /{name} {folder}", copy], capture_output=True, check=True)
    rows: set[bytes] = set()
    for lane in ("alert", "telemetry"):
        store = Store(folder / name / f"{lane}.db", "anew")
        rows.update(row.payload for row in store.read(0, 1_000_000))
        store.close()
    return rows


def live(box: Bare, before: list[Life], air: Air, presses: list[int], chance: random.Random) -> Life:
    """From a start to a cut that comes among the presses, or a moment after them."""
    life = Life(box)
    life.wait_for_news(before)
    for number in presses:
        air.press(number)
        time.sleep(chance.uniform(0.0, 1.0))
    life.end()
    return life


def followed(lives: list[Life], cloud: Cloud, name: str) -> tuple[set[bytes], list[bytes]]:
    """The rows that were seen as committed, and those of them that did not arrive so: a number that came with another
    text is not this row."""
    arrived = {seen.body["id"]: seen.body for seen in cloud.messages("") if "specversion" in seen.body}
    known: set[bytes] = set()
    missing: list[bytes] = []
    cuts = 0
    for life in lives:
        rows = {row for station, row in life.told if station == name} - known
        known |= rows
        gone = [row for row in rows if arrived.get((body := json.loads(row))["id"]) != body]
        missing += gone
        cuts += bool(gone)
    seen, gone = (sum(ALERT in row for row in rows) for rows in (known, missing))
    print(f"  {name}: {len(known)} rows seen ({seen} alerts), {len(missing)} lost ({gone} alerts) by {cuts} cuts")
    return known, missing


def test_what_was_committed_is_delivered_after_the_cut_and_a_careless_station_loses_some(image, site, tmp_path):
    chance = random.Random(SEED)
    waiting = list(range(1, CUTS * PRESSES + 1))
    devices = {f"band-{number:04}" for number in waiting}
    lives: list[Life] = []
    broker = Mosquitto(tmp_path)
    share = shared(tmp_path / "share", broker.port, len(waiting))
    with (
        broker,
        Cloud(broker, FULL, accept=True, name=FULL) as full,
        Cloud(broker, NORMAL, accept=True, name=NORMAL) as normal,
        closing(Bare(image, share, [site])) as box,
    ):
        box.boot()
        with on_the_air(box, len(waiting)) as air:
            for cut in range(CUTS):
                if away := cut % 2 == 0:
                    broker.stop()
                lives.append(live(box, lives, air, [waiting.pop() for _ in range(PRESSES)], chance))
                print(f"cut {cut + 1} with the broker {'away' if away else 'there'}", flush=True)
                if away:
                    broker.start()
                box.boot()
            last = Life(box)
            full.wait(lambda c: {alert["device"] for alert in c.alerts(kind="sos")} == devices, SOON_S, "every press")
        silent = time.monotonic()
        for cloud in (full, normal):
            cloud.wait(lambda c: drained(c, silent + 1), SOON_S, "all that waits")
        last.end()
    committed, missing = followed(lives, full, FULL)
    toll = Toll(
        cases=CUTS,
        sent=len(devices),
        arrived=len(devices & {alert["device"] for alert in full.alerts(kind="sos")}),
        doubled=doubled(full.alerts(kind="sos")),
        messages=len(committed),
        lost=len(missing),
        repeated=full.doubled,
        gaps=len(full.gaps()),
        due=CUTS,
        breaches=len(full.breaches),
    )
    print(f"{toll}; seed {SEED}")
    assert toll.whole
    assert followed(lives, normal, NORMAL)[1] != []
    assert {gap["cause"] for gap in full.gaps()} == {"crash"}


def test_what_was_committed_is_on_a_disk_that_has_nothing_of_what_was_never_flushed(image, site, tmp_path):
    data, log, replay = tmp_path / "data.img", tmp_path / "log.img", tmp_path / "replay.img"
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-E", "lazy_itable_init=0", data, "64M"], check=True)
    shutil.copy(data, replay)
    log.touch()
    os.truncate(log, 1 << 30)
    share = shared(tmp_path / "share", free_port(), PRESSES)
    with closing(Bare(image, share, [site, data, log])) as box:
        box.boot()
        table = "0 $(blockdev --getsz /dev/vdc) log-writes /dev/vdc /dev/vdd"
        box.run(f'modprobe dm_log_writes && dmsetup create logged --noudevsync --table "{table}"')
        box.run(f"mkdir -p {DATA} && mount /dev/dm-0 {DATA}")
        life = Life(box, mark="logged")
        with on_the_air(box, PRESSES) as air:
            life.wait_for_news()
            for number in range(1, PRESSES + 1):
                air.press(number)
                time.sleep(1.0)
        life.kill()
        box.run(f"umount {DATA} && dmsetup remove --noudevsync logged")
        life.end()
    cuts = alerts = careless = 0
    for mark in replayed(log, replay):
        if not mark.isdecimal():
            break  # the kernel's own, at the log's end
        due = {row: name for (name, row), seen in life.told.items() if seen <= int(mark)}
        gone = due.keys() - stored(replay, tmp_path, FULL) - stored(replay, tmp_path, NORMAL)
        assert FULL not in {due[row] for row in gone}, f"at mark {mark} of {len(due)} rows"
        cuts += 1
        careless += bool(gone)
        alerts = sum(ALERT in row for row, name in due.items() if name == FULL)
    print(f"{len(life.told)} rows, cut at {cuts} places in the log: {alerts} alerts kept; normal loses at {careless}")
    assert alerts
    assert careless
