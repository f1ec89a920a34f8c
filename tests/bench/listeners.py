"""The platform's side, as light as can be: the tests' Cloud checks every message, and would be what is measured."""

import json
import socket
import struct
import threading
import time
from typing import Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for

BASE = "398/v1/test-01"
CONNECT = bytes.fromhex("1010 00044d515454 04 02 0000 0004") + b"sink"
REST_S = 0.005
RECEIVE = 4 << 20
READING = b'"values":'
QUESTION = b'{"v":1,"id":"one-of-many"}'


class Ear:
    """Hears alerts, and when. Mosquitto passes a message on in the step in which it answers it with PUBACK."""

    def __init__(self, broker: Mosquitto) -> None:
        self._broker = broker
        self._heard: list[tuple[int, bytes]] = []
        self._subscribed = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, "ear")
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._note

    def __enter__(self) -> Self:
        self._client.connect("localhost", self._broker.port)
        self._client.loop_start()
        self._client.subscribe(f"{BASE}/alert/+")
        assert self._subscribed.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def __len__(self) -> int:
        return len(self._heard)

    def pressed(self) -> dict[str, int]:
        """When the press of each device was heard, in wall nanoseconds."""
        told = [(at, json.loads(payload)["data"]) for at, payload in self._heard]
        return {data["device"]: at for at, data in reversed(told) if data["reason"] == "press"}

    def _note(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self._heard.append((time.time_ns(), bytes(message.payload)))


class Asker:
    """Asks for the open alerts, again and again, as fast as the broker takes it; `left` are still to be asked."""

    def __init__(self, broker: Mosquitto, questions: int) -> None:
        self.left = questions
        self._broker = broker
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._client = Client(CallbackAPIVersion.VERSION2, "asker")

    def __enter__(self) -> Self:
        self._client.connect("localhost", self._broker.port)
        self._client.loop_start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()

    def _run(self) -> None:
        while self.left:
            asked = [self._client.publish(f"{BASE}/request/alerts", QUESTION, 1) for _ in range(min(100, self.left))]
            asked[-1].wait_for_publish(30)
            self.left -= len(asked)


class Sink:
    """Takes all telemetry and only counts its readings; a raw socket, so that two cores go round."""

    def __init__(self, broker: Mosquitto) -> None:
        self.readings = 0
        self._broker = broker
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._socket = socket.create_connection(("127.0.0.1", self._broker.port))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE)
        self._socket.sendall(CONNECT)
        assert self._socket.recv(4) == b"\x20\x02\x00\x00"
        self._socket.sendall(_subscribe(f"{BASE}/telemetry"))
        assert self._socket.recv(5) == b"\x90\x03\x00\x01\x00"
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def wait(self, readings: int, seconds: float) -> None:
        wait_for(lambda: self.readings >= readings, seconds, f"{readings} readings")

    def _run(self) -> None:
        rest = b""
        while not self._over.is_set() and (chunk := self._socket.recv(RECEIVE)):
            rest += chunk
            self.readings += rest.count(READING)
            rest = rest[-len(READING) + 1 :]
            time.sleep(REST_S)  # many messages at one wake-up: this thread must not be in the daemon's way


def _subscribe(topic: str) -> bytes:
    body = struct.pack(">HH", 1, len(topic)) + topic.encode() + b"\x00"
    return bytes([0x82, len(body)]) + body
