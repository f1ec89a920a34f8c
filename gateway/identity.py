"""Pseudonyms and ids: what may leave the station, made from what must not."""

import base64
import hashlib
import hmac

from drivers.base import Address, Instant

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


def press_key(fleet_key: bytes, address: Address, kind: str, service: str | None, counter: int) -> str:
    """The same for one press at every station that shares the fleet key: 26 characters of base32 (RFC 4648)."""
    text = f"{address}|{kind}|{service or ''}|{counter}"
    return base64.b32encode(_mac(fleet_key, text)).decode("ascii")[:26]


def stranger(key: bytes, address: Address) -> str:
    """A name for a device that the roster does not know; the address cannot be had back from it."""
    return f"x-{_mac(key, address).hex()[:16]}"


def unique_id(now: Instant, chance: bytes) -> str:
    """26 characters that sort by time (48 bits of ms), then by ten bytes of chance."""
    number = (now.wall_ms & (1 << 48) - 1) << 80 | int.from_bytes(chance[:10])
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode("utf-8"), hashlib.sha256).digest()
