"""The daemon's own life: what systemd and the cloud are told when it starts, stalls, stops or dies."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.cli.street import Code, serial_frame
from tests.support.air import band, burst
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon
from tests.support.mosquitto import Mosquitto
from tests.support.processes import free_port, wait_for
from tests.support.receiver import Receiver

STOP_S = 5.0


def test_ready_waits_for_neither_broker_nor_radio(tmp_path: Path) -> None:
    nowhere = [f"mqtt://localhost:{free_port()}"]
    with Daemon(tmp_path / "box", nowhere, more=f"serial: [{{port: {tmp_path}/nowhere, name: rx}}]") as daemon:
        wait_for(lambda: daemon.log(event="fault", fault="broker_unreachable"), 5)
        wait_for(lambda: daemon.log(event="fault", fault="serial_absent"), 5)
        assert any(line.startswith("STATUS=") for line in daemon.systemd())
        assert daemon.stop() == 0


def test_the_watchdog_is_fed_at_least_three_times_in_its_period(tmp_path: Path, broker: Mosquitto) -> None:
    with Daemon(tmp_path / "box", [broker.url], environment={"WATCHDOG_USEC": "600000"}) as daemon:
        begun = time.monotonic()
        wait_for(lambda: daemon.systemd().count("WATCHDOG=1") >= 10, 10, "ten feedings")
        assert time.monotonic() - begun < 10 * 0.6
        daemon.stop()
        assert daemon.systemd().index("STOPPING=1") > daemon.notified.index("READY=1")


def test_sigterm_ends_it_in_time_and_loses_nothing_even_without_a_broker(tmp_path: Path, receiver: Receiver) -> None:
    broker = Mosquitto(tmp_path)
    more = f"serial: [{{port: {receiver.path}, name: rx}}]"
    with Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
        wait_for(lambda: daemon.log(event="link up"), 5)
        receiver.write(b"".join(serial_frame(band(n).number, burst(band(n), Code.SOS, 1)[0]) for n in (1, 2, 3, 4)))
        wait_for(lambda: len(daemon.log(event="alert")) == 4, 5)
        begun = time.monotonic()
        assert daemon.stop() == 0
        assert time.monotonic() - begun < STOP_S
        with broker, Cloud(broker) as cloud:
            daemon.restart()
            cloud.wait(lambda c: len({alert["id"] for alert in c.alerts(repeat=0)}) == 4)
            assert len(cloud.wait(lambda c: len(c.readings()) >= 4 and c.readings())) == 4
            assert cloud.gaps() == []


def test_sigterm_ends_it_in_time_with_a_broker_that_has_stopped_answering(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    more = f"serial: [{{port: {receiver.path}, name: rx}}]"
    with Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
        wait_for(lambda: daemon.log(event="connected"), 5)
        broker.freeze(frozen=True)
        receiver.write(serial_frame(band(1).number, burst(band(1), Code.SOS)[0]))
        wait_for(lambda: daemon.log(event="alert"), 5)
        begun = time.monotonic()
        code = daemon.stop()
        took = time.monotonic() - begun
        broker.freeze(frozen=False)
        assert (code, took < STOP_S) == (0, True)


def test_the_cloud_sees_it_come_stop_die_and_come_again(tmp_path: Path, broker: Mosquitto) -> None:
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url]) as daemon:
        first = cloud.wait(lambda c: c.state().get("state") == "online" and c.state())
        daemon.stop()
        cloud.wait(lambda c: c.state()["state"] == "offline")
        assert cloud.state()["session"] == first["session"]
        daemon.restart()
        second = cloud.wait(lambda c: c.state()["state"] == "online" and c.state())
        assert second["session"] != first["session"]
        assert second["lanes"]["alert"]["epoch"] == first["lanes"]["alert"]["epoch"]
        daemon.kill()
        cloud.wait(lambda c: c.state()["state"] == "offline", 5, "the last will")
        assert cloud.state()["session"] == second["session"]
        daemon.restart()
        cloud.wait(lambda c: c.state()["state"] == "online")
        with Cloud(broker, name="later") as later:
            found = later.wait(lambda c: c.state())
            assert (found["state"], later.messages("state")[0].retained) == ("online", True)
        assert cloud.breaches == []


def test_health_is_of_the_session_that_state_tells_though_the_broker_came_late(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    with Daemon(tmp_path / "box", [broker.url]) as daemon:
        wait_for(lambda: daemon.log(event="fault", fault="broker_unreachable"), 5)
        with broker, Cloud(broker) as cloud:
            cloud.wait(lambda c: c.state() and c.health().get("session") == c.state()["session"])
            assert "broker_unreachable" not in {fault["fault"] for fault in cloud.health()["faults"]}
            assert cloud.breaches == []


@pytest.mark.parametrize(
    "junk",
    [b'{"v":1,"station":"test-01","state":"offline","session":"01k","since":"2026-11-24T08:00:00.000Z"}', b"", b"junk"],
    ids=["an older session's will", "removed", "junk"],
)
def test_the_birth_is_said_again_when_something_else_stands_there(
    tmp_path: Path, broker: Mosquitto, junk: bytes
) -> None:
    with Daemon(tmp_path / "box", [broker.url]) as daemon:
        wait_for(lambda: daemon.log(event="connected"), 5)
        with Cloud(broker, "other", name="vandal") as vandal:
            vandal.base = "398/v1/test-01"
            vandal.publish("state", junk, retain=True)
        session = daemon.log(event="connected")[0]["session"]
        with Cloud(broker) as cloud:
            cloud.wait(lambda c: (c.state().get("state"), c.state().get("session")) == ("online", session))


def test_two_daemons_cannot_share_a_data_folder(tmp_path: Path, broker: Mosquitto) -> None:
    with Daemon(tmp_path / "box", [broker.url]) as daemon:
        command = [sys.executable, "-m", "gateway.cli.main", "run", "--config", str(daemon.config)]
        second = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        assert second.returncode == 1
        assert str(daemon.folder / "data") in second.stderr


def test_every_error_of_a_wrong_configuration_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text(
        "station: Xinhua 03\nmqtt: {brokers: [http://x], verison: '5'}\nserial:\n- {port: /dev/ttyUSB0, baud: fast}\n"
    )
    (tmp_path / "devices.yaml").write_text('devices:\n- {id: band-1, address: "C0:98", wearer: w-1}\n')
    for command in (["check"], ["run", "--config"]):
        full = [sys.executable, "-m", "gateway.cli.main", *command, str(tmp_path / "gateway.yaml")]
        told = subprocess.run(full, capture_output=True, text=True, timeout=20, check=False)
        assert told.returncode == 2
        lines = told.stderr.splitlines()
        assert [line.split(": ")[0].rsplit("/", 1)[-1] for line in lines] == [
            "gateway.yaml:1:10", "gateway.yaml:2:18", "gateway.yaml:2:29", "gateway.yaml:4:30", "devices.yaml:2:25",
        ]  # fmt: skip
        assert "version" in lines[2]


def test_a_damaged_telemetry_file_is_set_aside_and_the_daemon_runs(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    more = f"serial: [{{port: {receiver.path}, name: rx}}]"
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
        cloud.wait(lambda c: c.state())
        daemon.stop()
        (daemon.folder / "data" / "telemetry.db").write_bytes(os.urandom(20_000))
        daemon.restart()
        receiver.write(serial_frame(band(1).number, burst(band(1), Code.SOS)[0]))
        cloud.wait(lambda c: c.alerts(kind="sos"))
        assert cloud.wait(lambda c: c.gaps(lane="telemetry", cause="corrupt"))
        assert list((daemon.folder / "data").glob("telemetry.db.damaged-*"))


def test_a_stage_that_stands_still_is_not_fed(tmp_path: Path, broker: Mosquitto) -> None:
    """The whole process stopped is the plainest stall: nothing may feed the watchdog for it."""
    with Daemon(tmp_path / "box", [broker.url], environment={"WATCHDOG_USEC": "300000"}) as daemon:
        wait_for(lambda: "WATCHDOG=1" in daemon.systemd(), 5)
        os.kill(daemon.pid, signal.SIGSTOP)
        time.sleep(0.05)  # what it had sent already
        daemon.systemd().clear()
        time.sleep(0.5)
        told = list(daemon.systemd())
        os.kill(daemon.pid, signal.SIGCONT)
        assert told == []
        wait_for(lambda: "WATCHDOG=1" in daemon.systemd(), 5)


def test_logs_are_json_where_nobody_watches(tmp_path: Path, broker: Mosquitto) -> None:
    with Daemon(tmp_path / "box", [broker.url]) as daemon:
        daemon.stop()
        lines = [json.loads(line) for line in daemon.log_text().splitlines()]
        assert {"event", "level", "timestamp"} <= set(lines[0])
        assert [line["event"] for line in lines if line["event"] in ("ready", "stopped")] == ["ready", "stopped"]
