"""The station in the machine: installed by its own script, with a broker, somebody who hears it, and a radio world."""

import json
import re
import shlex
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.e2e.guest.wearables import NOTIFIED_BPM
from tests.e2e.machine import Done, Failed, Machine

ROOT = Path(__file__).parents[2]
INSTALL_S = 600
"""About 55 s on an idle core under emulation."""
SOON_S, HEAL_S = 90.0, 120.0
SOS = 1
JOURNAL = "journalctl -u station-gateway -o cat --no-pager"
WORLD_LOG = "/run/e2e/world.log"


def staged(folder: Path, version: str = "", more: str = "") -> None:
    """A checkout of the gateway, and the wheels it needs. `version` is its number; `more` is added to its `run`."""
    ignored = shutil.ignore_patterns(".*", "*.egg-info", "__pycache__", "build")
    shutil.copytree(ROOT, folder / "gateway", ignore=ignored)
    if version:
        project = folder / "gateway/pyproject.toml"
        project.write_text(re.sub("^version = .*", f'version = "{version}"', project.read_text(), flags=re.MULTILINE))
        with (folder / "gateway/gateway/cli/run.py").open("a") as run:
            run.write(more)
    subprocess.run(["sh", "systemd/wheels.sh", str(folder / "wheels")], cwd=folder / "gateway", check=True)


