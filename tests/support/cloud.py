"""The cloud and its call centre: it records everything, holds it against the contract, and acknowledges."""

import itertools
import json
import ssl
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.support import contract
from tests.support.brokers import Packaged
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for


@dataclass(frozen=True)
class Seen:
    topic: str
    body: dict[str, Any]
    retained: bool
    at: float
    correlation: bytes | None = None


class Cloud:
    """Keeps its session, so that a broker's restart loses it nothing. `breaches` are messages against the contract."""

    def __init__(
        self,
        broker: Mosquitto | Packaged,
        station: str = "test-01",
        *,
        user: tuple[str, str] | None = None,
        accept: bool = False,
        name: str = "cloud",
        hears: str = "#",
        sample: int = 1,
    ) -> None:
        """Of telemetry only each `sample`-th message is held against the contract: it takes long."""
        self.base = f"398/v1/{station}"
        self.seen: list[Seen] = []
        self.breaches: list[str] = []
        self.doubled = 0
        self._accept = accept
        self._hears = hears
        self._telemetry, self._sample = itertools.count(), sample
        self._ids: set[str] = set()
        self._lock = threading.Lock()
        self._connected = threading.Event()
        self._broker = broker
        version = MQTTProtocolVersion.MQTTv5 if broker.five else MQTTProtocolVersion.MQTTv311
        clean = None if broker.five else False
        self._client = Client(CallbackAPIVersion.VERSION2, name, clean_session=clean, protocol=version)
        if user is not None:
            self._client.username_pw_set(*user)
        if broker.tls is not None:
            context = ssl.create_default_context(cafile=broker.tls.ca)
            context.load_cert_chain(broker.tls.client, broker.tls.client_key)
            self._client.tls_set_context(context)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._connected.set()
        self._client.on_message = self._on_message

    def __enter__(self) -> Self:
        if self._broker.five:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = 3600
            self._client.connect("localhost", self._broker.port, clean_start=False, properties=properties)
        else:
            self._client.connect("localhost", self._broker.port)
        self._client.loop_start()
        assert self._connected.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def messages(self, below: str) -> list[Seen]:
        """What came on topics that begin with `below`, duplicates by CloudEvents id left out."""
        with self._lock:
            return [seen for seen in self.seen if seen.topic.startswith(f"{self.base}/{below}")]

    def alerts(self, **wanted: Any) -> list[dict[str, Any]]:
        """The `data` of alert messages that have all of `wanted`."""
        found = [s.body["data"] for s in self.messages("alert/") if not s.topic.endswith("/ack")]
        return [data for data in found if all(data.get(key) == value for key, value in wanted.items())]

    def gaps(self, **wanted: Any) -> list[dict[str, Any]]:
        found = [seen.body["data"] for seen in self.messages("gap")]
        return [data for data in found if all(data.get(key) == value for key, value in wanted.items())]

    def readings(self) -> list[dict[str, Any]]:
        return [reading for seen in self.messages("telemetry") for reading in seen.body["data"]["readings"]]

    def state(self) -> dict[str, Any]:
        found = self.messages("state")
        return found[-1].body if found else {}

    def health(self) -> dict[str, Any]:
        found = self.messages("health")
        return found[-1].body if found else {}

    def wait(self, condition: Callable[["Cloud"], Any], seconds: float = 10.0, what: str = "") -> Any:
        return wait_for(lambda: condition(self), seconds, what)

    def acknowledge(self, alert: str, action: str = "accept", **more: Any) -> str:
        """Send an acknowledgement; returns its id."""
        ident = str(uuid.uuid4())
        body = {"v": 1, "id": ident, "action": action, "by": "desk-3", "at": "2026-11-24T08:00:00.000Z"} | more
        self.publish(f"alert/{alert}/ack", json.dumps(body).encode())
        return ident

    def request(self, verb: str, **args: Any) -> dict[str, Any]:
        """Ask, and wait for the answer."""
        ident = str(uuid.uuid4())
        self.publish(f"request/{verb}", json.dumps({"v": 1, "id": ident, "args": args}).encode())
        return self.answer(verb, ident)

    def answer(self, verb: str, ident: str | None) -> dict[str, Any]:
        def found(_: Cloud) -> dict[str, Any] | None:
            answers = (s.body for s in self.messages(f"response/{verb}") if s.body["id"] == ident)
            return next(answers, None)

        answer: dict[str, Any] = self.wait(found, 10, f"answer to {verb} {ident}")
        return answer

    def publish(
        self, below: str, payload: bytes, *, retain: bool = False, properties: Properties | None = None
    ) -> None:
        sent = self._client.publish(f"{self.base}/{below}", payload, 1, retain, properties)
        sent.wait_for_publish(5)

    def say(self, topic: str, payload: bytes) -> None:
        """On whatever topic; nothing is waited for."""
        self._client.publish(topic, payload, 1)

    def _on_connect(self, client: Client, *_: Any) -> None:
        client.subscribe([(f"{self.base}/{self._hears}", 1), ("398/v1/desk/#", 1)])

    def _on_message(self, client: Client, _: Any, message: MQTTMessage) -> None:
        ours = message.topic.endswith("/ack") and "/alert/" in message.topic
        if ours or "/request/" in message.topic or not message.payload:
            return
        if not message.topic.endswith("/telemetry") or next(self._telemetry) % self._sample == 0:
            try:
                contract.check(message.topic, message.payload)
            except AssertionError as breach:
                self.breaches.append(str(breach))
        try:
            body = json.loads(message.payload)
        except ValueError:
            return  # somebody else's rubbish: a breach already
        with self._lock:
            if "specversion" in body:
                if body["id"] in self._ids:
                    self.doubled += 1
                    return
                self._ids.add(body["id"])
            correlation = getattr(message.properties, "CorrelationData", None)
            self.seen.append(Seen(message.topic, body, message.retain, time.monotonic(), correlation))
        data = body.get("data", {})
        if self._accept and data.get("state") == "raised" and body["type"] == "gateway.alert.v1":
            ack = {"v": 1, "id": str(uuid.uuid4()), "action": "accept", "by": "desk-1"}
            client.publish(f"{message.topic}/ack", json.dumps(ack), 1)
