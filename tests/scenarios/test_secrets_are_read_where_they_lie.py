"""Passwords and keys lie in files and credentials; one that goes missing is a named fault, and no press is lost."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.street import Code, serial_frame
from tests.support.air import band, burst
from tests.support.certificates import Certificates
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for
from tests.support.receiver import Receiver

USERS = {"box": "s3cret", "desk": "desk"}
SPOILT: dict[str, Callable[[Path], Any]] = {
    "missing": lambda path: path.unlink(),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "not UTF-8": lambda path: path.write_bytes(b"caf\xe9"),
}


def fault(daemon: Daemon) -> dict[str, Any] | None:
    """`credentials_unreadable` as it is in force now."""
    told = [line for line in daemon.log(where="uplink:alert") if line["event"] in ("fault", "fault over")]
    mine = [line for line in told if line["fault"] == "credentials_unreadable"]
    return mine[-1] if mine and mine[-1]["event"] == "fault" else None


def press(receiver: Receiver, number: int = 1) -> None:
    for payload in burst(band(number), Code.SOS):
        receiver.write(serial_frame(band(number).number, payload))


@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_password_that_cannot_be_read_any_more_is_named_and_the_press_waits_on_disk(
    tmp_path: Path, receiver: Receiver, spoilt: str
) -> None:
    password = tmp_path / "password"
    password.write_text("s3cret\n")
    mqtt = f"  username: box\n  password: {{file: {password}}}"
    more = f"serial: [{{port: {receiver.path}, name: rx}}]"
    with (
        Mosquitto(tmp_path, users=USERS) as broker,
        Cloud(broker, user=("desk", "desk")) as cloud,
        Daemon(tmp_path / "box", [broker.url], mqtt=mqtt, more=more) as daemon,
    ):
        cloud.wait(lambda c: c.state().get("state") == "online")
        broker.stop()
        SPOILT[spoilt](password)
        broker.start()
        found = wait_for(lambda: fault(daemon), 10, daemon.log_text())
        assert str(password) in found["what"]
        assert found["cure"] == "put the file in place, readable for the gateway's user"
        press(receiver)
        wait_for(lambda: daemon.log(event="alert", kind="sos"), 5, "ingest goes on")
        shutil.rmtree(password, ignore_errors=True)
        password.unlink(missing_ok=True)
        password.write_text("s3cret\n")
        assert cloud.wait(lambda c: c.alerts(kind="sos"), 15)[0]["device"] == "band-0001"
        wait_for(lambda: fault(daemon) is None, 5, "the fault is over")
        assert daemon.log(event="defect") == []
        assert "s3cret" not in daemon.log_text()


def test_a_private_key_that_is_gone_is_named_and_taken_up_when_it_is_back(tmp_path: Path) -> None:
    tls = Certificates(tmp_path / "pki")
    mqtt = f"  tls: {{ca: {tls.ca}, certificate: {tls.client}, key: {tmp_path}/client.key}}"
    shutil.copy(tls.client_key, tmp_path / "client.key")
    with Mosquitto(tmp_path, tls=tls) as broker, Daemon(tmp_path / "box", [broker.url], mqtt=mqtt) as daemon:
        wait_for(lambda: daemon.log(event="connected"), 10)
        broker.stop()
        (tmp_path / "client.key").unlink()
        broker.start()
        found = wait_for(lambda: fault(daemon), 10, daemon.log_text())
        assert f"{tmp_path}/client.key: No such file or directory" in found["what"]
        shutil.copy(tls.client_key, tmp_path / "client.key")
        wait_for(lambda: len(daemon.log(event="connected")) == 2, 10, "connected again")
        assert fault(daemon) is None


def test_stations_that_share_a_fleet_key_know_the_same_press_however_the_key_is_kept(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    (tmp_path / "fleet-key").write_text("one for all\n")
    kept = {"a": f"{{file: {tmp_path}/fleet-key}}", "b": "{credential: fleet-key}", "c": f"{{file: {tmp_path}/other}}"}
    (tmp_path / "other").write_text("another")
    keys = {}
    for station, fleet_key in kept.items():
        environment = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
        more = f"serial: [{{port: {receiver.path}, name: rx}}]\nfleet_key: {fleet_key}"
        with (
            Cloud(broker, station, name=station) as cloud,
            Daemon(tmp_path / station, [broker.url], station=station, more=more, environment=environment) as daemon,
        ):
            wait_for(lambda daemon=daemon: daemon.log(event="link up"), 5)
            press(receiver)
            keys[station] = cloud.wait(lambda c: c.alerts(kind="sos"))[0]["presses"][0]["key"]
            assert "one for all" not in daemon.log_text()
    assert keys["a"] == keys["b"] != keys["c"]
    assert None not in keys.values()
