"""Streams for framings: what a deframer hears in them, whole and in portions, and how much work it makes of them."""

import itertools
import sys
from collections.abc import Iterable

from drivers.base import BadFrame
from drivers.framing import Framing


def heard(framing: Framing, chunks: Iterable[bytes]) -> list[bytes | tuple[str, bytes]]:
    """Bodies, and what was refused as its reason and bytes."""
    deframer = framing.deframer()
    found = [each for chunk in chunks for each in deframer.feed(chunk)]
    return [(each.reason, each.payload) if isinstance(each, BadFrame) else each for each in found]


def one_by_one(stream: bytes) -> list[bytes]:
    return [bytes([byte]) for byte in stream]


def portions(stream: bytes, cuts: list[int]) -> list[bytes]:
    chunks, at = [], 0
    for cut in cuts:
        chunks.append(stream[at : at + cut])
        at += cut
    return [*chunks, stream[at:]]


def broken(frame: bytes) -> bytes:
    """The frame with its last bit flipped."""
    return frame[:-1] + bytes([frame[-1] ^ 1])


def calls(framing: Framing, stream: bytes, chunk: int) -> int:
    """Python and C calls made for `stream` in chunks: work that no busy machine changes."""
    deframer, made = framing.deframer(), itertools.count()
    sys.setprofile(lambda _frame, event, _arg: next(made) if event.endswith("call") else None)
    try:
        for at in range(0, len(stream), chunk):
            deframer.feed(stream[at : at + chunk])
    finally:
        sys.setprofile(None)
    return next(made)
