"""Whoever stands at the box sees what is open, accepts it, and reads afterwards everything that happened to it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from drivers.base import Counter, Occurrence, OccurrenceKind
from drivers.registry import Profiles
from gateway.cli.street import Code, Kind, serial_frame
from tests.support.air import band, burst
from tests.support.capture import occurrences
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for
from tests.support.receiver import Receiver
from tests.support.terminal import Terminal


def happened(story: list[dict[str, Any]]) -> list[str]:
    return [f"{line['type']} {line['reason']}" if line["type"] == "decided" else line["type"] for line in story]


def press(receiver: Receiver, number: int, code: Code = Code.SOS) -> None:
    for payload in burst(band(number), code):
        receiver.write(serial_frame(number, payload))


def test_a_press_is_listed_accepted_at_the_shell_heard_by_the_cloud_and_told_after_a_kill_too(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    more = f"serial: [{{port: {receiver.path}, name: rx, zone: lobby}}]"
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
        terminal = Terminal(daemon)
        wait_for(lambda: daemon.log(event="connected"), 5)
        press(receiver, 1)
        alert = cloud.wait(lambda c: c.alerts(kind="sos"))[0]
        ident = alert["id"]

        code, out = terminal("alerts", "list")
        assert (code, out.splitlines()[0]) == (0, "Open alerts: 1. Critical and not accepted: 1.")
        assert all(word in out for word in ("w-0001 (band-0001)", "SOS", "NOT ACCEPTED", "lobby", ident[:10]))
        code, out = terminal("alerts", "list", lang="zh_CN.UTF-8")
        assert (code, out.splitlines()[0]) == (0, "未结束的警报：1 条，其中紧急且无人接警：1 条。")
        assert all(word in out for word in ("紧急呼叫", "无人接警", "佩戴者"))

        assert terminal("alerts", "accept", ident[:12], "--by", "li")[0] == 0
        accepted = cloud.wait(lambda c: c.alerts(state="accepted"))[0]
        assert (accepted["id"], accepted["reason"], accepted["by"]) == (ident, "accept", f"box-{user()}/li")
        code, out = terminal("alerts", "accept", "band-0001")
        assert (code, out) == (1, "band-0001: somebody has accepted it already\n")
        cloud.answer("ack", cloud.acknowledge(ident))  # refused as well: one story for all who have a word in it

        wanted = [
            "heard", "recorded", "decided press", "committed", "sent", "taken",
            "decided accept", "committed", "sent", "taken", "buzzed", "refused", "refused",
        ]  # fmt: skip
        story = wait_for(lambda: len(found := terminal.story(ident)) == len(wanted) and found, 10, "the whole story")
        told = happened([line for line in story if line["type"] != "buzzed"])
        assert told == [each for each in wanted if each != "buzzed"]
        assert [line["by"] for line in story if line["type"] == "refused"] == [f"box-{user()}", "desk-3"]
        rows = {line["row"] for line in story if line["type"] == "taken"}
        epoch = cloud.state()["lanes"]["alert"]["epoch"]
        assert rows == {f"{epoch}-1", f"{epoch}-2"}

        daemon.kill()
        code, out = terminal("alerts", "show", ident)
        assert (code, "see: systemctl status station-gateway" in out) == (3, True)
        assert f"accepted by box-{user()}/li" in out
        daemon.restart()
        assert terminal.story(ident)[: len(story)] == story
        assert terminal("alerts", "clear", "band-0001")[0] == 0
        cloud.wait(lambda c: c.alerts(state="cleared", by=f"box-{user()}"))
        assert terminal("alerts", "list")[1] == "No alert is open.\n"
        assert happened(terminal.story(ident))[len(story) :][0] == "decided clear"
        kept = (tmp_path / "box" / "data" / "story.jsonl").read_text()
        assert f"{band(1).number:08x}" not in kept
        assert cloud.breaches == []


def test_the_packets_around_an_alert_replay_to_the_same_press(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    more = f"serial: [{{port: {receiver.path}, name: rx}}]"
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
        terminal = Terminal(daemon)
        wait_for(lambda: daemon.log(event="link up"), 5)
        for number in (1, 2):
            receiver.write(serial_frame(number, band(number).payload(Kind.HEARTBEAT)))
        cloud.wait(lambda c: c.readings())
        press(receiver, 1)
        ident = cloud.wait(lambda c: c.alerts(kind="sos"))[0]["id"]
        file = next(line["file"] for line in terminal.story(ident) if line["type"] == "recorded")
        recording = tmp_path / "box" / "data" / "recordings" / file
        count = len(burst(band(1), Code.SOS))
        wait_for(lambda: recording.exists() and len(recording.read_bytes().splitlines()) == 2 + count, 10)
        assert recording.stat().st_mode & 0o777 == 0o600
        found = occurrences(recording, Profiles.load())
        assert found.count(Occurrence(OccurrenceKind.SOS, Counter(1, fresh=True, wrap=65_535))) == count


def test_a_frame_that_cannot_be_read_is_recorded_with_what_was_around_it(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    more = f"serial: [{{port: {receiver.path}, name: rx}}]"
    with Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
        wait_for(lambda: daemon.log(event="link up"), 5)
        good = serial_frame(1, band(1).payload(Kind.VITALS))
        receiver.write(good + good[:-1] + bytes([good[-1] ^ 1]) + good)
        folder = tmp_path / "box" / "data" / "recordings"
        (recording,) = wait_for(lambda: list(folder.glob("*-serial-rx.failure.jsonl")), 10)
        lines = [json.loads(line) for line in wait_for(lambda: recording.read_text().splitlines(), 5)]
        assert ["payload" in line or line["reason"] for line in lines] == [True, "checksum", True]
        assert "hex" in lines[1]


@pytest.mark.parametrize("full", ["story.jsonl", "recordings"])
def test_what_cannot_be_kept_of_a_story_costs_no_alert(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver, full: str
) -> None:
    data = tmp_path / "box" / "data"
    data.mkdir(parents=True)
    if full == "story.jsonl":
        (data / full).symlink_to("/dev/full")
    else:
        (data / full).write_text("no folder")
    more = f"serial: [{{port: {receiver.path}, name: rx}}]\nhealth_every: 1s"
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
        wait_for(lambda: daemon.log(event="connected"), 5)
        for number in (1, 2, 3):
            press(receiver, number)
            cloud.wait(lambda c, n=number: c.alerts(device=f"band-{n:04}", reason="press"))
        fault = {"story.jsonl": "story_unsaved", "recordings": "recording_unsaved"}[full]
        cloud.wait(lambda c: fault in [each["fault"] for each in c.health().get("faults", [])], 10)
        code, out = Terminal(daemon)("alerts", "list")
        assert (code, out.splitlines()[0]) == (0, "Open alerts: 3. Critical and not accepted: 3.")
        assert cloud.breaches == []


def test_wearables_are_shown_with_when_they_were_heard(tmp_path: Path, broker: Mosquitto, receiver: Receiver) -> None:
    more = f"serial: [{{port: {receiver.path}, name: rx}}]"
    with Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
        wait_for(lambda: daemon.log(event="link up"), 5)
        receiver.write(serial_frame(2, band(2).payload(Kind.VITALS)))
        terminal = Terminal(daemon)
        heard = wait_for(lambda: terminal.json("devices", "show", "band-0002")["device"]["last_heard"], 10)
        devices = terminal.json("devices", "list")["devices"]
        assert [(device["device"], device["last_heard"], device["battery_level"]) for device in devices] == [
            ("band-0001", None, None), ("band-0002", heard, 88), ("band-0003", None, None), ("band-0004", None, None)
        ]  # fmt: skip
        code, out = terminal("devices", "list")
        assert (code, out.splitlines()[0]) == (0, "Wearables: 4. Never heard: 3.")
        assert daemon.stop() == 0
        assert not (tmp_path / "box" / "control.sock").exists()
        assert terminal("devices", "list")[0] == 3


def user() -> str:
    return subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
