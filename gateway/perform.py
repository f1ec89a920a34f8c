"""Does one action of the station: a program, a control line, a message. Blocking; in a process of its own."""

import os
import signal
import subprocess
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO
from urllib.parse import urlsplit

import serial
from msgspec.structs import replace
from paho.mqtt import MQTTException, publish

from gateway.actions import Action, Command, ControlLine, Publication
from gateway.summons import Outcome, Summons

SAID = 200
"""Characters of a program's last line that are told."""
KEPT = 4096
LEFT_S = 1.0
"""So long the output is waited for of a program that has ended."""
PORT = 1883


class Overdue(BaseException):
    """The time of an action is over. No Exception: libraries that are interrupted by it must let it pass."""


def perform(action: Action, summons: Summons) -> Outcome:
    """Do it within its time, and say what came of it, whatever that is. Only in a process's main thread."""
    began = time.monotonic()
    try:
        with _limited(action.timeout / 1000):
            outcome = _done(action, summons)
    except Overdue:
        outcome = Outcome(f"not done within {action.timeout / 1000:g} s, and ended")
    except (OSError, termios.error, MQTTException) as error:
        outcome = Outcome(_why(error))
    return replace(outcome, ms=round((time.monotonic() - began) * 1000))


def _done(action: Action, summons: Summons) -> Outcome:
    match action.deed:
        case Command() as command:
            return _run(command, summons)
        case ControlLine() as wired:
            return _set(wired)
        case Publication() as publication:
            return _say(publication)


def _run(command: Command, summons: Summons) -> Outcome:
    """What it started goes with it, when it ends and when its time is over."""
    process = subprocess.Popen(  # noqa: S603 - the technician's own words, without a shell
        command.run,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | command.environment | summons.environment(),
        cwd="/",
        start_new_session=True,
    )
    output = _Output(process.stdout)
    output.start()
    try:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # not reaped: its number is still its own
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
    output.join(LEFT_S)
    said = output.last_line
    return Outcome(_ended(code, said) if code else None, code, said)


class _Output(threading.Thread):
    """Reads what a program says, so that it never waits for us, and keeps the end of it."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        super().__init__(name="output", daemon=True)
        self._stream = stream
        self._kept = b""

    def run(self) -> None:
        while self._stream is not None and (chunk := os.read(self._stream.fileno(), KEPT)):
            self._kept = (self._kept + chunk)[-KEPT:]

    @property
    def last_line(self) -> str:
        lines = self._kept.decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:SAID] if lines else ""


def _ended(code: int, said: str) -> str:
    how = f"ended by signal {-code}" if code < 0 else f"ended with {code}"
    return f"{how}: {said}" if said else how


def _set(wired: ControlLine) -> Outcome:
    """Opening a port raises both lines for a moment, whoever does it: they are released at once."""
    port = serial.serial_for_url(wired.port, do_not_open=True, exclusive=True)
    port.rts = port.dtr = False
    with port:
        setattr(port, wired.line.value, True)
        try:
            time.sleep(wired.hold / 1000)
        finally:
            setattr(port, wired.line.value, False)
    return Outcome()


def _say(publication: Publication) -> Outcome:
    url = urlsplit(publication.broker)
    publish.single(publication.topic, publication.payload, qos=1, hostname=url.hostname or "", port=url.port or PORT)
    return Outcome()


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raises Overdue in what takes longer, wherever that waits."""

    def over(_signal: int, _frame: object) -> None:
        raise Overdue

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)
