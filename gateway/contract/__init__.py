"""The wire contract as it ships: a schema per message, the AsyncAPI document, codes of the telecare standards."""

import json
from collections.abc import Mapping
from enum import Enum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import msgspec
import yaml


class MessageName(Enum):
    ALERT = "alert"
    TELEMETRY = "telemetry"
    GAP = "gap"
    STATE = "state"
    HEALTH = "health"
    PROTECTION = "protection"
    PROBE = "probe"
    ACK = "ack"
    REQUEST = "request"
    TEST_WINDOW = "test-window"
    RESPONSE = "response"


class Codes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the telecare standards name a kind of alert; None where they do not."""

    scaip: str | None
    contact_id: str | None


SHARED = "shared.schema.json#/$defs/"


def schema(name: MessageName) -> dict[str, Any]:
    """A message's JSON Schema (2020-12) that stands alone: what the messages share is among its `$defs`."""
    return _pointing(name, "#/$defs/") | {"$defs": _shared("#/$defs/")}


@cache
def codes() -> Mapping[str, Codes]:
    """By kind of alert; every kind of the contract is there."""
    return MappingProxyType(msgspec.convert(yaml.safe_load(_text("codes.yaml")), dict[str, Codes]))


def asyncapi_text() -> str:
    """The AsyncAPI 3.0 document as YAML that stands alone: the schemas that its file refers to are inside."""
    text = _text("asyncapi.yaml")
    for name in MessageName:
        text = text.replace(f"./{name.value}.schema.json", f"#/components/schemas/{name.value}")
    document = yaml.safe_load(text)
    shared = "#/components/schemas/shared_"
    schemas = {name.value: _pointing(name, shared) for name in MessageName}
    document["components"]["schemas"] = schemas | {f"shared_{key}": part for key, part in _shared(shared).items()}
    document = json.loads(json.dumps(document))  # parts that are shared would be written as YAML aliases
    written: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
    return written


def _pointing(name: MessageName, at: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(_text(f"{name.value}.schema.json").replace(SHARED, at))
    return loaded


def _shared(at: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(_text("shared.schema.json").replace("#/$defs/", at))["$defs"]
    return loaded


def _text(file: str) -> str:
    return files(__name__).joinpath(file).read_text(encoding="utf-8")
