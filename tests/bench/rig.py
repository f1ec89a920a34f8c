"""What every figure is measured on: a real broker, the daemon as a process, a pty and a named pipe into it."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from tests.support.daemon import Daemon
from tests.support.line import Line
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for
from tests.support.receiver import Receiver

STATION = Path(__file__).parent / "station"
"""First on the daemon's path: what is different at a station, and what only the bench wants to know."""
UNIT = Path("systemd/station-gateway.service")
QUIET = "log_dest none\npersistence false\nautosave_on_changes false"
"""The tests' broker logs every packet and saves at every change; here it must not be what is measured."""


def _unit() -> dict[str, str]:
    """The environment that the daemon's unit gives it."""
    lines = [line.split("=", 2) for line in UNIT.read_text().splitlines()]
    return {line[1]: line[2] for line in lines if line[0] == "Environment"}


@contextmanager
def folder() -> Iterator[Path]:
    """On the disk that TMPDIR names: commits are as fast as its fsync."""
    with tempfile.TemporaryDirectory(prefix="station-bench-") as name:
        yield Path(name)


class Rig:
    """A station with a serial receiver, another one for noise, and a pipe of adverts. `data` is a data folder to begin
    with, `more` further sections of gateway.yaml.

    `line` stands between it and its broker.

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
        line: Line | None = None,
    ) -> None:
        self.broker = Mosquitto(base, address=line.address if line else None, extra=broker)
        url = self.broker.url_at(line.address) if line else self.broker.url
        self.receiver, self.noise = Receiver(base / "receiver"), Receiver(base / "noise")
        self.pipe = base / "adverts"
        os.mkfifo(self.pipe)
        self.data = base / "box" / "data"
        if data is not None:
            shutil.copytree(data, self.data)
        ports = f"{{port: {self.receiver.path}, name: rx}}, {{port: {self.noise.path}, name: noise}}"
        links = f"serial: [{ports}]\nreplay: [{{file: {self.pipe}, name: air}}]"
        more = "\n".join([links, f"telemetry: {{{telemetry}}}" if telemetry else "", more])
        environment = {"PYTHONPATH": f"{STATION}:{Path.cwd()}"} | _unit() | (environment or {})
        enter = line.enter if line else ()
        self.daemon = Daemon(base / "box", [url], devices=devices, more=more, environment=environment, enter=enter)
        self._away = away
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            opening.enter_context(self.receiver)
            opening.enter_context(self.noise)
            opening.callback(self.broker.stop)
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
