"""Holds a published message against the contract: its schema by topic, and what a schema cannot say."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, NoReturn

from jsonschema import Draft202012Validator, FormatChecker

from gateway.contract import MessageName, schema

_LAST = {
    "state": MessageName.STATE,
    "health": MessageName.HEALTH,
    "telemetry": MessageName.TELEMETRY,
    "gap": MessageName.GAP,
    "probe": MessageName.PROBE,
}
FORMATS = FormatChecker(())


@FORMATS.checks("date-time", raises=ValueError)
def _a_real_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@cache
def validator(name: MessageName) -> Draft202012Validator:
    return Draft202012Validator(schema(name), format_checker=FORMATS)


def check(topic: str, payload: bytes, root: str = "398/v1") -> None:
    """AssertionError where the contract has no such topic, or the message is not as it promises."""
    name, levels = _named(topic, root)
    message = _parsed(topic, payload)
    faults = sorted(validator(name).iter_errors(message), key=lambda error: error.json_path)
    if faults:
        told = "\n".join(f"  {fault.json_path}: {fault.message[:300]}" for fault in faults)
        raise AssertionError(f"{topic}: no {name.value} of the contract:\n{told}\n  in {payload[:2000]!r}")
    for what, found, wanted in _agreements(name, levels, message, root):
        assert found == wanted, f"{topic}: {what} is {found!r}, the contract wants {wanted!r}\n  in {payload[:2000]!r}"
    if name is MessageName.RESPONSE and message["status"] == "ok":
        _check_result(topic, levels[-1], message["result"])


def _named(topic: str, root: str) -> tuple[MessageName, list[str]]:
    """Which message a topic carries, and its levels below the root."""
    assert topic.startswith(f"{root}/"), f"{topic}: not below {root}/"
    levels = topic.removeprefix(f"{root}/").split("/")
    match levels[1:]:
        case ["alert", _]:
            return MessageName.ALERT, levels
        case ["alert", _, "ack"]:
            return MessageName.ACK, levels
        case ["wearer", _, "protection"]:
            return MessageName.PROTECTION, levels
        case ["request", "test-window"]:
            return MessageName.TEST_WINDOW, levels
        case ["request", _]:
            return MessageName.REQUEST, levels
        case ["response", _]:
            return MessageName.RESPONSE, levels
        case [last] if last in _LAST:
            return _LAST[last], levels
    raise AssertionError(f"{topic}: the contract has no such topic")


def _parsed(topic: str, payload: bytes) -> dict[str, Any]:
    def refuse(constant: str) -> NoReturn:
        raise AssertionError(f"{topic}: {constant} is no JSON")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs), f"{topic}: a key twice in {payload[:2000]!r}"
        return dict(pairs)

    try:
        message = json.loads(payload.decode("utf-8"), parse_constant=refuse, object_pairs_hook=once)
    except ValueError as wrong:
        raise AssertionError(f"{topic}: no JSON in UTF-8 ({wrong}): {payload[:2000]!r}") from wrong
    assert isinstance(message, dict), f"{topic}: not an object: {payload[:2000]!r}"
    return message


Agreement = tuple[str, object, object]


def _agreements(name: MessageName, levels: list[str], message: Mapping[str, Any], root: str) -> list[Agreement]:
    """What must be the same in two places of a message, or in a message and its topic."""
    station = levels[0]
    if name in (MessageName.STATE, MessageName.HEALTH, MessageName.PROBE):
        return [("station", message["station"], station)]
    if name is MessageName.PROTECTION:
        return [("wearer", message["wearer"], levels[2])]
    if name not in (MessageName.ALERT, MessageName.TELEMETRY, MessageName.GAP):
        return []
    told = message["data"]
    found: list[Agreement] = [
        ("source", message["source"], f"{root}/{station}"),
        ("sequence", message["sequence"], message["id"].split("-")[1].zfill(20)),
        ("data.station", told["station"], station),
    ]
    if name is MessageName.ALERT:
        found += [
            ("data.id", told["id"], levels[-1]),
            ("subject", message.get("subject"), told["device"]),
            ("presses listed", len(told["presses"]), min(told["press_count"], 50)),
        ]
    return found


def _check_result(topic: str, verb: str, result: Mapping[str, Any]) -> None:
    wanted = f"{verb}_result"
    shapes = schema(MessageName.RESPONSE)["$defs"]
    assert wanted in shapes, f"{topic}: the contract knows no answer to {verb!r}"
    shape = {"$ref": f"#/$defs/{wanted}", "$defs": shapes}
    faults = [f"{f.json_path}: {f.message[:300]}" for f in Draft202012Validator(shape).iter_errors(result)]
    assert not faults, f"{topic}: not an answer to {verb}: {'; '.join(faults)}"