class Station:
    """One for all tests, in the order in which they stand."""

    def __init__(self, machine: Machine) -> None:
        self.machine, self.run = machine, machine.run
        self.presses: Counter[str] = Counter()
        """What was pressed so far, by device."""

    def install(self, version: str) -> Done:
        """Run the install script of a version that is staged below its name."""
        here = f"/mnt/share/{version}"
        return self.machine.ask(f"sh {here}/gateway/systemd/install.sh --wheels {here}/wheels 2>&1", INSTALL_S)

    def begin_broker(self) -> None:
        """Mosquitto on the machine's loopback, and an ear that writes down all it hears."""
        conf = "listener 1883 127.0.0.1\\nallow_anonymous true\\nmax_queued_messages 0\\n"
        self.run(f"mkdir -p /run/e2e && printf '{conf}' > /run/e2e/mosquitto.conf")
        self.run("systemd-run -q -u e2e-broker mosquitto -c /run/e2e/mosquitto.conf")
        self.wait(lambda: self.machine.ask("mosquitto_pub -h 127.0.0.1 -t e2e -m there").code == 0)
        ear = 'exec mosquitto_sub -h 127.0.0.1 -q 1 -i ear -t "398/v1/#" -F "%t %p"'
        self.run(f"systemd-run -q -u e2e-ear -p StandardOutput=file:/run/e2e/heard sh -c {shlex.quote(ear)}")

    def configure(self, text: str, profile: str, wearables: int) -> None:
        self._put("/etc/station-gateway/gateway.yaml", text)
        self._put("/etc/station-gateway/profiles/site.yaml", profile)
        device = '  - {{id: band-{0:04}, address: "C0:98:00:01:{1:02X}:{2:02X}", wearer: w-{0:04}}}'
        devices = [device.format(number, number >> 8, number & 255) for number in range(wearables)]
        self._put("/etc/station-gateway/devices.yaml", "\n".join(["devices:", *devices, ""]))
        self.run("station-gateway check /etc/station-gateway/gateway.yaml")

    def begin_world(self, wearables: int) -> None:
        self.run(
            f"systemd-run -q -u e2e-world -E PYTHONPATH=/opt/world -p StandardOutput=file:{WORLD_LOG}"
            f" -p StandardError=file:{WORLD_LOG} python3 /mnt/share/guest/world.py {wearables} /run/e2e/world"
        )
        self.wait(lambda: self.machine.ask(f"grep -q 'the world turns' {WORLD_LOG}").code == 0)

    def ask_world(self, do: str, **more: Any) -> Any:
        said = self.run(f"echo {shlex.quote(json.dumps({'do': do, **more}))} | socat -t 10 - UNIX:/run/e2e/world")
        if not said:
            raise Failed(f"{do} {more}: {self.run(f'tail -20 {WORLD_LOG}')}")
        return json.loads(said)

    def press(self, wearable: int, code: int = SOS) -> str:
        """Press a key; the name of the device."""
        self.ask_world("press", wearable=wearable, code=code)
        device = f"band-{wearable:04}"
        self.presses[device] += code == SOS
        return device

    def heard(self, topic: str, holding: str = "") -> list[dict[str, Any]]:
        """The payloads heard so far on topics that begin so and that hold such a text."""
        holds = f"| grep -aF {shlex.quote(holding)}" if holding else ""
        whole = f"^398/v1/test-01/{topic}.*}}$"  # the last line may be half written
        said = self.machine.ask(f"grep -a '{whole}' /run/e2e/heard {holds}").output
        return [json.loads(line.partition(" ")[2]) for line in said.splitlines()]

    def alerts(self, device: str, reason: str = "press") -> list[dict[str, Any]]:
        """What was said of a device's alerts for this reason."""
        told = self.heard("alert/", f'"device":"{device}"')
        return [each["data"] for each in told if each.get("data", {}).get("reason") == reason]

    def pressed(self) -> Counter[str]:
        """How often SOS was raised, by device."""
        raised = [each["data"] for each in self.heard("alert/", '"reason":"press"')]
        return Counter(data["device"] for data in raised if data["kind"] == "sos")

    def each_press_is_one_alert(self, seconds: float = SOON_S) -> None:
        """Wait until all that was pressed has been raised, and see that nothing was raised twice."""
        missing = f"alerts of {dict(self.presses)}"
        self.wait(lambda: not self.presses - self.pressed(), seconds, missing)
        assert self.pressed() == self.presses

    def told(self, wearable: int, metric: str) -> list[Any]:
        """What was told so far of a wearable, of one metric."""
        device = f"band-{wearable:04}"
        readings = [reading for each in self.heard("telemetry", device) for reading in each["data"]["readings"]]
        values = [reading["values"] for reading in readings if reading["device"] == device]
        return [each[metric] for each in values if metric in each]

    def pulses(self, wearable: int) -> list[int]:
        """The heart rates of a wearable that only a connection can have brought."""
        return [rate for rate in self.told(wearable, "heart_rate") if rate in NOTIFIED_BPM]

    def accept(self, alert: str) -> None:
        """As the call centre does."""
        word = json.dumps({"v": 1, "id": "ack-1", "action": "accept", "by": "desk-1"})
        topic = f"398/v1/test-01/alert/{alert}/ack"
        self.run(f"mosquitto_pub -h 127.0.0.1 -q 1 -t {topic} -m {shlex.quote(word)}")

    def health(self) -> dict[str, Any]:
        return self.heard("health")[-1]

    def hears(self, link: str = "ble:lobby") -> bool:
        told = self.heard("health")
        return bool(told) and told[-1]["radios"][link]["state"] == "hears"

    def faults(self) -> dict[str, str]:
        """What is broken now: its name, by where."""
        return {each["where"]: each["fault"] for each in self.health()["faults"]}

    def log(self, event: str, **fields: Any) -> list[dict[str, Any]]:
        """The daemon's log lines of this event, since the machine booted."""
        wanted = shlex.quote(f'"event": "{event}"')
        said = self.machine.ask(f"{JOURNAL} | grep -F {wanted}").output
        lines: list[dict[str, Any]] = [json.loads(line) for line in said.splitlines()]
        return [line for line in lines if fields.items() <= line.items()]

    def healed(self, command: str, link: str = "ble:lobby") -> float:
        """Do something to a radio, and wait until it hears again; the seconds until then, by the machine's clock."""
        before = len(self.log("radio heals", link=link))
        begun = float(self.run(f"date +%s.%N; {command}").split()[0])
        self.wait(lambda: len(self.log("radio heals", link=link)) > before, HEAL_S, f"healing from {command}")
        heals = self.log("radio heals", link=link)[-1]
        return datetime.fromisoformat(heals["timestamp"]).timestamp() - begun

    def of_unit(self, name: str, unit: str = "station-gateway") -> str:
        """A property of a unit."""
        return self.run(f"systemctl show -P {name} {unit}").strip()

    def wait(self, condition: Callable[[], bool], seconds: float = SOON_S, what: str = "") -> float:
        """Return once it holds, with the seconds that took. Failed where that is too late, with the daemon's log."""
        begun = time.monotonic()
        while not condition():
            if time.monotonic() - begun > seconds:
                log = self.machine.ask(f'{JOURNAL} | grep -vF \'"event": "alert"\' | tail -30').output
                raise Failed(f"{what or 'it'} did not come true within {seconds:g} s\n{log}")
            time.sleep(0.5)
        return time.monotonic() - begun

    def _put(self, path: str, text: str) -> None:
        self.run(f"mkdir -p {path.rpartition('/')[0]} && cat > {path} <<'END'\n{text}\nEND")
