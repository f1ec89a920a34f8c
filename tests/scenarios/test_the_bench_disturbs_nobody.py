"""A capture that is played to the real broker is a test from end to end, beside a daemon that goes on undisturbed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli.street import Code, Wearable, serial_frame
from tests.support.air import band, burst
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon, address
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for
from tests.support.receiver import Receiver


def capture(path: Path, bands: list[Wearable]) -> None:
    told = {"kind": "manufacturer", "key": 65535, "rssi": -60}
    lines = [
        json.dumps({"t": n / 10, "address": each.address, "payload": "9803" + burst(each, Code.SOS)[0].hex()} | told)
        for n, each in enumerate(bands)
    ]
    path.write_text("\n".join(lines))


def replay(path: Path, config: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "gateway.cli.main",
        "replay",
        "--live",
        "--fast",
        str(path),
        "--config",
        str(config),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_what_is_played_arrives_as_a_test_and_the_daemon_keeps_its_session(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver, version: str
) -> None:
    more = f"serial: [{{port: {receiver.path}, name: rx}}]"
    capture(tmp_path / "c.jsonl", [band(1), band(2)])
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], version=version, more=more) as daemon:
        cloud.wait(lambda c: c.state().get("state") == "online")
        wait_for(lambda: daemon.log(event="link up", link="serial:rx"), 5)
        session = cloud.state()["session"]
        said = replay(tmp_path / "c.jsonl", daemon.config)
        assert (said.returncode, said.stderr) == (0, "")
        assert f"sent to mqtt://localhost:{broker.port}, all of it test: true\n" in said.stdout
        played = cloud.wait(lambda c: len(c.alerts()) == 2 and c.readings() and c.alerts())
        assert {(each["wearer"], each["kind"], each["test"], each["severity"]) for each in played} == {
            ("w-0001", "sos", True, "technical"), ("w-0002", "sos", True, "technical")
        }  # fmt: skip
        assert [(each["device"], each["test"]) for each in cloud.readings()] == [
            ("band-0001", True),
            ("band-0002", True),
        ]
        receiver.write(serial_frame(band(3).number, burst(band(3), Code.SOS)[0]))
        (meant,) = cloud.wait(lambda c: c.alerts(wearer="w-0003"))
        assert (meant["test"], meant["severity"]) == (False, "critical")
        assert (cloud.state()["state"], cloud.state()["session"]) == ("online", session)
        assert len(cloud.messages("state")) == 1
        assert cloud.breaches == []


def test_a_flood_that_is_played_is_a_test_too(tmp_path: Path, broker: Mosquitto) -> None:
    daemon = Daemon(tmp_path / "box", [broker.url], devices=0)
    capture(tmp_path / "c.jsonl", [Wearable(int(address(number), 16) & 0xFFFFFFFF) for number in range(1, 25)])
    with Cloud(broker) as cloud:
        assert replay(tmp_path / "c.jsonl", daemon.config).returncode == 0
        cloud.wait(lambda c: c.alerts(kind="alarm_flood"))
        assert {each["test"] for each in cloud.alerts()} == {True}
        assert {each["severity"] for each in cloud.alerts()} == {"technical"}
        assert cloud.breaches == []


def test_a_broker_that_lets_nobody_in_is_told_with_its_cure(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, users={"a": "b"}) as broker:
        daemon = Daemon(tmp_path / "box", [broker.url])
        capture(tmp_path / "c.jsonl", [band(1)])
        said = replay(tmp_path / "c.jsonl", daemon.config)
        assert said.returncode == 1
        assert said.stderr.startswith(f"replay: mqtt://localhost:{broker.port}: ")
