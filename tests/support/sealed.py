"""A made-up format that proves who sends it: kind (0 plain, 1 sealed), number, battery, key pressed, code."""

from drivers.base import (
    Address,
    Auth,
    BadFrame,
    Edge,
    KeyPress,
    Measurement,
    Metric,
    Occurrence,
    OccurrenceKind,
    Said,
)
from drivers.decoders.contract import Decoder, Part

PROFILE = """
profile: sealed
about: a format with a code
source: made up for the tests
decoder: sealed
bluetooth: {service_data: {uuid: "fcd2", prefix: "40"}}
golden:
  - {name: sealed, payload: "01 01 58 01 73", key: "2b", values: {battery_level: 88}, auth: ok, counter: 1,
     occurrences: [{kind: button, press: single, key: 1}]}
"""
KEY = "2b"


def payload(number: int, *, battery: int = 88, pressed: bool = False, plain: bool = False) -> str:
    """As service data of FCD2, in hex."""
    octets = bytes([not plain, number, battery, pressed])
    return f"40{octets.hex()}{battery ^ int(KEY, 16):02x}"


def _decode(octets: bytes, _sender: Address | None, key: bytes | None) -> Said:
    if len(octets) < 5:
        raise BadFrame("too_short", octets)
    sealed, number, battery, pressed, code = octets[:5]
    if sealed and key is None:
        raise BadFrame("no_key", octets)
    if sealed and key is not None and battery ^ key[0] != code:
        raise BadFrame("decryption", octets)
    auth = Auth.OK if sealed else Auth.DOWNGRADED if key else Auth.NONE
    absent = ("battery_level",) if battery == 255 else ()
    readings = () if absent else (Measurement(Metric.BATTERY_LEVEL, battery),)
    happened = Occurrence(OccurrenceKind.BUTTON, Edge(number), press=KeyPress.SINGLE)
    return Said((*readings, happened) if pressed else readings, (), absent, None, auth, number if sealed else None)


def _parts(octets: bytes, sender: Address | None, key: bytes | None) -> list[Part]:
    _decode(octets, sender, key)
    names = ("sealed", "number", "battery_level", "pressed", "code")
    return [Part(str(at), octets[at : at + 1].hex(), name, str(octets[at]), "") for at, name in enumerate(names)]


SEALED = Decoder(_decode, _parts)
