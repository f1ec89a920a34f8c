"""Logs on standard error: JSON lines where nobody watches, words on a terminal, libraries' warnings among them."""

import json
import os
import pty
import subprocess
import sys
from typing import Any

import pytest

PROGRAM = """
import logging, sys, structlog
from gateway import logs
log = structlog.get_logger("app")
logs.configure(*sys.argv[1:])
log.debug("at debug", link="serial:a")
log.info("alert", id="01k", kind="sos", state="raised", places=["lobby", "王\\n"])
log.warning("at warning")
logging.getLogger("paho").info("a library's chat")
logging.getLogger("asyncio").warning("a library's %s", "warning")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("defect", what="serial:a")
    logging.getLogger("asyncio").exception("never retrieved")
"""


def piped(*args: str) -> list[str]:
    """The lines on standard error where that is a pipe."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, *args], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return done.stderr.splitlines()


def parsed(*args: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in piped(*args)]


def on_a_terminal(*args: str) -> str:
    master, slave = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", PROGRAM, *args], stderr=slave, stdout=subprocess.DEVNULL) as process:
        os.close(slave)
        said = b""
        while chunk := _read(master):
            said += chunk
        assert process.wait() == 0
    os.close(master)
    return said.decode()


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:  # the other end has closed
        return b""


def test_where_nobody_watches_each_event_is_one_line_of_json() -> None:
    lines = parsed()
    assert [line["event"] for line in lines] == [
        "alert", "at warning", "a library's warning", "defect", "never retrieved"
    ]  # fmt: skip
    assert [line["level"] for line in lines] == ["info", "warning", "warning", "error", "error"]
    alert = lines[0]
    assert alert.pop("timestamp").endswith("Z")
    assert alert == {
        "event": "alert", "level": "info", "id": "01k", "kind": "sos", "state": "raised", "places": ["lobby", "王\n"]
    }  # fmt: skip


def test_an_exception_is_told_by_its_type_and_place_within_its_line() -> None:
    for line in parsed()[-2:]:
        (error,) = line["exception"]
        assert (error["exc_type"], error["exc_value"]) == ("ZeroDivisionError", "division by zero")
        assert error["frames"][-1]["lineno"] > 1


@pytest.mark.parametrize(
    ("level", "first"), [("debug", "at debug"), ("info", "alert"), ("warning", "at warning"), ("error", "defect")]
)
def test_what_is_below_the_level_is_not_said(level: str, first: str) -> None:
    events = [line["event"] for line in parsed(level) if "library" not in line["event"]]
    assert events[0] == first
    assert events[-1] == "never retrieved"


def test_on_a_terminal_people_read_words() -> None:
    said = on_a_terminal()
    assert "alert" in said
    assert "kind" in said
    assert "ZeroDivisionError" in said
    assert '{"event"' not in said


def test_json_and_console_can_be_asked_for_wherever_it_runs() -> None:
    for line in on_a_terminal("info", "json").splitlines():
        assert json.loads(line)["event"]
    assert not any(line.startswith("{") for line in piped("info", "console"))
