"""Promises 1 and 5: on a disk that is full or read-only alerts go out, it is said, and it heals by itself."""

import os
import subprocess
from pathlib import Path

import pytest

from gateway.cli.street import Code, Kind, serial_frame
from tests.support.air import band
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon
from tests.support.disks import small_disk
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for
from tests.support.receiver import Receiver


def press(receiver: Receiver, number: int) -> None:
    sender = band(number)
    sender.press(Code.SOS, 0.0)
    receiver.write(serial_frame(sender.number, sender.payload(Kind.EVENT)))


def arrives(cloud: Cloud, number: int) -> None:
    cloud.wait(lambda c: c.alerts(kind="sos", device=f"band-{number:04}", reason="press"), 10, f"press {number}")


def test_alerts_on_a_disk_that_others_have_filled_go_out_and_all_heals(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    more = f"serial: [{{port: {receiver.path}, name: rx}}]\nalerts: {{hold: 1s}}"
    with small_disk(tmp_path / "box" / "data", "32M") as disk, Cloud(broker) as cloud:
        with Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
            wait_for(lambda: daemon.log(event="link up") and (disk / "ballast").exists(), 10)
            with (disk / "others").open("wb") as others, pytest.raises(OSError, match="No space"):
                while True:
                    os.write(others.fileno(), b"x" * 65_536)
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
        daemon.kill()
        daemon.restart()
        cloud.wait(lambda c: c.alerts(kind="sos", reason="repeat"), 10, "what the disk had taken up")
        assert len({alert["id"] for alert in cloud.alerts(kind="sos")}) == 1
        assert cloud.breaches == []
