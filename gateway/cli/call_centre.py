"""The demo's other side: a call centre that waits for each press, accepts it, and clears it a little later."""

import heapq
import json
import queue
import uuid
from collections import Counter, defaultdict, deque
from typing import Any, Self
from urllib.parse import urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

ACCEPT_AFTER_S = 1.5
CLEAR_AFTER_S = 3.0
SHOWN = 12
ROOT = "398/v1"


class CallCentre:
    """`expect` says that somebody has pressed; `follow` takes what arrived and acts on it. Times: monotonic seconds."""

    def __init__(self, url: str, station: str) -> None:
        self.presses = self.arrived = self.unexpected = 0
        self.readings: Counter[int] = Counter()
        """Readings by the second in which they arrived."""
        self.devices: set[str] = set()
        self.latencies: list[float] = []
        self.latest: deque[dict[str, Any]] = deque(maxlen=SHOWN)
        self.last_press = 0.0
        self._expected: defaultdict[str, deque[float]] = defaultdict(deque)
        self._acts: list[tuple[float, str, str]] = []
        self._inbox: queue.SimpleQueue[tuple[float, MQTTMessage]] = queue.SimpleQueue()
        self._base = f"{ROOT}/{station}"
        self._url = urlsplit(url)
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv311)

    def __enter__(self) -> Self:
        """OSError where the broker cannot be reached."""
        self._client.on_connect = lambda client, *_: client.subscribe(f"{self._base}/#", 1)
        self._client.on_message = lambda _client, _userdata, message: self._inbox.put((message.timestamp, message))
        self._client.connect(self._url.hostname or "localhost", self._url.port or 1883)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def awaited(self) -> int:
        """Presses that have not arrived."""
        return sum(len(waiting) for waiting in self._expected.values())

    def expect(self, device: str, now: float) -> None:
        self.presses += 1
        self.last_press = now
        self._expected[device].append(now)

    def follow(self, now: float) -> None:
        while not self._inbox.empty():
            at, message = self._inbox.get()
            below = message.topic.removeprefix(f"{self._base}/")
            if below.startswith("alert/") and not below.endswith("/ack"):
                self._alert(json.loads(message.payload)["data"], at)
            elif below == "telemetry":
                self._telemetry(json.loads(message.payload)["data"]["readings"], now)
        while self._acts and self._acts[0][0] <= now:
            _, alert, action = heapq.heappop(self._acts)
            ack = {"v": 1, "id": str(uuid.uuid4()), "action": action, "by": "desk-1"}
            self._client.publish(f"{self._base}/alert/{alert}/ack", json.dumps(ack), 1)

    def _alert(self, alert: dict[str, Any], at: float) -> None:
        waited = None
        if alert["reason"] == "press":
            waited = self._met(alert["device"], at)
            heapq.heappush(self._acts, (at + ACCEPT_AFTER_S, alert["id"], "accept"))
            heapq.heappush(self._acts, (at + CLEAR_AFTER_S, alert["id"], "clear"))
        self.latest.append(alert | {"waited": waited})

    def _met(self, device: str, at: float) -> float | None:
        """How long the press took that this alert stands for."""
        if not self._expected[device]:
            self.unexpected += 1
            return None
        self.arrived += 1
        waited = at - self._expected[device].popleft()
        self.latencies.append(waited)
        return waited

    def _telemetry(self, readings: list[dict[str, Any]], now: float) -> None:
        self.readings[int(now)] += len(readings)
        self.devices.update(reading["device"] for reading in readings)
