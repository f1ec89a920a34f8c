"""Vectors of formats that a decoder reads: what a payload says, in the words of tests/vectors/*.yaml."""

from pathlib import Path
from typing import Any

import yaml

from drivers.base import BadFrame, Measurement, Occurrence, Said
from drivers.decoders.contract import Decode, Parts
from drivers.profile.golden import told, wording

FOLDER = Path(__file__).parents[1] / "vectors"
Vector = dict[str, Any]


def load(name: str) -> tuple[list[Vector], list[Vector]]:
    """Those that are sound, and those that are refused."""
    vectors = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    return vectors["sound"], vectors["refused"]


def payload(vector: Vector) -> bytes:
    return bytes.fromhex(vector["payload"])


def key(vector: Vector) -> bytes | None:
    return bytes.fromhex(vector["key"]) if "key" in vector else None


def stated(vector: Vector) -> Vector:
    """What a vector says of its payload; what it leaves out is not there."""
    said: Vector = {"values": {}, "occurrences": [], "absurd": [], "absent": [], "auth": "none"}
    said |= {"counter": None, "address": None, "reply": None}
    return said | {name: vector[name] for name in said if name in vector}


def found(said: Said) -> Vector:
    """The same of what was decoded."""
    return {
        "values": {each.metric.value: each.value for each in said.readings if isinstance(each, Measurement)},
        "occurrences": [wording(told(each)) for each in said.readings if isinstance(each, Occurrence)],
        "absurd": list(said.absurd),
        "absent": list(said.absent),
        "auth": said.auth.value,
        "counter": said.counter,
        "address": said.address,
        "reply": said.reply.hex() if said.reply is not None else None,
    }


def refusal(decode: Decode, octets: bytes, sender: str | None, secret: bytes | None) -> str | None:
    """Why `octets` are refused; None where they are read. Whatever else is raised goes through."""
    try:
        decode(octets, sender, secret)
    except BadFrame as refused:
        return refused.reason
    return None


def holds(decode: Decode, vector: Vector) -> None:
    """A vector says what its source states."""
    assert found(decode(payload(vector), vector.get("sender"), key(vector))) == stated(vector)


def shows(parts: Parts, vector: Vector) -> None:
    """The bench shows every byte of a vector once, in order, and what is stated of it."""
    shown = parts(payload(vector), vector.get("sender"), key(vector))
    assert [len(bytes.fromhex(each.octets)) for each in shown] == [len(_span(each.place)) for each in shown]
    places = [place for each in shown for place in _span(each.place)]
    assert places == list(range(len(payload(vector))))
    bench = {each.name: each.value for each in shown}
    assert {name: bench.get(name) for name in vector.get("bench", {})} == vector.get("bench", {})


def is_cut(decode: Decode, vector: Vector) -> None:
    """Cut short anywhere, a sealed vector is refused, and another one says no more than it did."""
    whole = stated(vector)
    for size in range(len(payload(vector))):
        octets, sender, secret = payload(vector)[:size], vector.get("sender"), key(vector)
        reason = refusal(decode, octets, sender, secret)
        assert reason in ({"too_short", "decryption"} if whole["auth"] == "ok" else {"too_short", None})
        if reason is None:
            cut = found(decode(octets, sender, secret))
            assert cut["values"].items() <= whole["values"].items()
            assert len(cut["occurrences"]) <= len(whole["occurrences"])


def _span(place: str) -> range:
    first, _, last = place.partition("-")
    return range(int(first), int(last or first) + 1)
