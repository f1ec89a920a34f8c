"""The demo's other side: a call centre that waits for each press, accepts it, and clears it a little later."""

import asyncio
import contextlib
import heapq
import json
import queue
import ssl
import uuid
from collections import Counter, defaultdict, deque
from typing import Any, NamedTuple, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.cli.street import Code
from gateway.config import Mqtt, Version
from gateway.errors import GatewayError
from gateway.sinks.failures import explain_refusal, explain_trouble
from gateway.sinks.login import endpoints

ACCEPT_AFTER_S = 1.5
CLEAR_AFTER_S = 3.0
ANSWER_S = 8.0
SESSION_S = 60
"""So long the broker keeps what it could not deliver to us."""
SHOWN = 12
ROOT = "398/v1"
CURE = "check --broker, and that a broker listens there and lets us in"
MEANT = {
    Code.SOS: ("sos", None),
    Code.FALL: ("fall", None),
    Code.SHOPPING: ("service_request", "shopping"),
    Code.RIDE: ("service_request", "ride"),
    Code.CALLBACK: ("service_request", "callback"),
}
"""The kind of alert, and its service, that a press must arrive as."""


class DemoFailed(GatewayError):
    """The demo could not be played."""


class BrokerAt(NamedTuple):
    """A broker's address, what it speaks, and who we are there."""

    url: str
    version: Version = Version.FIVE
    username: str | None = None
    password: str | None = None


class CallCentre:
    """`expect` says that somebody has pressed; `follow` takes what arrived and acts on it. Times: monotonic seconds."""

    def __init__(self, broker: BrokerAt, station: str) -> None:
        self.presses = self.arrived = self.unexpected = 0
        self.readings: Counter[int] = Counter()
        """Readings by the second in which they arrived."""
        self.devices: set[str] = set()
        self.latencies: list[float] = []
        self.latest: deque[dict[str, Any]] = deque(maxlen=SHOWN)
        self.last_press = 0.0
        self._expected: defaultdict[tuple[str, str, str | None], deque[float]] = defaultdict(deque)
        self._seen: set[str] = set()
        self._acts: list[tuple[float, str, str]] = []
        self._inbox: queue.SimpleQueue[tuple[float, MQTTMessage]] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[GatewayError | None] = queue.SimpleQueue()
        """What came of asking the broker: None once it has let us in and passes messages on."""
        self._base = f"{ROOT}/{station}"
        self._retained = {f"{self._base}/state", f"{self._base}/health"}
        (self._endpoint,) = endpoints(Mqtt(brokers=(broker.url,)))
        self._five = broker.version is Version.FIVE
        protocol = MQTTProtocolVersion.MQTTv5 if self._five else MQTTProtocolVersion.MQTTv311
        self._client = Client(CallbackAPIVersion.VERSION2, f"{station}-desk", protocol=protocol)
        self._client.reconnect_delay_set(1, 2)
        self._client.username_pw_set(broker.username, broker.password)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._answers.put(None)
        self._client.on_message = self._on_message

    async def __aenter__(self) -> Self:
        """DemoFailed where the broker cannot be reached, or does not let us in."""
        try:
            await asyncio.to_thread(self._open)
        except GatewayError as error:
            self._close()
            raise DemoFailed(f"{error}; {CURE}") from error
        return self

    async def __aexit__(self, *_: object) -> None:
        """Take away what the station has left on the broker."""
        await asyncio.to_thread(self._clear)
        self._close()

    @property
    def awaited(self) -> int:
        """Presses that have not arrived."""
        return sum(len(waiting) for waiting in self._expected.values())

    def expect(self, device: str, code: Code, now: float) -> None:
        self.presses += 1
        self.last_press = now
        self._expected[device, *MEANT[code]].append(now)

    def follow(self, now: float) -> None:
        while not self._inbox.empty():
            at, message = self._inbox.get()
            below = message.topic.removeprefix(f"{self._base}/")
            if below.startswith("alert/") and not below.endswith("/ack"):
                self._alert(json.loads(message.payload), at)
            elif below == "telemetry":
                self._telemetry(json.loads(message.payload)["data"]["readings"], now)
        while self._acts and self._acts[0][0] <= now:
            _, alert, action = heapq.heappop(self._acts)
            ack = {"v": 1, "id": str(uuid.uuid4()), "action": action, "by": "desk-1"}
            self._client.publish(f"{self._base}/alert/{alert}/ack", json.dumps(ack), 1)

    def _alert(self, event: dict[str, Any], at: float) -> None:
        if event["id"] in self._seen:
            return  # at least once: the broker may give the same message twice
        self._seen.add(event["id"])
        alert = event["data"]
        waited = None
        if alert["reason"] == "press":
            waited = self._met((alert["device"], alert["kind"], alert["service"]), at)
            heapq.heappush(self._acts, (at + ACCEPT_AFTER_S, alert["id"], "accept"))
            heapq.heappush(self._acts, (at + CLEAR_AFTER_S, alert["id"], "clear"))
        self.latest.append(alert | {"waited": waited})

    def _met(self, what: tuple[str, str, str | None], at: float) -> float | None:
        """How long the press took that this alert stands for."""
        if not self._expected[what]:
            self.unexpected += 1
            return None
        self.arrived += 1
        waited = at - self._expected[what].popleft()
        self.latencies.append(waited)
        return waited

    def _telemetry(self, readings: list[dict[str, Any]], now: float) -> None:
        self.readings[int(now)] += len(readings)
        self.devices.update(reading["device"] for reading in readings)

    def _open(self) -> None:
        try:
            if self._endpoint.tls:
                self._client.tls_set_context(ssl.create_default_context())
            kept: dict[str, Any] = {"clean_start": False, "properties": _kept()} if self._five else {}
            self._client.connect(self._endpoint.host, self._endpoint.port, **kept)
            self._client.loop_start()
            refused = self._answers.get(timeout=ANSWER_S)
        except (OSError, ValueError) as error:
            raise explain_trouble(self._endpoint, error) from error
        except queue.Empty:
            raise explain_trouble(self._endpoint, TimeoutError()) from None
        if refused is not None:
            raise refused

    def _clear(self) -> None:
        for retained in list(self._retained):
            with contextlib.suppress(RuntimeError):  # the broker is away
                self._client.publish(retained, b"", 1, retain=True).wait_for_publish(ANSWER_S)

    def _close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: Client, _userdata: object, _flags: object, reason: ReasonCode, *_: object) -> None:
        if reason.is_failure:
            self._answers.put(explain_refusal(self._endpoint, reason))
        else:
            client.subscribe(f"{self._base}/#", 1)

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        if message.topic.endswith("/protection"):
            self._retained.add(message.topic)
        self._inbox.put((message.timestamp, message))


def _kept() -> Properties:
    """A session that outlives a lost connection: what arrives meanwhile is not missed."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = SESSION_S
    return properties
