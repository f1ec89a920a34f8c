"""The command itself: what it says to somebody who knows nothing of it yet, and how it ends."""

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli.main import COMMANDS

COMMAND = [sys.executable, "-m", "gateway.cli.main"]


def said(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *words], capture_output=True, text=True, timeout=20, check=False)


def test_without_a_command_it_says_which_there_are() -> None:
    told = said()
    assert (told.returncode, told.stdout) == (2, "")
    assert [line.split()[0] for line in told.stderr.splitlines() if line.startswith("    ")] == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_does_and_how_it_ends(command: str) -> None:
    told = said(command, "--help")
    assert (told.returncode, told.stderr) == (0, "")
    assert command == "schema" or "Exit 0: " in told.stdout


def test_an_unknown_command_is_told_those_there_are() -> None:
    told = said("chekc")
    assert told.returncode == 2
    assert all(command in told.stderr for command in COMMANDS)


def test_a_reader_that_has_seen_enough_ends_it_without_a_word(tmp_path: Path) -> None:
    line = '{"at":"2026-11-23T08:00:00.000Z","link":"serial:a","reason":"checksum","hex":"a55a11"}\n'
    (tmp_path / "quarantine.jsonl").write_text(line * 5_000)
    command = [*COMMAND, "decode", str(tmp_path / "quarantine.jsonl")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(20) == 141
