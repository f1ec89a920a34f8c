"""Framings as a profile states them: their shape, what must fit, and the framing they are compiled to."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from drivers.checksum import CHECKSUMS
from drivers.framing import Counts, Framing, LengthFraming, LineFraming
from drivers.profile.shape import Finding, Shape, Where
from drivers.profile.written import ChecksumName, Order, SomeOctets


class LengthShape(Shape):
    at: int = Field(ge=1, le=15)
    type: Literal["u8", "u16", "u24", "u32"] = "u8"
    order: Order | None = None
    counts: Counts
    """body, body_and_checksum or frame"""


class ChecksumShape(Shape):
    name: ChecksumName
    covers_from: int = Field(ge=0, le=15)
    """the first byte of the frame that the checksum covers"""
    order: Order | None = None


class StartLengthShape(Shape):
    start: SomeOctets
    length: LengthShape
    checksum: ChecksumShape | None = None
    longest: int = Field(ge=4, le=4096)
    """the size of the longest frame, in bytes"""


class LineShape(Shape):
    end: SomeOctets
    longest: int = Field(ge=1, le=4096)


class FramingShape(Shape):
    """One key per way of framing; exactly one is given."""

    start_length: StartLengthShape | None = None
    line: LineShape | None = None


def framing(shape: FramingShape, order: Order) -> Framing:
    if shape.line:
        return LineFraming(shape.line.end, shape.line.longest)
    if shape.start_length is None:
        raise ValueError("a framing names no way of framing")
    frame = shape.start_length
    length, check = frame.length, frame.checksum
    return LengthFraming(
        start=frame.start,
        length_at=length.at,
        length_size=int(length.type[1:]) // 8,
        length_order=length.order or order,
        counts=length.counts,
        checksum=CHECKSUMS[check.name] if check else None,
        covers=check.covers_from if check else 0,
        checksum_order=check.order or order if check else order,
        longest=frame.longest,
    )


def unfit(shape: FramingShape, longest_body: int) -> Iterator[Finding]:
    """What is wrong with a framing that has to carry bodies of so many bytes."""
    if (shape.start_length is None) == (shape.line is None):
        yield Finding((), "exactly one way of framing is needed", "write start_length: or line:")
    elif shape.start_length:
        yield from _start_length(shape.start_length, longest_body)


def _start_length(shape: StartLengthShape, body: int) -> Iterator[Finding]:
    where: Where = ("start_length",)
    if shape.length.at < len(shape.start):
        yield Finding((*where, "length", "at"), "the length stands in the start bytes", f"write at: {len(shape.start)}")
    tail = CHECKSUMS[shape.checksum.name].size if shape.checksum else 0
    least = len(shape.start) + int(shape.length.type[1:]) // 8 + body + tail
    if shape.longest < least:
        yield Finding((*where, "longest"), f"this profile's frames take {least} bytes", f"write {least} or more")
