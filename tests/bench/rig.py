"""What every figure is measured on: a real broker, the daemon as a process, a pty and a named pipe into it."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from tests.support.daemon import Daemon
from tests.support.line import Line
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for
from tests.support.receiver import Receiver

QUIET = "log_dest none\npersistence false\nautosave_on_changes false"
"""The tests' broker logs every packet and saves at every change; here it must not be what is measured."""


@contextmanager
def folder() -> Iterator[Path]:
    """On the disk that TMPDIR names: commits are as fast as its fsync."""
    with tempfile.TemporaryDirectory(prefix="station-bench-") as name:
        yield Path(name)


class Rig:
    """A station with a serial receiver, another one for noise, and a pipe of adverts. `data` is a data folder to begin
    with, `more` further sections of gateway.yaml.

    `line` stands between it and its broker, whose port it gets.

    Entering starts the daemon, and the broker too unless it is to be `away` at first.
    """

    def __init__(
        self,
        base: Path,
        devices: int,
        telemetry: str = "",
        *,
        data: Path | None = None,
        away: bool = False,
        more: str = "",
        broker: str = QUIET,
        environment: dict[str, str] | None = None,
        line: Callable[[int], Line] | None = None,
    ) -> None:
        self.broker = Mosquitto(base, extra=broker)
        self._line = line(self.broker.port) if line is not None else None
        url = self._line.url if self._line is not None else self.broker.url
        self.receiver, self.noise = Receiver(base / "receiver"), Receiver(base / "noise")
        self.pipe = base / "adverts"
        os.mkfifo(self.pipe)
        self.data = base / "box" / "data"
        if data is not None:
            shutil.copytree(data, self.data)
        ports = f"{{port: {self.receiver.path}, name: rx}}, {{port: {self.noise.path}, name: noise}}"
        links = f"serial: [{ports}]\nreplay: [{{file: {self.pipe}, name: air}}]"
        more = "\n".join([links, f"telemetry: {{{telemetry}}}" if telemetry else "", more])
        self.daemon = Daemon(base / "box", [url], devices=devices, more=more, environment=environment)
        self._away = away
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            opening.enter_context(self.receiver)
            opening.enter_context(self.noise)
            opening.callback(self.broker.stop)
            if self._line is not None:
                opening.enter_context(self._line)
            if not self._away:
                self.broker.start()
            opening.enter_context(self.daemon)
            wait_for(lambda: len(self.daemon.log(event="link up")) == 3, 10, "all links")
            if not self._away:
                wait_for(lambda: self.daemon.log(event="connected"), 10, "the broker")
            self._open = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def counters(self) -> dict[str, int]:
        """What the daemon counted, told as it stops."""
        assert self.daemon.stop() == 0
        return {name: value for name, value in self.daemon.log(event="stopped")[-1].items() if isinstance(value, int)}
