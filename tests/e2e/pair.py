"""Two stations in a bare machine that hear the same and meet the same power cuts: one as it is, the other careless.

The careless one runs SQLite with `synchronous=NORMAL`: it must lose what the other keeps, or nothing is proven.
"""

import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.bare import LOOPBACK, Bare
from tests.e2e.station import staged
from tests.support.daemon import roster_text
from tests.support.processes import wait_for

FULL, NORMAL = "full", "normal"
DATA = "/var/lib/stations"
UP_S = 240.0
"""About 12 s on two idle cores under emulation."""
SITE = "mkdir -p /mnt/site && mount -o ro /dev/vdb /mnt/site"
PROGRAMS = {FULL: "-m gateway.cli.main", NORMAL: "/mnt/share/guest/careless.py"}
RECEIVERS = {FULL: "/dev/ttyS1", NORMAL: "/dev/ttyS2"}
TELEMETRY = b'"gateway.telemetry.v1"'


def site_disk(folder: Path) -> Path:
    """A disk with the gateway and all that it needs: quicker to import from than a share."""
    disk, site = folder / "site.img", folder / "site"
    staged(folder)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    subprocess.run([*pip, "--find-links", folder / "wheels", "--target", site, "station-gateway"], check=True)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", site, disk, "128M"], check=True)
    return disk


def shared(folder: Path, broker_port: int, devices: int) -> Path:
    """The folder that the machine sees: what runs in it, and the stations' configuration."""
    shutil.copytree(Path(__file__).parent / "guest", folder / "guest")
    for name, receiver in RECEIVERS.items():
        (folder / name).mkdir()
        (folder / name / "devices.yaml").write_text(roster_text(devices))
        (folder / name / "gateway.yaml").write_text(
            f"station: {name}\ndata: {DATA}/{name}\ncontrol: /run/{name}.sock\nlog: {{format: json}}\n"
            f"mqtt: {{brokers: ['mqtt://{LOOPBACK}:{broker_port}'], reconnect_max: 500ms}}\n"
            f"serial: [{{port: {receiver}, name: rx}}]\nhealth_every: 1s\ntelemetry: {{commit_every: 200ms}}\n"
        )
    return folder


class Life:
    """The two stations from a boot to the next cut. What they have committed is known outside, whatever comes then.

    `mark` names a device of dm-log-writes below their data, into whose log each sight of new rows is marked.
    """

    def __init__(self, machine: Bare, mark: str = "") -> None:
        self.told: dict[tuple[str, bytes], int] = {}
        """The rows that were seen to be committed, by station and payload, and the last mark before they were told."""
        self._machine = machine
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        machine.run(SITE)
        for name, program in PROGRAMS.items():
            machine.run(f"mkdir -p {DATA}/{name}")
            self._begin(name, f"{program} run --config /mnt/share/{name}/gateway.yaml")
        folders = " ".join(f"{DATA}/{name}" for name in PROGRAMS)
        marking = f"--mark {mark}" if mark else ""
        self._begin("witness", f"/mnt/share/guest/witness.py {marking} {folders}")

    def wait_for_news(self, before: Sequence["Life"] = ()) -> None:
        """Return when each station has committed readings that no earlier life told of."""
        known = {row for life in before for row in life.told}

        def hear() -> bool:
            return {name for name, row in self.told.copy().keys() - known if TELEMETRY in row} == PROGRAMS.keys()

        try:
            wait_for(hear, UP_S, "readings of both stations")
        except AssertionError:
            print(self._machine.ask("tail -n 5 /run/*.log").output)
            raise

    def end(self) -> None:
        """Cut the power, and hear to the end what was said before."""
        self._machine.cut_power()
        self._thread.join()

    def kill(self) -> None:
        """End what runs, so that nothing is open on the disk; the machine goes on."""
        self._machine.run("kill -9 $(cat /run/pids)")

    def _begin(self, name: str, program: str) -> None:
        run = f"PYTHONPATH=/mnt/site exec python3 {program} >/run/{name}.log 2>&1"
        self._machine.run(f"({run}) & echo $! >>/run/pids")

    def _listen(self) -> None:
        with self._machine.reports.makefile("rb") as lines:
            for line in lines:
                if line.endswith(b"\n"):  # the last may be half said
                    name, mark, row = line[:-1].split(b" ", 2)
                    self.told.setdefault((name.decode(), row), int(mark))
