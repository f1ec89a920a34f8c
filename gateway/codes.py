"""The station's own codes for kinds of alert: a file like contract/codes.yaml, with those kinds that differ from it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, create_model

from drivers.marked import read
from drivers.validated import validated
from gateway.contract import Codes, codes
from gateway.sections import Section


def _scaip(value: Any) -> Any:
    if value is not None and not (isinstance(value, str) and re.fullmatch(r"[0-9]{4}/[0-9]{4}", value)):
        raise ValueError("not a SCAIP code; write device and status, such as 0003/0010, or null where there is none")
    return value


def _contact_id(value: Any) -> Any:
    event = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if event is not None and not (isinstance(event, str) and re.fullmatch(r"[0-9]{3}", event)):
        raise ValueError('not a Contact ID event; write three digits, such as "101", or null where there is none')
    return event


class Pair(Section):
    """What one kind of alert is called."""

    scaip: Annotated[str | None, BeforeValidator(_scaip), Field(examples=["0003/0010"])]
    contact_id: Annotated[str | None, BeforeValidator(_contact_id), Field(examples=["101"])]


_KINDS: dict[str, Any] = dict.fromkeys(codes(), (Pair | None, None))
CodesFile = create_model("CodesFile", __base__=Section, **_KINDS)
"""Every kind of the contract, each of which may be left out."""


def load_codes(path: Path) -> Mapping[str, Codes]:
    """The codes in a file, by kind. Refused: with every problem, each at its line."""
    file = validated(read(path), CodesFile)
    pairs = ((kind, getattr(file, kind)) for kind in CodesFile.model_fields)
    return {kind: Codes(pair.scaip, pair.contact_id) for kind, pair in pairs if pair is not None}
