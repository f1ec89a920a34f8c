"""`station-gateway doctor` called: what it prints in which language, how it ends, and who answers in its stead."""

import json
import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.cli import daemon
from gateway.cli.chinese import CHINESE
from gateway.cli.doctor import lines, told
from gateway.cli.english import ENGLISH
from gateway.doctor import allowed
from gateway.doctor.findings import Finding, Sign
from tests.support.box import answering
from tests.support.command import command
from tests.support.processes import free_port

STATION = "station: a-01\ncontrol: control.sock\nmqtt: {{brokers: [mqtt://localhost:{}]}}\n"


def station(folder: Path, more: str = "") -> Path:
    (folder / "devices.yaml").write_text("devices: []\n")
    (folder / "gateway.yaml").write_text(STATION.format(free_port()) + "data: data\n" + more)
    return folder / "gateway.yaml"


def found(capsys: pytest.CaptureFixture[str], file: Path) -> tuple[int, dict[str, str]]:
    """How it ends, and what it says by sign."""
    said = command(capsys, "doctor", "--json", "--config", str(file))
    assert said.err == ""
    findings = json.loads(said.out)["findings"]
    return said.status, {each["sign"]: each["what"] for each in findings}


@contextmanager
def saying(path: Path, answer: bytes) -> Iterator[None]:
    """A daemon at `path` that says this to whoever asks."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        listening.listen()

        def serve() -> None:
            asker, _ = listening.accept()
            with asker:
                asker.recv(4096)
                asker.sendall(answer)
                asker.recv(1)

        served = threading.Thread(target=serve)
        served.start()
        yield
        served.join(10)


def test_lines_stand_in_columns_with_the_cure_below() -> None:
    good = Finding(Sign.CLOCK_SYNCED, found="2026-11-25 08:30")
    full = Finding(Sign.DISK_FULL, "/data", "3.0 MiB")
    assert list(lines([good, full], ENGLISH)) == [
        "ok     clock  synchronised, 2026-11-25 08:30 UTC",
        "ERROR  disk   /data: 3.0 MiB free",
        "              -> free space: see `du -x /data` and `df`",
    ]
    assert list(lines([good, full], CHINESE)) == [
        "正常  时钟  已校准，2026-11-25 08:30 UTC",
        "错误  磁盘  /data：只剩 3.0 MiB",
        "            -> 腾出空间：查看 `du -x /data` 和 `df`",
    ]


def test_what_others_have_said_steers_no_terminal_and_is_not_filled_in_again() -> None:
    quoted = Finding(Sign.BROKER_CLOSES, found="\x1b[2J{where}", cure="{cure}")
    assert told(quoted, ENGLISH) == ("?[2J{where}", "{cure}")


@pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=["english", "chinese"])
def test_every_sign_can_be_told(words: object) -> None:
    assert words in (ENGLISH, CHINESE)
    for sign in Sign:
        what, cure = told(Finding(sign, "WHERE", "FOUND", "RIGHT", "CURE"), ENGLISH if words is ENGLISH else CHINESE)
        assert what
        assert "{" not in what + cure


def test_without_a_daemon_the_rest_is_examined_and_it_ends_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = station(tmp_path)
    status, signs = found(capsys, file)
    assert status == 2
    assert {"config_good", "broker_unreachable", "no_broker", "no_daemon", "allowed"} <= signs.keys()
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert "没有网关应答" in command(capsys, "doctor", "--config", str(file)).out


def test_a_configuration_that_is_refused_leaves_what_needs_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon, "SOCKET", tmp_path / "none.sock")
    file = station(tmp_path, "mqtt: {}\nkeepalive: 8s\n")
    status, signs = found(capsys, file)
    assert status == 2
    assert str(file) in signs["config_wrong"]
    assert str(tmp_path / "none.sock") in signs["no_daemon"]
    assert not {"disk_good", "broker_unreachable", "allowed"} & signs.keys()
    status, signs = found(capsys, tmp_path / "absent.yaml")
    assert (status, "absent.yaml" in signs["config_wrong"]) == (2, True)


def test_a_wrong_roster_does_not_keep_the_brokers_from_being_tried(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = station(tmp_path)
    (tmp_path / "devices.yaml").write_text("devices: [{id: A}]\n")
    status, signs = found(capsys, file)
    assert (status, "devices.yaml:1" in signs["config_wrong"]) == (2, True)
    assert {"broker_unreachable", "allowed"} <= signs.keys()


def test_a_daemon_is_asked_for_its_health(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with answering(tmp_path) as box:
        box.box.office.faults.begin("not_heard_back", "uplink:alert", "what is so", "what to do")
        capsys.readouterr()  # the fault's line in the log
        status, signs = found(capsys, station(tmp_path))
    assert (status, signs["daemon_runs"]) == (2, "runs for 0 min")
    assert signs["daemon_fault"] == "uplink:alert: not_heard_back: what is so"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"", "hung up"),
        (b"SSH-2.0\n", "it is no gateway"),
        (b'{"status":"ok","result":{"uptime_s":1}}\n', "a daemon of another version"),
        (b'{"status":"error","code":"invalid","message":"not as the control socket knows it"}\n', "not as the control"),
    ],
)
def test_whatever_answers_in_its_place_is_no_daemon(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, answer: bytes, why: str
) -> None:
    monkeypatch.setattr(daemon, "PATIENCE_S", 0.5)
    with saying(tmp_path / "control.sock", answer):
        _, signs = found(capsys, station(tmp_path))
    assert why in signs["no_daemon"] or (not answer and "timed out" in signs["no_daemon"])


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give up its rights for a moment")
def test_who_may_not_ask_the_daemon_and_is_not_root_is_told_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowed, "USER", "daemon")
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        (Path(made) / "shut").mkdir(mode=0o700)
        file = station(Path(made), f"fleet_key: {{file: {made}/shut/key}}\n")
        file.write_text(file.read_text().replace("data: data", "data: shut/data"))
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
            listening.bind(f"{made}/control.sock")
            listening.listen()
            os.chmod(f"{made}/control.sock", 0o600)
            os.seteuid(65534)
            try:
                _, signs = found(capsys, file)
            finally:
                os.seteuid(0)
    assert signs["daemon_denied"] == f"{made}/control.sock: you may not ask it"
    assert signs["disk_unseen"] == f"{made}/shut/data: cannot be looked at (Permission denied)"
    assert f"{made}/shut/key: permission denied" in signs["config_wrong"]
    assert signs["not_root"] == "what daemon may do was not tried"
