"""`station-gateway doctor` on a station where each fault is made for real, and on one that is well."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli import daemon as asking
from gateway.cli.street import Kind, serial_frame
from gateway.doctor import allowed
from tests.simulators.bluez import BluezProcess, Bus
from tests.support.acting import Acting
from tests.support.air import band
from tests.support.certificates import Certificates
from tests.support.command import command
from tests.support.daemon import Daemon
from tests.support.disks import small_disk
from tests.support.mosquitto import Mosquitto
from tests.support.processes import free_port, wait_for
from tests.support.receiver import Receiver
from tests.support.terminal import Terminal

Found = dict[str, dict[str, str]]
HERE = {"clock_unsynced", "no_systemd"}
"""What may be amiss with the machine that runs the tests."""
SECRETS = ("s3cret", "fl33t")


class Box:
    """A folder with a station that has no daemon, examined in this process."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        (folder / "devices.yaml").write_text("devices: []\n")
        self.write()

    def write(self, more: str = "", broker: str = "", mqtt: str = "") -> None:
        brokers = f"mqtt:\n  brokers: [{broker or f'mqtt://localhost:{free_port()}'}]\n{mqtt}"
        self.file.write_text(f"station: a-01\ncontrol: control.sock\ndata: data\n{brokers}\n{more}\n")

    @property
    def file(self) -> Path:
        return self.folder / "gateway.yaml"

    def doctor(self) -> Found:
        said = command(self._capsys, "doctor", "--json", "--config", str(self.file))
        assert not any(secret in said.out + said.err for secret in SECRETS)
        return by_sign(said.status, said.out)


def by_sign(status: int, out: str) -> Found:
    told = json.loads(out)
    levels = {each["level"] for each in told["findings"]}
    assert status == (2 if "error" in levels else 1 if "warning" in levels else 0)
    assert all(each["cure"] for each in told["findings"] if each["level"] != "ok")
    return {each["sign"]: each for each in told["findings"]}


def amiss(found: Found) -> set[str]:
    return {sign for sign, each in found.items() if each["level"] != "ok"} - HERE


