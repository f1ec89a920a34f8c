"""The press while the cloud, or whoever has got hold of its account, sends all that it can on what we subscribe to."""

import json
import socket
import struct
import time
from collections.abc import Iterator
from functools import partial

from tests.bench.figures import Figure
from tests.bench.flood import FOR_EVER_S, Flood, beside, figures
from tests.bench.listeners import BASE, CONNECT
from tests.bench.rig import Rig, folder
from tests.bench.street import pace

RATE = 20_000
"""A second: more than the daemon could read on one core."""
HUGE, HUGE_RATE, DEEP_RATE = 900_000, 100, 3_000
DEEP = b'{"v":1,"id":"q","args":' + b"[" * 30_000
ASK = b'{"v":1,"id":"q","args":{}}'
ACCEPT = json.dumps({"v": 1, "id": "q", "action": "accept", "by": "desk-3"}).encode()
OFFLINE = json.dumps({"v": 1, "station": "test-01", "state": "offline", "session": "x"}).encode()


def cloud(runs: int) -> Iterator[Figure]:
    floods = [
        Flood("nothing"),
        _said(f"{RATE:,} pings/s", "request/ping", ASK),
        _said(f"{RATE:,} pings/s of QoS 0", "request/ping", ASK, qos=0),
        _said(f"{RATE:,} lists of alerts/s", "request/alerts", ASK),
        _said(f"{RATE:,} unknown verbs/s", "request/reboot", ASK),
        _said(f"{RATE:,} retained requests/s", "request/ping", ASK, retain=True),
        _said(f"{RATE:,} acknowledgements/s", "alert/01k0000000000000000000000/ack", ACCEPT),
        _said(f"{RATE:,} foreign probes/s", "probe", ASK),
        _said(f"{RATE:,} states in our name/s", "state", OFFLINE),
        _said(f"{DEEP_RATE:,} deep payloads/s", "request/ping", DEEP, rate=DEEP_RATE),
        _said(f"{HUGE_RATE} payloads of {HUGE:,} bytes/s", "request/ping", b"x" * HUGE, rate=HUGE_RATE),
    ]
    with folder() as base:
        for number, each in enumerate(floods):
            measured = [beside(base / f"{number}-{run}", each) for run in range(runs)]
            yield from figures(each.name, measured)


def _said(name: str, below: str, payload: bytes, *, qos: int = 1, retain: bool = False, rate: int = RATE) -> Flood:
    packet = publish(f"{BASE}/{below}", payload, qos=qos, retain=retain)
    return Flood(name, partial(_pour, packet=packet, rate=rate))


def _pour(rig: Rig, *, packet: bytes, rate: int) -> None:
    """The same packet for ever; the broker's answers are read and dropped, or it would stop reading."""
    with socket.create_connection(("127.0.0.1", rig.broker.port)) as line:
        line.sendall(CONNECT.replace(b"sink", b"mill"))

        def write(octets: bytes) -> None:
            line.sendall(octets)
            _drop(line)

        pace(write, [packet], rate, FOR_EVER_S)


def _drop(line: socket.socket) -> None:
    try:
        while line.recv(1 << 20, socket.MSG_DONTWAIT):
            pass
    except BlockingIOError:
        time.sleep(0)


def publish(topic: str, payload: bytes, *, qos: int, retain: bool) -> bytes:
    """A PUBLISH of MQTT 3.1.1, always of the same number."""
    body = struct.pack(">H", len(topic)) + topic.encode() + (b"\x00\x01" if qos else b"") + payload
    length, rest = bytearray(), len(body)
    while rest:
        length.append(rest % 128 | (0x80 if rest >= 128 else 0))
        rest //= 128
    return bytes([0x30 | qos << 1 | retain]) + bytes(length) + body
