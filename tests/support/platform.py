"""The platform at a cluster of brokers: it keeps a session, goes to the next node when its own dies, and accepts."""

import json
import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from tests.support.brokers import Packaged

PATIENCE_S = 10.0
"""A node that has let nobody in for so long is left for the next one."""


class Platform:
    """Hears all stations. `accepts` says whether it answers what is raised."""

    def __init__(self, name: str, nodes: Sequence[Packaged], *, accepts: bool = False) -> None:
        self.name = name
        self.came: Counter[str] = Counter()
        """How often each alert, gap and message of telemetry came."""
        self.alerts: dict[tuple[str, str], set[str]] = defaultdict(set)
        """By station and device."""
        self.first: dict[tuple[str, str], float] = {}
        """When the first of them came."""
        self.longest_pause_s = 0.0
        self.sessions_lost = 0
        self.subscribed = threading.Event()
        self._nodes = nodes
        self._accepts = accepts
        self._last: float | None = None
        self._let_in = False
        self._over = threading.Event()
        version = MQTTProtocolVersion.MQTTv311
        self._client = Client(CallbackAPIVersion.VERSION2, name, clean_session=False, protocol=version)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        at = 0
        while not self._over.is_set():
            self._let_in, until = False, time.monotonic() + PATIENCE_S
            with suppress(OSError):
                self._client.connect("localhost", self._nodes[at].port, keepalive=5)
                while not self._over.is_set() and (self._let_in or time.monotonic() < until):
                    if self._client.loop(0.1) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                        break
            at = (at + 1) % len(self._nodes)
            self._over.wait(0.2)
        self._client.disconnect()

    def _on_connect(self, client: Client, _: object, flags: Any, reason: Any, *__: object) -> None:
        if reason.is_failure:
            return
        self._let_in = True
        self.sessions_lost += self.subscribed.is_set() and not flags.session_present
        client.subscribe("398/v1/#", 1)

    def _on_subscribe(self, client: Client, _: object, __: int, reasons: list[Any], ___: object) -> None:
        if reasons[0].is_failure:
            client.subscribe("398/v1/#", 1)  # a cluster that chooses leaders says no for a while
        else:
            self.subscribed.set()

    def _on_message(self, client: Client, _: object, message: MQTTMessage) -> None:
        now = time.monotonic()
        if self._last is not None:
            self.longest_pause_s = max(self.longest_pause_s, now - self._last)
        self._last = now
        if message.topic.endswith("/ack") or not message.payload.startswith(b'{"specversion"'):
            return
        body = json.loads(message.payload)
        self.came[body["id"]] += 1
        if body["type"] != "gateway.alert.v1" or (data := body["data"])["kind"] != "sos":
            return
        who = data["station"], data["device"]
        self.alerts[who].add(data["id"])
        self.first.setdefault(who, now)
        if self._accepts and data["state"] == "raised":
            ack = {"v": 1, "id": str(uuid.uuid4()), "action": "accept", "by": "desk-1"}
            client.publish(f"{message.topic}/ack", json.dumps(ack), 1)
