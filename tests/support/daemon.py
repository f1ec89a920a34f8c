"""The real daemon as a process of its own, with the systemd side of its life recorded."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from tests.support.processes import end, wait_for

ROSTER = 4


def address(number: int) -> str:
    """The Bluetooth address of the street's wearable `number`; its low 32 bits are its serial id."""
    return f"c098{number:08x}"


def roster_text(devices: int, first: int = 1) -> str:
    entry = '  - {{id: band-{0:04}, address: "{1}", wearer: w-{0:04}}}'
    lines = [entry.format(number, address(number)) for number in range(first, first + devices)]
    return "\n".join(["devices:", *lines, ""]) if devices else "devices: []\n"


class Daemon:
    """Its roster begins with the street's wearable `first`.

    `more` is YAML that is appended to gateway.yaml; `mqtt` are lines below its `mqtt:`; `enter` is a command that
    becomes the daemon where it is to run.
    """

    def __init__(
        self,
        folder: Path,
        brokers: list[str],
        *,
        devices: int = ROSTER,
        first: int = 1,
        station: str = "test-01",
        version: str = "5",
        mqtt: str = "",
        more: str = "",
        environment: dict[str, str] | None = None,
        program: str = "gateway.cli.main",
        enter: Sequence[str] = (),
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.station = station
        self.config = folder / "gateway.yaml"
        listed = ", ".join(brokers)
        self.config.write_text(
            f"station: {station}\ndata: data\ncontrol: control.sock\n"
            f"mqtt:\n  brokers: [{listed}]\n  version: '{version}'\n"
            f"  reconnect_max: 500ms\n{mqtt}\nlog: {{format: json}}\n{more}\n"
        )
        (folder / "devices.yaml").write_text(roster_text(devices, first))
        self._environment = os.environ | (environment or {})
        self._command = [*enter, sys.executable, "-m", program, "run", "--config", str(self.config)]
        self._process: subprocess.Popen[bytes] | None = None
        self._told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._told.bind(str(folder / "notify"))
        self._told.setblocking(False)
        self.notified: list[str] = []

    def __enter__(self) -> Self:
        with ExitStack() as failing:
            failing.push(self)  # else one that is late would outlive the test
            self.start()
            self.wait_ready()
            failing.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            end(self._process)
        self._told.close()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self, **environment: str) -> None:
        with (self.folder / "log").open("ab") as log:
            told = {"NOTIFY_SOCKET": str(self.folder / "notify")}
            self._process = subprocess.Popen(self._command, stderr=log, env=self._environment | told | environment)

    def wait_ready(self, seconds: float = 60.0) -> None:
        wait_for(lambda: "READY=1" in self.systemd() or self.dead, seconds, "READY=1")
        assert "READY=1" in self.notified, self.log_text()

    def restart(self) -> None:
        self.notified.clear()
        self.start()
        self.wait_ready()

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        assert self._process is not None
        return end(self._process, 10)

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def wait_end(self, seconds: float) -> int:
        assert self._process is not None
        return self._process.wait(seconds)

    def systemd(self) -> list[str]:
        """Every line that systemd was told so far."""
        while True:
            try:
                self.notified += self._told.recv(4096).decode().split("\n")
            except BlockingIOError:
                return self.notified

    def log_text(self) -> str:
        return (self.folder / "log").read_text()

    def log(self, **wanted: Any) -> list[dict[str, Any]]:
        """Log entries that have all of `wanted`."""
        lines = [json.loads(line) for line in self.log_text().splitlines() if line.startswith("{")]
        return [line for line in lines if all(line.get(name) == value for name, value in wanted.items())]

    def rss_mib(self) -> float:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise AssertionError("no VmRSS")

    def cpu_s(self) -> float:
        """Processor time used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def dead(self) -> bool:
        return self._process is not None and self._process.poll() is not None


def faults(daemon: Daemon) -> dict[str, dict[str, Any]]:
    """Those begun and not ended."""
    open_: dict[str, dict[str, Any]] = {}
    for line in daemon.log():
        if line.get("event") == "fault":
            open_[line["fault"]] = line
        elif line.get("event") == "fault over":
            open_.pop(line["fault"], None)
    return open_
