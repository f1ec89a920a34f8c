"""`local_alert` as technicians write it: what is taken, and what a wrong one is told, with its place."""

from pathlib import Path

import pytest

from drivers.marked import Refused
from gateway.actions import Line, LocalAlertFile, load_local_alert
from gateway.setup import load_all
from tests.support.keys import problems

ONE_OF = "does not say what to do, or says several things; write one of command, serial and mqtt"
BASE = "station: a\nmqtt: {brokers: [mqtts://b]}\n"


def told(folder: Path, action: str) -> list[str]:
    """What is wrong with the only action, without the file's name."""
    found = problems(folder, f"local_alert: {{actions: [{action}]}}", LocalAlertFile)
    return [f"{each.what}; {each.cure}" for each in found]


def test_the_three_kinds_of_actions(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text("""
station: 1   # whatever else is in the file, or wrong with it
local_alert:
  socket: act.sock
  actions:
    - {name: ring, command: {run: [/usr/bin/ring, -v, "2"], environment: {HALL: "2"}}, timeout: 30s}
    - {name: siren, serial: {port: /dev/serial/by-id/a, line: dtr, hold: 500ms}}
    - {name: lamp, mqtt: {topic: lamp/set}}
""")
    local = load_local_alert(tmp_path / "gateway.yaml")
    assert (local.after, local.every, local.socket) == (30_000, 60_000, tmp_path / "act.sock")
    ring, siren, lamp = local.actions
    assert ring.command is not None
    assert (ring.command.run, ring.command.environment) == (("/usr/bin/ring", "-v", "2"), {"HALL": "2"})
    assert siren.serial is not None
    assert (siren.serial.line, siren.serial.hold, siren.timeout) == (Line.DTR, 500, 10_000)
    assert lamp.mqtt is not None
    assert (lamp.mqtt.broker, lamp.mqtt.payload) == ("mqtt://localhost:1883", "on")
    assert (local.action("lamp"), local.action("horn")) == (lamp, None)


def test_without_the_section_nothing_is_done(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text("station: a\n")
    assert load_local_alert(tmp_path / "gateway.yaml").actions == ()


@pytest.mark.parametrize(
    ("action", "what"),
    [
        ("{name: a}", f"local_alert.actions.0: {ONE_OF}"),
        ("{name: a, mqtt: {topic: t}, command: {run: [/a]}}", f"local_alert.actions.0: {ONE_OF}"),
        (
            "{name: a, serial: {port: /dev/a, hold: 10s}}",
            (
                "local_alert.actions.0: its time is over before its line is released; "
                "write a timeout longer than serial.hold"
            ),
        ),
        (
            "{name: a, command: {run: [ring, -v]}}",
            "local_alert.actions.0.command.run: names a program without its path; write where it is, from / on",
        ),
        (
            "{name: a, command: {run: []}}",
            "local_alert.actions.0.command.run: is empty; write at least 1, such as - /usr/local/bin/ring",
        ),
        (
            '{name: a, command: {run: [/a, "b\\0"]}}',
            "local_alert.actions.0.command.run.1 'b\\x00': has a zero byte; write text without it",
        ),
        (
            "{name: a, serial: {port: COM3}}",
            (
                "local_alert.actions.0.serial.port 'COM3': not a port with control lines; "
                "write /dev/serial/by-id/… or rfc2217://HOST:PORT"
            ),
        ),
        (
            "{name: a, mqtt: {topic: 'lamp/#'}}",
            (
                "local_alert.actions.0.mqtt.topic 'lamp/#': not a topic to publish to; "
                "write words joined by /, without + or #"
            ),
        ),
        (
            "{name: a, mqtt: {topic: t, broker: 'mqtts://b'}}",
            (
                "local_alert.actions.0.mqtt.broker 'mqtts://b': is encrypted, and meant for a broker on the station; "
                "write mqtt://HOST:1883"
            ),
        ),
    ],
)
def test_what_a_wrong_action_is_told(tmp_path: Path, action: str, what: str) -> None:
    assert told(tmp_path, action) == [what]


@pytest.mark.parametrize("name", ["STATION_GATEWAY_KIND", "2ND", "A-B", "A=B", ""])
def test_what_tells_of_the_alert_cannot_be_set_by_hand(tmp_path: Path, name: str) -> None:
    (said,) = told(tmp_path, f'{{name: a, command: {{run: [/a], environment: {{"{name}": x}}}}}}')
    assert "not a variable's name; use A-Z, 0-9 and _, and do not begin with STATION_GATEWAY_" in said


def loaded(folder: Path, text: str) -> list[str]:
    """What a daemon would be refused for, or what is merely doubtful."""
    (folder / "gateway.yaml").write_text(BASE + text)
    (folder / "devices.yaml").write_text("")
    try:
        found = load_all(folder / "gateway.yaml").doubts
    except Refused as refused:
        found = refused.problems
    return [str(each).removeprefix(f"{folder}/") for each in found]


def test_two_actions_of_one_name_and_a_receivers_port_are_told_with_their_place(tmp_path: Path) -> None:
    text = """serial: [{port: /dev/ttyUSB0}]
local_alert:
  actions:
    - {name: a, mqtt: {topic: t}}
    - {name: a, serial: {port: /dev/ttyUSB0}}
"""
    assert loaded(tmp_path, text) == [
        "gateway.yaml:7:14: another action is called a already; give it a name of its own",
        (
            "gateway.yaml:7:32: a receiver is at this port; put the siren on a port of its own: "
            "a receiver's is held by the daemon"
        ),
    ]


def test_a_program_that_is_not_there_is_doubted_but_keeps_no_alert_from_being_carried(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no program")
    text = f"local_alert: {{actions: [{{name: a, command: {{run: [{tmp_path}/text]}}}}]}}"
    assert loaded(tmp_path, text) == [
        (
            f"gateway.yaml:3:51: {tmp_path}/text is no program; "
            "put it in place, executable for the user station-gateway-act, or correct the path"
        )
    ]
    assert loaded(tmp_path, text.replace(f"{tmp_path}/text", "/bin/true")) == []
