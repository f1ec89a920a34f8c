"""AES-CCM as RFC 3610 describes it, block by block: seals frames apart from the code that opens them."""

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

BLOCK = 16


def sealed(key: bytes, nonce: bytes, plain: bytes, associated: bytes = b"", tag: int = 4) -> bytes:
    """`plain` encrypted, its tag behind it."""
    size = BLOCK - 1 - len(nonce)
    flags = (64 if associated else 0) + 8 * ((tag - 2) // 2) + size - 1
    head = bytes([flags]) + nonce + len(plain).to_bytes(size, "big")
    prefixed = len(associated).to_bytes(2, "big") + associated if associated else b""
    check = bytes(BLOCK)
    for block in (head, *_blocks(prefixed), *_blocks(plain)):
        check = _encrypted(key, _xor(check, block))
    counters = (bytes([size - 1]) + nonce + count.to_bytes(size, "big") for count in range(len(plain) // BLOCK + 2))
    streams = [_encrypted(key, counter) for counter in counters]
    return _xor(plain, b"".join(streams[1:])) + _xor(check, streams[0])[:tag]


def _blocks(octets: bytes) -> list[bytes]:
    return [octets[at : at + BLOCK].ljust(BLOCK, b"\0") for at in range(0, len(octets), BLOCK)]


def _encrypted(key: bytes, block: bytes) -> bytes:
    return Cipher(AES(key), ECB()).encryptor().update(block)


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=False))
