"""This gateway: serial frames of the 398 reference format into a pty, and out by MQTT."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from gateway.cli.street import Code, Kind, serial_frame
from tests.bench.listeners import BASE
from tests.bench.peers.heard import KEEPS, Heard, Reading
from tests.bench.peers.side import Side
from tests.bench.rig import Rig
from tests.support.air import band
from tests.support.rows import Rows


class Station(Side):
    name = "station-gateway"
    version = version("station-gateway")

    def __init__(self, base: Path, devices: int, *, single: bool = False) -> None:
        self._rig = Rig(base, devices, "batch: 1" if single else "", broker=KEEPS)
        self._bands = {f"band-{number:04}": band(number) for number in range(1, devices + 1)}
        self.keep = self._rig.data
        self.heard = Heard(self._rig.broker, [f"{BASE}/{what}" for what in ("telemetry", "alert/+", "gap")])
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._open.enter_context(self._rig)
        self._open.enter_context(self.heard)
        self.greet(len(self._bands))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def say(self, readings: Sequence[Reading]) -> None:
        self._rig.receiver.write(b"".join(map(self._frame, readings)), seconds=60.0)

    def press(self, number: int) -> None:
        sender = self._bands[f"band-{number:04}"]
        sender.steps = 0  # no reading of the street
        sender.press(Code.SOS, 0.0)
        self._rig.receiver.write(serial_frame(sender.number, sender.payload(Kind.EVENT)))

    def readings(self) -> Counter[Reading]:
        told = (reading for each in self._came("/telemetry") for reading in each["readings"])
        return Counter(Reading(each["device"], each["values"]["steps"]) for each in told)

    def presses(self) -> dict[str, int]:
        alerts = [(each.at, json.loads(each.payload)["data"]) for each in self.heard.came if "/alert/" in each.topic]
        return {alert["device"]: at for at, alert in reversed(alerts) if alert["kind"] == "sos"}

    def stored(self) -> int:
        with Rows(self._rig.data, "telemetry") as rows:
            oldest = rows.oldest
            return 0 if oldest is None else rows.next - oldest

    def told(self) -> str:
        gaps = [f"{each['count'] or 'some'} {each['lane']} ({each['cause']})" for each in self._came("/gap")]
        return f"gaps: {', '.join(gaps) or 'none'}"

    def pid(self) -> int:
        return self._rig.daemon.pid

    def kill(self) -> None:
        self._rig.daemon.kill()

    def start(self) -> None:
        self._rig.daemon.restart()

    def _frame(self, reading: Reading) -> bytes:
        sender = self._bands[reading.device]
        sender.steps = reading.steps
        return serial_frame(sender.number, sender.payload(Kind.VITALS))

    def _came(self, topic: str) -> Iterator[dict[str, Any]]:
        return (json.loads(each.payload)["data"] for each in self.heard.came if each.topic.endswith(topic))
