"""Ports, waiting and ending, for tests that start real processes."""

import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar

T = TypeVar("T")


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def wait_for(condition: Callable[[], T], seconds: float, what: str = "") -> T:
    """What `condition` says as soon as it is true; AssertionError when it is not in time."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds} s: {what or condition}"
        time.sleep(0.01)


def accepts(port: int) -> bool:
    with socket.socket() as sock:
        sock.settimeout(0.2)
        return sock.connect_ex(("127.0.0.1", port)) == 0


def end(process: subprocess.Popen[bytes], seconds: float = 5.0) -> int:
    """Ask it to end; kill it where it does not."""
    if process.poll() is None:
        process.terminate()
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


class Server:
    """A real server on a free port, with a folder of its own. `kill` and `start` again keep port and data."""

    command: list[str]
    """Set by whoever derives from this."""
    environment: dict[str, str] | None = None
    """What it is told besides our own."""
    starts_s, ends_s = 10.0, 5.0
    """How long it may take to accept, and to end."""

    def __init__(self, folder: Path, name: str) -> None:
        self.port = free_port()
        self._folder = folder / f"{name}-{self.port}"
        self._folder.mkdir(parents=True)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text()

    def start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            told = os.environ | (self.environment or {})
            self._process = subprocess.Popen(self.command, stdout=log, stderr=log, env=told)
        wait_for(lambda: accepts(self.port), self.starts_s, f"{self.command[0]} accepts")

    def stop(self) -> None:
        if self._process is not None:
            end(self._process, self.ends_s)
            self._process = None

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None
