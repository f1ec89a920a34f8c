"""What was heard in the last half minute, packed: bounded in time and in bytes, whatever the air brings. Pure."""

from collections import deque
from collections.abc import Iterator

import msgspec

from drivers.base import Address, Packet

KEPT_MS = 32_000
"""Half a minute, and a moment more until somebody has read it."""
CHUNK = 64 * 1024
"""Bytes that are packed, forgotten and unpacked together: small, for unpacking holds the interpreter."""
CAP = 8 << 20
"""Bytes of all chunks: half a minute of 1,800 packets a second."""

_ARRAY = b"\xdd\0\0\0\0"
"""Head of a MessagePack array, whose length is filled in when the chunk is closed."""
_pack = msgspec.msgpack.Encoder().encode_into


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One packet, and the device that it was found to be of; with a `reason`, bytes that made no packet."""

    packet: Packet
    device: Address | None = None
    reason: str | None = None


_unpack = msgspec.msgpack.Decoder(tuple[Entry, ...]).decode


class Chunk(msgspec.Struct, frozen=True, gc=False):
    """Entries in their order. `number` counts chunks; `last_ms` is the boot clock's time when it was closed."""

    number: int
    last_ms: int
    packed: bytes

    def entries(self) -> tuple[Entry, ...]:
        return _unpack(self.packed)


class Recent:
    """`turn` is called once a second; what is closed stays until it is too old or too much."""

    def __init__(self, cap: int = CAP) -> None:
        self._cap = cap
        self._chunks: deque[Chunk] = deque()
        self._bytes = 0
        self._number = 0
        self._open, self._count = bytearray(_ARRAY), 0

    def add(self, packet: Packet, device: Address | None = None, reason: str | None = None) -> None:
        _pack((packet, device, reason), self._open, -1)
        self._count += 1
        if len(self._open) >= CHUNK:
            self.turn(packet.received.mono_ms)

    def turn(self, now_ms: int) -> None:
        """Close the open chunk, and forget the oldest ones."""
        if self._count:
            self._open[1:5] = self._count.to_bytes(4)
            self._chunks.append(Chunk(self._number, now_ms, bytes(self._open)))
            self._bytes += len(self._open)
            self._number += 1
            self._open, self._count = bytearray(_ARRAY), 0
        while self._chunks and (self._bytes > self._cap or now_ms - self._chunks[0].last_ms > KEPT_MS):
            self._bytes -= len(self._chunks.popleft().packed)

    def since(self, number: int) -> Iterator[Chunk]:
        """Closed chunks from `number` on that are still kept."""
        return (chunk for chunk in self._chunks if chunk.number >= number)
