"""Promises 1 and 5: on a disk that is full or read-only alerts go out, it is said, and it heals by itself."""

import json
import os
import random
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from gateway.cli.street import Code, Kind, serial_frame
from gateway.model import Sample, Values, Wearable
from gateway.store import Store
from tests.bench.street import bands, frames
from tests.scenarios.test_no_silent_loss import accounted_for, lane_of, stand
from tests.support.air import band
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon, faults
from tests.support.disks import mount, small_disk
from tests.support.inside import StillClock, make_wire
from tests.support.moments import WALL_MS, moment
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for
from tests.support.receiver import Receiver


def fill(disk: Path) -> None:
    """Others take all there is."""
    with (disk / "others").open("ab") as others, pytest.raises(OSError, match="No space"):
        while True:
            os.write(others.fileno(), b"x" * 65_536)


def told(file: Path) -> set[str]:
    """The causes of the gaps that wait in a lane's file."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        found = db.execute("SELECT payload FROM row WHERE subject = 'gap'").fetchall()
    return {json.loads(payload)["data"]["cause"] for (payload,) in found}


def press(receiver: Receiver, number: int) -> None:
    sender = band(number)
    sender.press(Code.SOS, 0.0)
    receiver.write(serial_frame(sender.number, sender.payload(Kind.EVENT)))


def epoch_told(cloud: Cloud) -> str:
    """The alert lane's epoch by the station's state."""
    return str(cloud.state()["lanes"]["alert"]["epoch"])


def numbered(cloud: Cloud) -> str:
    """The epoch of the latest message of an alert."""
    return str(cloud.messages("alert/")[-1].body["id"]).split("-")[0]


def arrives(cloud: Cloud, number: int) -> None:
    cloud.wait(lambda c: c.alerts(kind="sos", device=f"band-{number:04}", reason="press"), 10, f"press {number}")


def test_alerts_on_a_disk_that_others_have_filled_go_out_and_all_heals(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    more = f"serial: [{{port: {receiver.path}, name: rx}}]\nalerts: {{hold: 1s}}"
    with small_disk(tmp_path / "box" / "data", "32M") as disk, Cloud(broker) as cloud:
        with Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
            wait_for(lambda: daemon.log(event="link up") and (disk / "ballast").exists(), 10)
            fill(disk)
            for number in (1, 2):
                press(receiver, number)
                arrives(cloud, number)
            cloud.wait(lambda c: c.alerts(kind="storage_degraded", state="raised"), 10)
            assert daemon.log(event="fault", fault="disk_full")
            daemon.kill()
            daemon.restart()  # on a disk that is still full
            press(receiver, 3)
            arrives(cloud, 3)
            (disk / "others").unlink()
            cloud.wait(lambda c: c.alerts(kind="storage_degraded", state="cleared"), 20)
            wait_for((disk / "ballast").exists, 5)
            press(receiver, 4)
            arrives(cloud, 4)
        assert len({alert["id"] for alert in cloud.alerts(kind="sos")}) == 4
        assert cloud.breaches == []


def test_alerts_on_a_read_only_disk_go_out_and_reach_it_once_it_is_not(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    more = f"serial: [{{port: {receiver.path}, name: rx}}]\nalerts: {{hold: 1s}}"
    data = tmp_path / "box" / "data"
    with (
        small_disk(data, "64M") as disk,
        Cloud(broker) as cloud,
        Daemon(tmp_path / "box", [broker.url], more=more) as daemon,
    ):
        daemon.stop()
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        daemon.restart()
        press(receiver, 1)
        arrives(cloud, 1)
        assert daemon.log(event="fault", fault="storage", where="alert")
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        cloud.wait(lambda c: c.alerts(kind="storage_degraded", state="cleared"), 20)
        cloud.wait(lambda c: epoch_told(c) == numbered(c), 5, "the epoch of the file, where that of memory was told")
        daemon.kill()
        daemon.restart()
        cloud.wait(lambda c: c.alerts(kind="sos", reason="repeat"), 10, "what the disk had taken up")
        assert len({alert["id"] for alert in cloud.alerts(kind="sos")}) == 1
        assert cloud.breaches == []


def test_alerts_on_a_disk_that_turns_read_only_under_the_daemon_go_out_from_memory_and_all_is_well_once_it_is_mended(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    more = f"serial: [{{port: {receiver.path}, name: rx}}]\nalerts: {{hold: 1s}}"
    data = tmp_path / "box" / "data"
    with (
        small_disk(data, "48M", "ext4") as disk,
        Cloud(broker) as cloud,
        Daemon(tmp_path / "box", [broker.url], more=more) as daemon,
    ):
        wait_for(lambda: daemon.log(event="link up") and (disk / "ballast").exists(), 10)
        press(receiver, 1)
        arrives(cloud, 1)
        mount(disk, "-o", "remount,abort")  # what the kernel does when the disk has given it rubbish
        for number in (2, 3):
            press(receiver, number)
            arrives(cloud, number)
        cloud.wait(lambda c: c.alerts(kind="storage_degraded", state="raised"), 10)
        (fault,) = daemon.log(event="fault", fault="storage", where="alert")
        assert "cannot be written" in fault["what"]
        daemon.stop()
        said = len(daemon.log(event="fault", fault="storage"))
        subprocess.run(["umount", str(disk)], check=True)
        subprocess.run(["e2fsck", "-p", str(data.parent / "image")], check=False, stdout=subprocess.DEVNULL)
        mount(disk, "-o", "loop", str(data.parent / "image"))
        daemon.restart()
        press(receiver, 4)
        arrives(cloud, 4)
        cloud.wait(lambda c: c.alerts(kind="sos", device="band-0001", reason="repeat"), 10, "what the disk had kept")
        assert len(daemon.log(event="fault", fault="storage")) == said
        assert len({alert["id"] for alert in cloud.alerts(kind="sos", reason="press")}) == 4
        assert cloud.breaches == []


@pytest.mark.parametrize("kind", ["tmpfs", "ext4"])
def test_a_disk_full_of_our_own_backlog_and_of_others_has_room_for_alerts_and_every_row_is_accounted_for(
    tmp_path: Path, receiver: Receiver, kind: str
) -> None:
    more = f"serial: [{{port: {receiver.path}, name: rx}}]\nalerts: {{hold: 1s}}"
    broker, vitals, telemetry = Mosquitto(tmp_path), frames(bands(300)), tmp_path / "box" / "data" / "telemetry.db"
    broker.start()
    with small_disk(telemetry.parent, "48M", kind) as disk, Cloud(broker, sample=40) as cloud:
        broker.stop()
        sent = backlog(telemetry)
        with Daemon(tmp_path / "box", [broker.url], devices=300, more=more) as daemon:
            wait_for(lambda: daemon.log(event="link up") and (disk / "ballast").exists(), 10)
            fill(disk)
            press(receiver, 1)
            until = time.monotonic() + 60
            while not {"thinned", "shed"} <= (causes := told(telemetry)):
                assert time.monotonic() < until, causes
                receiver.write(b"".join(vitals[:300]), seconds=20.0)
                sent += 300
                time.sleep(0.5)
            press(receiver, 2)
            broker.start()
            for number in (1, 2):
                arrives(cloud, number)
            cloud.wait(lambda c: c.alerts(kind="storage_degraded", state="raised"), 10)
            assert daemon.log(event="fault", fault="disk_full")
            (disk / "others").unlink()
            cloud.wait(lambda c: c.alerts(kind="storage_degraded", state="cleared"), 30)
            wait_for((disk / "ballast").exists, 5)
            epoch, following = stand(cloud.request("info")["result"], "telemetry")
            cloud.wait(lambda c: not unaccounted(c, {epoch: following - 1}), 60, "every number")
            assert not {"disk_full", "storage"} & set(faults(daemon))
        assert len(cloud.alerts(kind="sos", reason="press")) == len({a["id"] for a in cloud.alerts(kind="sos")}) == 2
        assert 0 < len(cloud.readings()) < sent
        print(f"{kind}: {sent} readings, {len(cloud.readings())} arrived, rows given up: {given_up(cloud)}")
        assert cloud.breaches == []
    broker.stop()


def backlog(file: Path) -> int:
    """Readings of an earlier run: some come every 2 s and can be thinned, twice as many once a minute."""
    wire, chance = make_wire(StillClock()), random.Random(1)
    store = Store(file, "aaaa0000")
    moments = [2_000 * number for number in range(60)] + [120_000 + 60_000 * number for number in range(120)]
    for ms in moments:
        heard = [
            Sample(Wearable(band.address, f"band-{number:04}", f"w-{number:04}"), moment(ms), values(chance))
            for number, band in enumerate(bands(300), 1)
        ]
        store.write([wire.telemetry(heard[at : at + 100], moment(ms)) for at in range(0, 300, 100)], [], [], WALL_MS)
    store.close()
    return 300 * len(moments)


def values(chance: random.Random) -> Values:
    return {
        "heart_rate": chance.randrange(60, 90),
        "spo2": chance.randrange(95, 99),
        "skin_temperature": chance.randrange(3200, 3400) / 100,
        "steps": chance.randrange(4200),
        "battery_level": 88,
        "worn": True,
    }


def given_up(cloud: Cloud) -> dict[str, int]:
    return {cause: sum(gap["count"] for gap in cloud.gaps(cause=cause)) for cause in ("thinned", "shed")}


def unaccounted(cloud: Cloud, given: dict[str, int]) -> set[str]:
    """Of each epoch of telemetry the numbers that neither came nor were told of, up to the last that is known of."""
    last = given.copy()
    for seen in cloud.messages("telemetry") + cloud.messages("gap"):
        made_in, _, number = seen.body["id"].rpartition("-")
        if lane_of(seen) == "telemetry":
            last[made_in] = max(last.get(made_in, 0), int(number))
    wanted = {each: set(range(1, number + 1)) for each, number in last.items()}
    return {
        f"{each}-{n}" for each, numbers in wanted.items() for n in numbers - accounted_for(cloud, "telemetry", each)
    }
