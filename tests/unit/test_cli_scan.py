"""`station-gateway scan` as a process of its own: what it hears on a real pty and bus, and what it cannot open."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from gateway.cli.street import ADVERT_PREFIX, COMPANY, Code, serial_frame
from tests.simulators.bluez import BluezProcess, Bus
from tests.support.air import band, burst
from tests.support.command import command
from tests.support.processes import wait_for
from tests.support.receiver import Receiver

PAYLOAD = burst(band(1), Code.SOS)[0]
FRAME = serial_frame(band(1).number, PAYLOAD)
SCAN = [sys.executable, "-m", "gateway.cli.main", "scan"]


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with Receiver(tmp_path / "receiver") as plugged:
        yield plugged


def start(*words: str, stdout: int = subprocess.PIPE, **environment: str) -> subprocess.Popen[str]:
    env = os.environ | environment
    return subprocess.Popen([*SCAN, *words], stdout=stdout, stderr=subprocess.PIPE, text=True, env=env)


def line(scan: subprocess.Popen[str]) -> list[str]:
    assert scan.stdout
    return scan.stdout.readline().rstrip("\n").split("  ")


def ended(scan: subprocess.Popen[str], by: signal.Signals | None = signal.SIGINT) -> tuple[int, str]:
    if by is not None:
        scan.send_signal(by)
    _, err = scan.communicate(timeout=20)
    return scan.returncode, err


def test_without_a_terminal_every_packet_is_a_line_and_all_is_saved(
    tmp_path: Path, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = tmp_path / "capture.jsonl"
    scan = start("--port", str(receiver.path), "--save", str(capture))
    receiver.write(b"\x01\x02" + FRAME + FRAME)
    assert line(scan)[1:] == ["serial:receiver", "-", "-", "-", "rubbish: 0102"]
    for _ in range(2):
        assert line(scan)[1:5] == ["serial:receiver", "00000001", "-", "-67"]
    assert ended(scan) == (0, "")
    kept = [json.loads(each) for each in capture.read_text().splitlines()]
    assert [each["key"] for each in kept] == ["398-reference"] * 2
    assert (kept[0]["t"], kept[0]["link"]) == (0.0, "serial:receiver")
    assert command(capsys, "decode", str(capture)).out.count("occurrence: sos, counter 1, fresh") == 2
    assert "2 packets" in command(capsys, "replay", "--fast", str(capture)).out


def test_a_terminal_shows_a_table_by_device_with_its_name_in_the_roster(tmp_path: Path, receiver: Receiver) -> None:
    config = tmp_path / "gateway.yaml"
    secret = "  username: a\n  password: {credential: not-there}\n"
    links = f"serial: [{{port: {receiver.path}}}]\n"
    config.write_text(f"station: a\nmqtt:\n  brokers: [mqtt://localhost]\n{secret}{links}")
    (tmp_path / "devices.yaml").write_text('devices: [{id: band-0001, address: "C0:98:00:00:00:01"}]\n')
    ours, theirs = pty.openpty()
    scan = start("--config", str(config), stdout=theirs, COLUMNS="100", LINES="20")
    seen = b""

    def shown() -> re.Match[bytes] | None:
        nonlocal seen
        receiver.write(FRAME)
        seen += os.read(ours, 65536)
        return re.search(
            rb"00000001 +band-0001 +serial:receiver +-67 +[\d.]+ +\d s +398-reference: sos, counter 1", seen
        )

    wait_for(shown, 15)
    assert ended(scan) == (0, "")
    os.close(theirs)
    os.close(ours)
    lines = [re.sub(r"\x1b\[[KJH2]+", "", each) for each in seen.decode().split("\n")]
    assert max(map(len, lines)) <= 101  # with the carriage return that the terminal adds


def test_adverts_that_no_profile_knows_are_heard_too_and_every_copy(tmp_path: Path) -> None:
    with Bus(tmp_path) as bus, BluezProcess(bus) as bluez:
        scan = start("--adapter", "hci0", **bus.environment)
        bluez.scanning()
        for number in (1, 2, 2):
            bluez.advert(f"C0:98:00:00:00:{number:02X}", 0xABCD, b"\x01\x02")
            heard = line(scan)
            assert heard[1:] == [
                "ble:hci0",
                f"c098000000{number:02x}",
                "-",
                "-67",
                "manufacturer data of company 0xABCD: 0102",
            ]
        bluez.advert("C0:98:00:00:00:03", COMPANY, ADVERT_PREFIX + PAYLOAD)
        assert line(scan)[5].startswith("398-reference: sos, counter 1, fresh; worn true")
        assert ended(scan, signal.SIGTERM) == (0, "")


def test_a_port_that_another_program_has_is_told_with_its_cure(receiver: Receiver) -> None:
    with serial.Serial(str(receiver.path), exclusive=True):
        code, err = ended(start("--port", str(receiver.path)), None)
    assert code == 1
    assert "another program has it; `systemctl stop station-gateway` if the daemon has it" in err


def test_what_cannot_be_opened_ends_it_with_the_cure_and_silence_with_1(tmp_path: Path, receiver: Receiver) -> None:
    no_bus = {"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/absent"}
    code, err = ended(start("--port", str(tmp_path / "absent"), "--adapter", "hci0", **no_bus), None)
    assert code == 1
    assert f"scan: serial:absent: {tmp_path}/absent: the receiver is not there; plug it in" in err
    assert "scan: ble:hci0: hci0: " in err
    assert "start the system bus: `systemctl start dbus`" in err
    assert ended(start("--port", str(receiver.path), "--seconds", "0.3"), None) == (1, "")


def test_a_link_that_fails_is_tried_again(receiver: Receiver) -> None:
    scan = start("--port", str(receiver.path))
    receiver.write(FRAME)
    assert line(scan)[2] == "00000001"
    receiver.unplug()
    receiver.plug()
    receiver.write(FRAME)
    assert line(scan)[2] == "00000001"
    code, err = ended(scan)
    assert (code, err.count("\n")) == (0, 1)
    assert "the receiver is not there" in err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "scan: /etc/station-gateway/gateway.yaml names no links, or is not there: say what to listen to with"),
        (["--port", "ttyUSB0"], "scan: 'ttyUSB0' is not a port; write /dev/serial/by-id/… or socket://HOST:PORT"),
        (["--port", "/dev/a", "--profile", "398"], "no profile is called '398'; did you mean 398-reference?"),
        (["--port", "/dev/a", "--profile", "389"], "no profile with a serial side is called '389'"),
        (["--adapter", "bluetooth"], "'bluetooth' is not a Bluetooth adapter; write its address"),
        (["--seconds", "soon"], "'soon' is no number above 0"),
        (["--config", "/absent.yaml"], "/absent.yaml:1:1: there is no such file"),
    ],
)
def test_wrong_usage_exits_2_and_says_what_is_right(
    capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    said = command(capsys, "scan", *words)
    assert (said.status, said.out) == (2, "")
    assert sentence in said.err


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "kept").write_text("precious")
    said = command(capsys, "scan", "--port", "/dev/a", "--save", str(tmp_path / "kept"))
    assert (said.status, said.err) == (2, f"scan: {tmp_path}/kept is there already; name a file that is not\n")
    assert (tmp_path / "kept").read_text() == "precious"
