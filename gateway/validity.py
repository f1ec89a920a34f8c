"""From when until when a certificate is valid, by its DER. Pure.

The library that reads whole certificates takes 8 MiB of memory; here two fields are enough.
"""

import re
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_FORMS = {0x17: "%y%m%d%H%M%SZ", 0x18: "%Y%m%d%H%M%SZ"}
"""How UTCTime and GeneralizedTime are written."""
_SEQUENCE, _VERSION = 0x30, 0xA0


class Validity(NamedTuple):
    begins: datetime
    ends: datetime


def validities(pem: str) -> list[Validity]:
    """Of every certificate in a PEM file, in its order. ValueError where one is none."""
    return [validity(ssl.PEM_cert_to_DER_cert(block)) for block in _PEM.findall(pem)]


def validity(der: bytes) -> Validity:
    """ValueError where it is no certificate."""
    signed = _inner(_parts(der), _SEQUENCE)
    fields = _parts(_inner(_parts(signed), _SEQUENCE))
    if _next(fields)[0] == _VERSION:  # else it was the number, which stands first in the oldest form
        _next(fields)
    for _ in ("signature", "issuer"):
        _next(fields)
    times = _parts(_inner(fields, _SEQUENCE))
    return Validity(_time(*_next(times)), _time(*_next(times)))


def _parts(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of what stands one after the other."""
    while der:
        if len(der) < 2:
            raise ValueError("a certificate that breaks off")
        tag, size, at = der[0], der[1], 2
        if size & 0x80:
            at += size & 0x7F
            size = int.from_bytes(der[2:at])
        if len(der) < at + size:
            raise ValueError("a certificate that breaks off")
        yield tag, der[at : at + size]
        der = der[at + size :]


def _next(parts: Iterator[tuple[int, bytes]]) -> tuple[int, bytes]:
    found = next(parts, None)
    if found is None:
        raise ValueError("a certificate that lacks a field")
    return found


def _inner(parts: Iterator[tuple[int, bytes]], wanted: int) -> bytes:
    tag, content = _next(parts)
    if tag != wanted:
        raise ValueError("no certificate")
    return content


def _time(tag: int, written: bytes) -> datetime:
    if tag not in _FORMS:
        raise ValueError("a certificate without its times")
    return datetime.strptime(written.decode("ascii"), _FORMS[tag]).replace(tzinfo=UTC)
