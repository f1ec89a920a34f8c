"""`station-gateway act`: trying an action through its unit, and being that unit, as real processes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.acting import Acting
from tests.support.command import command

ACTIONS = """
mqtt: {brokers: [nonsense]}
local_alert:
  socket: act.sock
  actions:
    - {name: echo, command: {run: [/bin/sh, -c, 'echo "$STATION_GATEWAY_KIND for $WHO"'], environment: {WHO: all}}}
    - {name: broken, command: {run: [/bin/false]}}
"""
"""A mistake elsewhere in the file is no reason to stay silent."""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "gateway.yaml").write_text(ACTIONS)
    return tmp_path / "gateway.yaml"


def served(config: Path, line: bytes) -> tuple[int, dict[str, object], str]:
    """One request: the exit code, the answer, and what the journal has."""
    process = [sys.executable, "-m", "gateway.cli.main", "act", "--serve", "--config", str(config)]
    done = subprocess.run(process, input=line, capture_output=True, timeout=30, check=False)
    assert done.stdout.count(b"\n") == 1
    return done.returncode, json.loads(done.stdout), done.stderr.decode()


def test_an_action_is_tried_through_its_unit(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Acting(config.with_name("act.sock"), config) as acting:
        said = command(capsys, "act", "echo", "--config", str(config))
        assert (said.status, said.err) == (0, "")
        assert said.out.startswith("echo: done in 0.")
        assert said.out.endswith(" s: trial for all\n")
        said = command(capsys, "act", "broken", "--config", str(config))
        assert (said.status, said.out, said.err) == (1, "", "broken: ended with 1\n")
    assert [line.split(" -> ")[0] for line in acting.said] == [
        '{"action":"echo","alert":"trial","kind":"trial"}',
        '{"action":"broken","alert":"trial","kind":"trial"}',
    ]


def test_where_no_unit_answers_or_no_action_is_called_so_that_is_said(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = command(capsys, "act", "echo", "--config", str(config))
    assert (said.status, "systemctl enable --now station-gateway-act.socket" in said.err) == (1, True)
    said = command(capsys, "act", "eco", "--config", str(config))
    assert (said.status, said.err) == (
        1, "no action is called 'eco' in local_alert.actions; known are echo, broken\n"
    )  # fmt: skip
    assert command(capsys, "act").status == 2
    config.write_text("local_alert: {after: soon}")
    said = command(capsys, "act", "echo", "--config", str(config))
    assert (said.status, ":1:22: local_alert.after 'soon': not a duration" in said.err) == (2, True)


def test_the_unit_does_what_the_technician_wrote_down_and_the_journal_has_it(config: Path) -> None:
    line = b'{"action":"echo","alert":"a1","kind":"sos","count":2}\n'
    code, answer, journal = served(config, line)
    assert (code, answer["code"], answer["said"], "failure" in answer) == (0, 0, "sos for all", False)
    assert journal.startswith(line.decode().strip() + " -> {")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"", "not asked as the unit knows it"),
        (b"rubbish\n", "not asked as the unit knows it"),
        (b'{"action":"echo","alert":"a","kind":"sos","run":["/bin/sh"]}\n', "not asked as the unit knows it"),
        (b'{"action":"$(sh)","alert":"a","kind":"sos"}\n', "not asked as the unit knows it"),
        (b'{"action":"' + b"a" * 10_000 + b'"}\n', "not asked as the unit knows it"),
        (b'{"action":"reboot","alert":"a","kind":"sos"}\n', "no action is called 'reboot'"),
    ],
)
def test_nothing_else_can_be_asked_of_it(config: Path, line: bytes, why: str) -> None:
    code, answer, _ = served(config, line)
    assert code == 1
    assert why in str(answer["failure"])


def test_a_section_that_is_wrong_is_told_to_whoever_asks(config: Path) -> None:
    config.write_text("local_alert: {actions: [{name: echo}]}")
    _, answer, _ = served(config, b'{"action":"echo","alert":"a","kind":"sos"}\n')
    assert "write one of command, serial and mqtt" in str(answer["failure"])
