"""A client that publishes what no library would: MQTT 5 with properties byte by byte."""

import socket
import struct
from typing import Self

from tests.support.processes import wait_for


class Vandal:
    """`publish` returns when the broker has answered; AssertionError where it has hung up."""

    def __init__(self, port: int) -> None:
        self._port = port

    def __enter__(self) -> Self:
        self._line = socket.create_connection(("127.0.0.1", self._port))
        self._line.sendall(packet(0x10, text(b"MQTT") + b"\x05\x02\x00\x00\x00" + text(b"vandal")))
        self._answer(0x20)
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()

    def publish(self, topic: bytes, payload: bytes, properties: bytes = b"") -> None:
        body = text(topic) + b"\x00\x01" + length(len(properties)) + properties + payload
        self._line.sendall(packet(0x32, body))
        self._answer(0x40)

    def _answer(self, kind: int) -> None:
        answer = b""

        def whole() -> bool:
            nonlocal answer
            heard = self._line.recv(1 if len(answer) < 2 else answer[1])
            assert heard, "the broker has hung up"
            answer += heard
            return len(answer) >= 2 and len(answer) == 2 + answer[1]

        wait_for(whole, 10, "an answer")
        assert answer[0] == kind, answer


def packet(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + length(len(body)) + body


def text(octets: bytes) -> bytes:
    return struct.pack(">H", len(octets)) + octets


def length(size: int) -> bytes:
    octets = bytearray()
    while size > 0x7F:
        octets.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([*octets, size])
