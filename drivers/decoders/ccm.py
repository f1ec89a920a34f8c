"""AES-CCM with a tag of four bytes: how BTHome and MiBeacon seal their adverts."""

import re

from drivers.base import Address, BadFrame

KEY, TAG = 16, 4
BLUETOOTH = re.compile(r"[0-9a-f]{12}")


def octets_of(address: Address | None) -> bytes | None:
    """A Bluetooth address as it goes into a nonce; None where it is none."""
    return bytes.fromhex(address) if address and BLUETOOTH.fullmatch(address) else None


def opened(payload: bytes, sealed: bytes, key: bytes | None, nonce: bytes | None, associated: bytes = b"") -> bytes:
    """What `sealed` says, the tag at its end; `nonce` is None where the address that belongs into it is not known.

    Raises BadFrame with the whole `payload`.
    """
    if key is None:
        raise BadFrame("no_key", payload)
    if len(key) != KEY:
        raise BadFrame("key_size", payload)
    if nonce is None:
        raise BadFrame("no_address", payload)
    # 8 MiB that a station without keys need not load
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM  # noqa: PLC0415

    try:
        return AESCCM(key, tag_length=TAG).decrypt(nonce, sealed, associated)
    except InvalidTag as wrong:
        raise BadFrame("decryption", payload) from wrong
