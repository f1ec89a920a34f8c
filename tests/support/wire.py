"""Vectors of formats that come over a serial line: what a stream says under a shipped profile."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from drivers.base import BadFrame, Decoded, Instant, Measurement, Occurrence, Packet, PacketKind
from drivers.decoders.catalogue import DECODERS
from drivers.profile.golden import told
from drivers.registry import Profiles

FOLDER = Path(__file__).parents[1] / "vectors"
RUBBISH = bytes.fromhex("a5a55a00a55a01027e5b")
Vector = dict[str, Any]


@cache
def shipped() -> Profiles:
    return Profiles.load()


@cache
def vectors(name: str) -> tuple[list[Vector], list[Vector]]:
    """Those that are sound, and those that are refused."""
    file = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    return file["sound"], file["refused"]


def octets(vector: Vector) -> bytes:
    return bytes.fromhex(vector["serial"])


def bodies(name: str, stream: bytes, chunk: int = 4096) -> list[bytes | BadFrame]:
    deframer = shipped().framing(name).deframer()
    return [each for at in range(0, len(stream), chunk) for each in deframer.feed(stream[at : at + chunk])]


def heard(name: str, stream: bytes, chunk: int = 4096) -> list[Decoded | str]:
    """What each frame says, or the reason for which it, or what is no frame, is refused."""
    return [read(name, each) for each in bodies(name, stream, chunk)]


def read(name: str, body: bytes | BadFrame) -> Decoded | str:
    if isinstance(body, BadFrame):
        return body.reason
    try:
        decoded = shipped().decode(Packet("serial:x", PacketKind.FRAME, name, body, Instant(0, 0)))
    except BadFrame as refused:
        return refused.reason
    assert decoded is not None
    return decoded


def found(decoded: Decoded) -> Vector:
    said = decoded.said
    return {
        "values": {each.metric.value: each.value for each in said.readings if isinstance(each, Measurement)},
        "occurrences": [words(each) for each in said.readings if isinstance(each, Occurrence)],
        "absurd": list(said.absurd),
        "absent": list(said.absent),
        "address": decoded.address,
        "rssi": decoded.rssi,
        "reply": said.reply.hex() if said.reply is not None else None,
    }


def stated(vector: Vector) -> Vector:
    """What a vector says; what it leaves out is not there."""
    said: Vector = {"values": {}, "occurrences": [], "absurd": [], "absent": [], "address": None, "rssi": None}
    said |= {"reply": None}
    return said | {name: vector[name] for name in said if name in vector}


def words(occurrence: Occurrence) -> str:
    """`sos key=7 number=1` or `low_battery active`."""
    terms = told(occurrence)
    state = [] if terms.active is None else ["active" if terms.active else "inactive"]
    numbers = {"key": terms.key, "number": terms.button, "window": terms.window or None}
    told_of = [f"{name}={number}" for name, number in numbers.items() if number is not None]
    return " ".join([terms.kind.value, *state, *told_of])


def shows_every_byte(name: str, payload: bytes) -> None:
    """The bench shows every byte of a payload once, in order."""
    parts = DECODERS[name].parts(payload, None, None)
    assert b"".join(bytes.fromhex(each.octets) for each in parts) == payload
    at = 0
    for each in parts:
        assert each.place.split("-")[0] == str(at)
        at += len(each.octets) // 2