@pytest.fixture
def box(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Box:
    return Box(tmp_path, capsys)


@pytest.fixture
def open_box(capsys: pytest.CaptureFixture[str]) -> Iterator[Box]:
    """In a folder that other users can reach."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Box(Path(made), capsys)


def test_a_station_that_is_well_has_nothing_amiss_and_the_daemon_does_not_notice(
    tmp_path: Path, receiver: Receiver
) -> None:
    for name in ("fleet-key", "password"):
        (tmp_path / name).write_text("s3cret")
        (tmp_path / name).chmod(0o600)
    pki, act = Certificates(tmp_path / "pki"), tmp_path / "act.sock"
    mqtt = f"  tls: {{ca: {pki.ca}, certificate: {pki.client}, key: {pki.client_key}}}\n  username: box\n"
    mqtt += f"  password: {{file: {tmp_path}/password}}"
    more = f"fleet_key: {{file: {tmp_path}/fleet-key}}\nserial: [{{port: {receiver.path}, name: rx}}]\n"
    more += f"local_alert: {{socket: {act}, actions: [{{name: lamp, mqtt: {{topic: lamp}}}}]}}"
    broker = Mosquitto(tmp_path, tls=pki, users={"box": "s3cret"})
    daemon = Daemon(tmp_path / "box", [broker.url], mqtt=mqtt, more=more)
    with broker, Acting(act, daemon.config), daemon:
        wait_for(lambda: daemon.log(event="connected"), 10)
        receiver.write(serial_frame(1, band(1).payload(Kind.HEARTBEAT)))
        found: Found = {}

        def heard() -> bool:
            code, out = Terminal(daemon)("doctor", "--json")
            assert "s3cret" not in out
            found.clear()
            found.update(by_sign(code, out))
            return "link_hears" in found

        wait_for(heard, 20)
        # the tests' certificates are of two days
        assert amiss(found) - {"secret_open", "disk_volatile", "disk_tight"} == {"certificate_ends", "daemon_warns"}
        well = {"config_good", "allowed", "port_good", "broker_good", "daemon_runs", "link_hears", "socket_good"}
        assert well <= found.keys()
        assert daemon.log(event="connected") == daemon.log(event="connected")[:1]
        code, out = Terminal(daemon)("doctor", lang="zh_CN.UTF-8")
        assert (code, "可以登录" in out, "已运行 0 分钟" in out) == (1, True, True)


def test_the_daemons_own_faults_are_told_with_their_cures(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    more = f"serial: [{{port: /dev/absent, name: gone}}, {{port: {receiver.path}, name: rx}}]"
    with Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
        wait_for(lambda: daemon.log(event="link up"), 5)
        receiver.write(b"\xa5\x5a\x11" + bytes(60))
        told: Found = {}

        def unread() -> bool:
            told.update(by_sign(*Terminal(daemon)("doctor", "--json")))
            return "link_unread" in told

        wait_for(unread, 20, "rubbish on a line is told")
    assert told["daemon_fault"]["what"].startswith("serial:gone: serial_absent: /dev/absent")
    assert told["daemon_fault"]["cure"] == "plug it in; see `ls -l /dev/serial/by-id/`"
    assert told["port_absent"]["where"] == "/dev/absent"
    assert told["link_unread"]["where"] == "serial:rx"


def test_a_daemon_that_is_stopped_and_one_that_hangs(
    tmp_path: Path, broker: Mosquitto, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "PATIENCE_S", 1.0)
    with Daemon(tmp_path / "box", [broker.url]) as daemon:

        def doctor() -> Found:
            said = command(capsys, "doctor", "--json", "--config", str(daemon.config))
            return by_sign(said.status, said.out)

        wait_for(lambda: daemon.log(event="connected"), 10)
        assert "daemon_runs" in doctor()
        os.kill(daemon.pid, signal.SIGSTOP)
        assert "timed out" in doctor()["no_daemon"]["what"]
        os.kill(daemon.pid, signal.SIGCONT)
        daemon.kill()
        assert "refused" in doctor()["no_daemon"]["what"]


def test_a_disk_in_memory_that_fills_and_turns_read_only(tmp_path: Path, box: Box) -> None:
    with small_disk(tmp_path / "data", "64m") as at:
        assert amiss(box.doctor()) >= {"disk_volatile", "disk_tight"}
        (at / "filler").write_bytes(bytes(60 << 20))
        assert "disk_full" in amiss(box.doctor())
        (at / "filler").unlink()
        subprocess.run(["mount", "-o", "remount,ro", str(at)], check=True)
        assert "disk_read_only" in amiss(box.doctor())
    assert not {sign for sign in amiss(box.doctor()) if sign.startswith("disk")} - {"disk_tight", "disk_volatile"}


@pytest.mark.skipif(os.getuid() != 0, reason="only root can try things as another user")
def test_files_that_the_daemons_user_may_not_use(open_box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowed, "USER", "nobody")
    data, key = open_box.folder / "data", open_box.folder / "key"
    key.write_text("fl33t")
    key.chmod(0o600)
    open_box.write(f"fleet_key: {{file: {key}}}")
    data.mkdir(mode=0o755)
    found = open_box.doctor()
    assert (found["unreadable"]["where"], found["unwritable"]["where"]) == (str(key), str(data))
    os.chown(data, 65534, 65534)
    key.chmod(0o644)
    found = open_box.doctor()
    assert not {"unreadable", "unwritable"} & found.keys()
    assert found["secret_open"]["where"] == str(key)
    (data / "alert.db").touch(0o600)  # somebody has once run the daemon as root
    assert open_box.doctor()["unwritable"]["where"] == str(data / "alert.db")


def test_receivers_that_are_missing_and_taken(box: Box, receiver: Receiver) -> None:
    box.write(f"serial: [{{port: {box.folder}/absent, name: a}}, {{port: {receiver.path}, name: b}}]")
    taking = [
        sys.executable,
        "-c",
        f"import serial; held = serial.Serial('{receiver.path}'); print(flush=True); input()",
    ]
    with subprocess.Popen(taking, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdout
        program.stdout.readline()
        found = box.doctor()
        program.communicate(b"\n")
    assert found["port_absent"]["where"] == f"{box.folder}/absent"
    assert f"({program.pid})" in found["port_taken"]["what"]


def test_bluetooth_without_a_bus_without_bluetoothd_and_with_it(
    tmp_path: Path, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.write("bluetooth: [{adapter: hci0}, {adapter: hci5}]")
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/bus")
    assert "no_bus" in amiss(box.doctor())
    with Bus(tmp_path) as bus:
        assert "no_bluetoothd" in amiss(box.doctor())
        with BluezProcess(bus):
            found = box.doctor()
    assert found["bluetoothd_runs"]["what"] == "bluetoothd answers (version 5.66)"
    assert found["adapter_good"]["where"] == "hci0 (001a7dda7113)"
    assert "hci5" in found["adapter_absent"]["what"]
    assert "socket_absent" in found


def test_brokers_that_do_not_let_the_station_in_and_a_certificate_that_has_ended(tmp_path: Path, box: Box) -> None:
    pki = Certificates(tmp_path / "pki")
    (tmp_path / "password").write_text("s3cret")
    login = f"  username: box\n  password: {{file: {tmp_path}/password}}"
    with Mosquitto(tmp_path, users={"box": "another"}) as broker:
        box.write(broker=broker.url, mqtt=login)
        assert amiss(box.doctor()) >= {"broker_refuses_credentials", "no_broker"}
    tls = f"  tls: {{ca: {pki.ca}, certificate: {pki.client}, key: {pki.client_key}}}"
    with Mosquitto(tmp_path, tls=pki) as broker:
        box.write(broker=broker.url, mqtt=tls)
        found = box.doctor()
        assert "broker_good" in found
        assert "certificate_ends" in amiss(found)
        pki.renew_client(0)
        found = box.doctor()
    assert found["certificate_ended"]["where"] == "mqtt.tls.certificate"
    assert "no_broker" in found


def test_a_configuration_that_is_wrong_in_two_places(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    box.write("telemetry: {batch: many}\nserail: []")
    said = command(capsys, "doctor", "--config", str(box.file))
    assert said.status == 2
    first, second = (line for line in said.out.splitlines() if line.split()[:2] == ["ERROR", "configuration"])
    assert "telemetry.batch 'many'" in first
    assert "serail" in second
    assert "brokers" not in said.out
