"""A message of telemetry read back: its readings one by one, as they stand in it. Pure."""

import msgspec

from gateway.thinning import Said

MINUTE = len("2026-11-23T08:00")


class _Body(msgspec.Struct, frozen=True):
    station: str
    readings: list[msgspec.Raw]


class Batch(msgspec.Struct, frozen=True):
    source: str
    data: _Body


class _Reading(msgspec.Struct, frozen=True):
    device: str
    at: str
    values: dict[str, bool | float]
    boot: str = ""
    test: bool = False


read = msgspec.json.Decoder(Batch).decode
_reading = msgspec.json.Decoder(_Reading).decode


def said(payload: bytes) -> list[Said] | None:
    """None where it is no such message."""
    try:
        return [_said(raw) for raw in read(payload).data.readings]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _said(raw: msgspec.Raw) -> Said:
    """Minutes of a boot without the right time are apart from those of another."""
    reading = _reading(raw)
    minute = f"{reading.device} {reading.boot} {reading.test} {reading.at[:MINUTE]}"
    return Said(minute, reading.values, bytes(raw))
