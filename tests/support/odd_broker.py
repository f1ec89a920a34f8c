"""A broker that no real one can be talked into being: it does with each message what the test says. Of one connection
at a time per client id it knows enough for a gateway: CONNECT, SUBSCRIBE, PUBLISH at QoS 1, pings."""

import socket
import socketserver
import struct
import threading
from collections.abc import Callable
from enum import Enum, auto
from typing import Self

from tests.support.processes import free_port


class Does(Enum):
    ACKNOWLEDGE = auto()
    NOTHING = auto()
    HANG_UP = auto()


Rule = Callable[[str, bytes], Does | int]
"""By topic and payload: what it does, or the reason code with which it refuses (MQTT 5)."""


class OddBroker:
    """`rule` may be replaced at any time; `taken` are the topics and payloads that it acknowledged. So many SUBSCRIBEs
    as `refusals` says it refuses before it grants any."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.taken: list[tuple[str, bytes]] = []
        self.connects = self.refusals = 0
        self.port = free_port()
        odd = self

        class Serve(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                odd._serve(self.connection, self.rfile.read)

        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", self.port), Serve)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        return f"mqtt://localhost:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def payloads(self, below: str) -> list[bytes]:
        return [payload for topic, payload in self.taken if f"/{below}" in topic]

    def _serve(self, link: socket.socket, read: Callable[[int], bytes]) -> None:
        five, probing = False, False
        while head := read(1):
            body = read(_length(read))
            match head[0] >> 4:
                case 1:
                    self.connects += 1
                    five = body[6] == 5
                    link.sendall(b"\x20\x03\x00\x00\x00" if five else b"\x20\x02\x00\x00")
                case 8:
                    count = body.count(b"398/v1/")
                    props = b"\x00" if five else b""
                    probing = self.refusals <= 0
                    self.refusals -= 1
                    link.sendall(_packet(0x90, body[:2] + props + (b"\x01" if probing else b"\x80") * count))
                case 3 if not self._published(link, body, five=five, probing=probing):
                    return
                case 12:
                    link.sendall(b"\xd0\x00")
                case 14:
                    return

    def _published(self, link: socket.socket, body: bytes, *, five: bool, probing: bool) -> bool:
        (size,) = struct.unpack_from(">H", body)
        topic, mid, at = body[2 : 2 + size].decode(), body[2 + size : 4 + size], 4 + size
        payload = body[at + 1 + body[at] :] if five else body[at:]
        does = self.rule(topic, payload)
        if does is Does.HANG_UP:
            return False
        if does is not Does.NOTHING:
            code = b"" if does is Does.ACKNOWLEDGE else bytes([does, 0])
            link.sendall(_packet(0x40, mid + code))
        if does is Does.ACKNOWLEDGE:
            self.taken.append((topic, payload))
            if topic.endswith("/probe") and probing:
                props = b"\x00" if five else b""
                link.sendall(_packet(0x30, struct.pack(">H", size) + topic.encode() + props + payload))
        return True


def _length(read: Callable[[int], bytes]) -> int:
    size = shift = 0
    while True:
        (octet,) = read(1)
        size |= (octet & 0x7F) << shift
        shift += 7
        if not octet & 0x80:
            return size


def _packet(kind: int, body: bytes) -> bytes:
    octets, size = b"", len(body)
    while True:
        size, octet = size >> 7, size & 0x7F
        octets += bytes([octet | (0x80 if size else 0)])
        if not size:
            return bytes([kind]) + octets + body
