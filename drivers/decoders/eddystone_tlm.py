"""Eddystone TLM, what a beacon says of itself: the payload behind the frame type 20 in the service data of FEAA.

Layout: google/eddystone, tlm-plain.md and tlm-encrypted.md. An encrypted frame can be read only with its beacon's
identity key and the clock of its ephemeral id, which no gateway has: it is refused as `encrypted_tlm`.
"""

import struct

from drivers.base import Address, BadFrame, Metric, Said
from drivers.decoders.contract import Decoder, Part, part
from drivers.decoders.findings import Findings

PLAIN, ENCRYPTED = 0x00, 0x01
LAYOUT = struct.Struct(">xHhII")
NO_VOLTAGE, NO_TEMPERATURE = 0, -0x8000


def decode(payload: bytes, _sender: Address | None, _key: bytes | None) -> Said:
    voltage, temperature, _sent, _up = _numbers(payload)
    found = Findings()
    found.add(Metric.BATTERY_VOLTAGE, None if voltage == NO_VOLTAGE else voltage / 1000)
    found.add(Metric.AMBIENT_TEMPERATURE, None if temperature == NO_TEMPERATURE else temperature / 256)
    return found.said()


def _numbers(payload: bytes) -> tuple[int, int, int, int]:
    if payload[:1] == bytes([ENCRYPTED]):
        raise BadFrame("encrypted_tlm", payload)
    if payload[:1] != bytes([PLAIN]):
        raise BadFrame("version" if payload else "too_short", payload)
    if len(payload) < LAYOUT.size:
        raise BadFrame("too_short", payload)
    voltage, temperature, sent, up = LAYOUT.unpack_from(payload)
    return voltage, temperature, sent, up


def parts(payload: bytes, _sender: Address | None, _key: bytes | None) -> list[Part]:
    voltage, temperature, sent, up = _numbers(payload)
    no_voltage, no_temperature = voltage == NO_VOLTAGE, temperature == NO_TEMPERATURE
    return [
        part(0, payload[:1], "version", PLAIN, "in the open"),
        part(1, payload[1:3], "battery voltage", voltage, "absent" if no_voltage else f"{voltage / 1000} V"),
        part(3, payload[3:5], "temperature", temperature, "absent" if no_temperature else f"{temperature / 256} Cel"),
        part(5, payload[5:9], "frames sent", sent),
        part(9, payload[9:13], "time since power-up", up, f"{up / 10} s"),
    ]


DECODER = Decoder(decode, parts)
