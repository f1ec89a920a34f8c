"""`station-gateway schema`: the contract and the files' shapes, for editors and for programs at the other end."""

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

from gateway.contract import MessageName, asyncapi_text, schema

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Print the shape of a file or of the messages, for editors and programs. "
        "Each stands alone: nothing in it refers to another file."
    )
    parser.add_argument(
        "what",
        choices=sorted(_PRINTED),
        metavar=f"{{{','.join(sorted(_PRINTED))}}}",
        help="config: JSON Schema of gateway.yaml; profile: of a device profile; "
        "messages: of every MQTT message, by its name; asyncapi: the AsyncAPI document, as YAML",
    )


def run(args: argparse.Namespace) -> int:
    sys.stdout.write(_PRINTED[args.what]())
    return 0


def _config() -> str:
    from gateway.config import Config  # noqa: PLC0415 - the other schemas need no pydantic

    return _json({"$schema": DRAFT} | Config.model_json_schema())


def _profile() -> str:
    from drivers.profile.model import ProfileFile  # noqa: PLC0415 - as above

    return _json({"$schema": DRAFT} | ProfileFile.model_json_schema())


def _messages() -> str:
    return _json({name.value: schema(name) for name in MessageName})


def _json(shape: dict[str, Any]) -> str:
    return json.dumps(shape, indent=2, ensure_ascii=False) + "\n"


_PRINTED: dict[str, Callable[[], str]] = {
    "asyncapi": asyncapi_text,
    "config": _config,
    "messages": _messages,
    "profile": _profile,
}
