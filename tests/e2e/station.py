"""The station in the machine: installed by its own script, with a broker, somebody who hears it, and a radio world."""

import json
import shlex
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.machine import Failed, Machine

ROOT = Path(__file__).parents[2]
GUEST = Path(__file__).parent / "guest"
INSTALL_S = 600
"""About 55 s on an idle core under emulation."""
SOON_S = 90.0
SOS = 1


def staged(share: Path) -> None:
    """What the machine is given: this checkout, the wheels it needs, and what runs in the machine for the tests."""
    ignored = shutil.ignore_patterns(".git", ".venv", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis", "build")
    shutil.copytree(ROOT, share / "gateway", ignore=ignored)
    shutil.copytree(GUEST, share / "guest")
    subprocess.run(["sh", "systemd/wheels.sh", str(share / "wheels")], cwd=ROOT, check=True)


class Station:
    """One for all tests, in the order in which they stand."""

    def __init__(self, machine: Machine) -> None:
        self.machine, self.run = machine, machine.run

    def install(self) -> str:
        script = "/mnt/share/gateway/systemd/install.sh"
        return self.run(f"sh {script} --wheels /mnt/share/wheels 2>&1", INSTALL_S)

    def begin_broker(self) -> None:
        """Mosquitto on the machine's loopback, and an ear that writes down all it hears."""
        conf = "listener 1883 127.0.0.1\\nallow_anonymous true\\nmax_queued_messages 0\\n"
        self.run(f"mkdir -p /run/e2e && printf '{conf}' > /run/e2e/mosquitto.conf")
        self.run("systemd-run -q -u e2e-broker mosquitto -c /run/e2e/mosquitto.conf")
        self.wait(lambda: self.machine.ask("mosquitto_pub -h 127.0.0.1 -t e2e -m there").code == 0)
        ear = 'exec mosquitto_sub -h 127.0.0.1 -q 1 -i ear -t "398/v1/#" -F "%t %p"'
        self.run(f"systemd-run -q -u e2e-ear -p StandardOutput=file:/run/e2e/heard sh -c {shlex.quote(ear)}")

    def configure(self, text: str, wearables: int) -> None:
        self._put("/etc/station-gateway/gateway.yaml", text)
        device = '  - {{id: band-{0:04}, address: "C0:98:00:01:{1:02X}:{2:02X}", wearer: w-{0:04}}}'
        devices = [device.format(number, number >> 8, number & 255) for number in range(wearables)]
        self._put("/etc/station-gateway/devices.yaml", "\n".join(["devices:", *devices, ""]))
        self.run("station-gateway check /etc/station-gateway/gateway.yaml")

    def world(self, wearables: int, connectable: int = 0, radios: int = 1, interval_s: float = 1.0) -> None:
        """A new world; the one before it ends, and its adapters with it."""
        self.machine.ask("systemctl stop e2e-world")
        log = "/run/e2e/world.log"
        command = f"python3 /mnt/share/guest/world.py {wearables} {connectable} {interval_s} {radios} /run/e2e/world"
        self.run(
            f"rm -f {log} /run/e2e/world; systemd-run -q -u e2e-world -E PYTHONPATH=/opt/world"
            f" -p StandardOutput=file:{log} -p StandardError=file:{log} {command}"
        )
        self.wait(lambda: self.machine.ask(f"grep -q 'the world turns' {log}").code == 0)

    def ask_world(self, do: str, **more: Any) -> Any:
        said = self.run(f"echo {shlex.quote(json.dumps({'do': do, **more}))} | socat -t 10 - UNIX:/run/e2e/world")
        answer = json.loads(said)
        if "error" in answer:
            raise Failed(f"{do} {more}: {answer['error']}")
        return answer["ok"]

    def press(self, wearable: int, code: int = SOS) -> str:
        """Press a key; the name of the device."""
        self.ask_world("press", wearable=wearable, code=code)
        return f"band-{wearable:04}"

    def heard(self, topic: str) -> list[dict[str, Any]]:
        """The payloads heard so far on topics that begin so."""
        said = self.machine.ask(f"grep -a '^398/v1/test-01/{topic}' /run/e2e/heard").output
        return [json.loads(line.partition(" ")[2]) for line in said.splitlines()]

    def pressed(self) -> Counter[str]:
        """How many alerts there are for SOS, by device: each press is to be one."""
        told = [each["data"] for each in self.heard("alert/") if "data" in each]
        return Counter(data["device"] for data in told if data["reason"] == "press" and data["kind"] == "sos")

    def alerts(self, kind: str) -> list[dict[str, Any]]:
        return [each["data"] for each in self.heard("alert/") if "data" in each and each["data"]["kind"] == kind]

    def health(self) -> dict[str, Any]:
        return self.heard("health")[-1]

    def log(self, event: str) -> list[dict[str, Any]]:
        """The daemon's log lines of this event, since the machine booted."""
        said = self.run("journalctl -u station-gateway -o cat --no-pager")
        lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]

    def wait(self, condition: Callable[[], bool], seconds: float = SOON_S, what: str = "") -> float:
        """Return once it holds, with the seconds that took. Failed where that is too late, with the daemon's log."""
        begun = time.monotonic()
        while not condition():
            if time.monotonic() - begun > seconds:
                log = self.machine.ask("journalctl -u station-gateway -o cat --no-pager | tail -40").output
                raise Failed(f"{what or 'it'} did not come true within {seconds:g} s\n{log}")
            time.sleep(0.5)
        return time.monotonic() - begun

    def until_heard(self, *devices: str, seconds: float = SOON_S) -> None:
        """Wait until each of these has raised an alert."""
        wanted = set(devices)
        self.wait(lambda: wanted <= set(self.pressed()), seconds, f"alerts of {', '.join(devices)}")

    def uptime(self) -> float:
        return float(self.run("cut -d' ' -f1 /proc/uptime"))

    def _put(self, path: str, text: str) -> None:
        self.run(f"cat > {path} <<'END'\n{text}\nEND")
