"""`alerts` and `devices` as commands: how they end, both their languages, and what they say without a daemon."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from drivers.base import Metric
from gateway import story
from gateway.cli.main import main
from gateway.model import Heard, Wearable
from gateway.story import StoryLine
from tests.support.box import Answering, answering
from tests.support.inside import sos
from tests.support.moments import WALL_MS, moment

IDENT = sos(1).new_id
CONFIG = "station: xinhua-03\ndata: .\ncontrol: control.sock\nmqtt:\n  brokers: [mqtt://localhost]\n"


@pytest.fixture(autouse=True)
def in_english_and_without_the_station_s_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    with structlog.testing.capture_logs():
        yield


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Answering]:
    """One that has an alert, with its configuration beside it."""
    (tmp_path / "gateway.yaml").write_text(CONFIG)
    with answering(tmp_path) as at:
        at.do(at.box.raised(sos(1)))
        yield at


class Said:
    def __init__(self, station: Path, captured: pytest.CaptureFixture[str]) -> None:
        self._socket, self._captured = station, captured

    def __call__(self, *words: str) -> tuple[int, str, str]:
        """How a command ends, and what it says."""
        code = main([*words, "--socket", str(self._socket)])
        told = self._captured.readouterr()
        return code, told.out, told.err


@pytest.fixture
def say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Said:
    return Said(tmp_path / "control.sock", capsys)


def test_what_is_open_is_listed_and_accepted_and_is_then_nobody_s_worry(station: Answering, say: Said) -> None:
    code, out, err = say("alerts", "list")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "Open alerts: 1. Critical and not accepted: 1."
    code, out, err = say("alerts", "accept", IDENT[:12], "--by", "li")
    assert (code, err) == (0, "")
    assert out.startswith(f"{IDENT}: accepted by box-")
    assert out.endswith("/li\n")
    assert say("alerts", "accept", "band-0001")[::2] == (1, "band-0001: somebody has accepted it already\n")
    code, out, _ = say("alerts", "clear", "band-0001")
    assert (code, out.startswith(f"{IDENT}: cleared by box-")) == (0, True)
    assert say("alerts", "list") == (0, "No alert is open.\n", "")


def test_an_alert_is_shown_with_its_story(station: Answering, say: Said) -> None:
    async def told() -> None:
        station.box.journal.tell(StoryLine(IDENT, WALL_MS, story.Heard("serial:a", -60)))

    station.do(told())
    code, out, _ = say("alerts", "show", "band-0001")
    assert code == 0
    assert out.splitlines()[0] == f"alert     {IDENT}"
    assert out.splitlines()[-1].endswith("heard over serial:a (-60 dBm)")


def test_an_alert_that_is_not_there_ends_with_one(station: Answering, say: Said) -> None:
    why = "there is no such alert; see `station-gateway alerts list`"
    assert say("alerts", "show", "02zz") == (1, "", f"02zz: {why}\n")
    assert say("alerts", "accept", "02zz") == (1, "", f"02zz: {why}\n")


def test_devices_are_listed_and_shown(station: Answering, say: Said) -> None:
    async def seen() -> None:
        station.box.sightings.see(
            Wearable("00000001", "band-0001"),
            moment(0),
            Heard("serial:a", -60),
            "398-reference",
            {Metric.BATTERY_LEVEL: 88},
        )

    station.do(seen())
    code, out, _ = say("devices", "list")
    assert (code, out.splitlines()[0]) == (0, "Wearables: 3. Never heard: 2.")
    code, out, _ = say("devices", "show", "band-0001")
    assert (code, out.splitlines()[5]) == (0, "battery      88 %")
    assert say("devices", "show", "band-9999")[0] == 1


def test_programs_are_given_json(station: Answering, say: Said) -> None:
    (alert,) = json.loads(say("alerts", "list", "--json")[1])["alerts"]
    assert (alert["id"], alert["state"]) == (IDENT, "raised")
    assert json.loads(say("alerts", "show", IDENT, "--json")[1])["story"] == []
    assert json.loads(say("alerts", "accept", IDENT, "--json")[1])["alert"]["state"] == "accepted"
    assert [device["device"] for device in json.loads(say("devices", "list", "--json")[1])["devices"]] == [
        "band-0001", "band-0002", "pendant-1"
    ]  # fmt: skip


def test_chinese_is_spoken_where_the_locale_asks_for_it(
    station: Answering, say: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert say("alerts", "list")[1].startswith("未结束的警报：1 条")
    assert "接警" in say("alerts", "accept", IDENT)[1]
    assert say("alerts", "accept", IDENT)[2] == f"{IDENT}：已经有人接警\n"
    assert say("devices", "list")[1].startswith("设备：3 个")


def test_a_configuration_names_the_socket_and_need_not_be_the_daemon_s_to_read_in_full(
    station: Answering, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gateway.yaml").write_text(CONFIG + "  password: {file: only-root-may-read-it}\n")
    assert main(["alerts", "list", "--config", str(tmp_path / "gateway.yaml")]) == 0
    assert "band-0001" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["alerts", "list"], ["alerts", "accept", "01ka"], ["devices", "list"]])
def test_without_a_daemon_it_ends_with_three_and_the_cure(say: Said, tmp_path: Path, words: list[str]) -> None:
    code, out, err = say(*words)
    assert (code, out) == (3, "")
    assert err == (
        f"no daemon answers at {tmp_path}/control.sock (No such file or directory); "
        "see: systemctl status station-gateway, or name its --config FILE\n"
    )


def test_without_a_daemon_the_files_are_told_from_and_left_as_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gateway.yaml").write_text(CONFIG)
    config = ["--config", str(tmp_path / "gateway.yaml")]
    with answering(tmp_path) as station:
        station.do(station.box.raised(sos(1), sos(2)))

        async def told() -> None:
            station.box.journal.tell(StoryLine(IDENT, WALL_MS, story.Heard("serial:a", -60)))
            await station.box.journal.flush()

        station.do(told())
    before = {path: path.read_bytes() for path in tmp_path.glob("*.db*")}
    assert main(["alerts", "list", *config]) == 3
    shown = capsys.readouterr()
    assert shown.out.splitlines()[0] == "Open alerts: 2. Critical and not accepted: 2."
    assert shown.err.splitlines()[1] == "this is what its files hold; nothing is heard, repeated or sent now"
    assert main(["alerts", "show", IDENT, *config]) == 3
    assert "heard over serial:a" in capsys.readouterr().out
    assert main(["alerts", "show", "02zz", *config]) == 3
    assert "no such alert" in capsys.readouterr().err
    assert main(["alerts", "accept", IDENT, *config]) == 3
    assert capsys.readouterr().out == ""
    assert {path: path.read_bytes() for path in before} == before


def test_files_that_cannot_be_read_are_said_to_be_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gateway.yaml").write_text(CONFIG)
    config = ["--config", str(tmp_path / "gateway.yaml")]
    assert main(["alerts", "list", *config]) == 3
    assert f"{tmp_path}/alert.db: not there; no daemon of this configuration has run yet" in capsys.readouterr().err
    assert not (tmp_path / "alert.db").exists()
    (tmp_path / "alert.db").write_bytes(b"rubbish" * 100)
    assert main(["alerts", "list", *config]) == 3
    assert f"{tmp_path}/alert.db: cannot be read" in capsys.readouterr().err


def test_who_may_not_use_the_socket_is_told_whom_it_is_for(
    say: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("gateway.cli.daemon.asked", denied)  # to root nothing is denied
    told = f"you may not use {tmp_path}/control.sock: be root, or of the group station-gateway\n"
    assert say("alerts", "list") == (1, "", told)


def test_a_daemon_that_has_too_much_to_do_says_so(
    station: Answering, say: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.control.CONNECTIONS", 0)
    assert say("alerts", "list") == (1, "", "the daemon has too much to do; try again\n")


def test_a_test_window_is_opened_and_shown_in_both_languages(
    station: Answering, say: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = r"band-0001: its first SOS until \d\d:\d\d:\d\d is a test, every further one is real\n"
    code, out, _ = say("devices", "test", "band-0001", "--minutes", "2")
    assert (code, bool(re.fullmatch(opened, out))) == (0, True)
    assert say("devices", "show", "band-0001")[1].count(out) == 1
    assert json.loads(say("devices", "test", "band-0001", "--json")[1])["until"] == "2026-11-24T00:05:00.000Z"
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert "之前的第一次紧急呼叫算作测试，之后的都是真实呼叫" in say("devices", "test", "band-0002")[1]
    code, out, err = say("devices", "test", "band-0009")
    assert (code, out, err) == (1, "", "band-0009：名册里没有这个设备，请查看 `station-gateway devices list`\n")


@pytest.mark.parametrize("by", ["Li Ming", "", "x" * 25, "li\n", "李"])
def test_a_name_that_is_no_pseudonym_is_not_sent(by: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["alerts", "accept", "01ka", "--by", by])
    assert ended.value.code == 2
    assert "write 1 to 24 of the characters a-z, 0-9 and -" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", ["alerts", "devices", "alerts show", "devices test", "devices test band-1 --minutes 11"], ids=str
)
def test_wrong_usage_ends_with_two(words: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words.split())
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("answer", "why"), [(b"", "it hung up"), (b"{", "it hung up"), (b"220 ready\n", "it is no gateway")]
)
def test_whoever_else_is_at_the_socket_is_no_daemon(say: Said, tmp_path: Path, answer: bytes, why: str) -> None:
    def answers() -> None:
        peer, _ = other.accept()
        peer.recv(4096)
        peer.sendall(answer)
        peer.close()

    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "control.sock"))
        other.listen()
        thread = threading.Thread(target=answers)
        thread.start()
        code, out, err = say("alerts", "list")
        thread.join()
    assert (code, out) == (3, "")
    assert f"({why})" in err
