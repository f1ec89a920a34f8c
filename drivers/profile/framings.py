"""Framings as a profile states them: their shape, what must fit, and the framing they are compiled to."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from drivers.checksum import CHECKSUMS
from drivers.framing import (
    SLIP_CODES,
    BracketedFraming,
    Check,
    CobsFraming,
    Counts,
    EscapedFraming,
    Esp3Framing,
    FixedFraming,
    Framing,
    LengthFraming,
    LineFraming,
    LoginFraming,
    RfBridgeFraming,
    SeveralFramings,
    Tail,
    complemented,
)
from drivers.profile.shape import Finding, Shape
from drivers.profile.written import ChecksumName, Octets, Order, SomeOctets

Octet = Annotated[Octets, Field(min_length=1, max_length=1)]
Longest = Annotated[int, Field(ge=4, le=4096)]


class Way(Shape, ABC):
    """One way of framing, with all that it must say."""

    @abstractmethod
    def framing(self, order: Order, /) -> Framing:
        """The framing, ready for use; `order` is the byte order where nothing else is said."""

    def unfit(self, _body: int, /) -> Iterator[Finding]:
        """What is wrong with it where it has to carry bodies of so many bytes."""
        yield from ()


class LengthShape(Shape):
    at: int = Field(ge=1, le=15)
    type: Literal["u8", "u16", "u24", "u32"] = "u8"
    order: Order | None = None
    counts: Counts
    """body, body_and_checksum or frame"""

    @property
    def size(self) -> int:
        return int(self.type[1:]) // 8


class BodyChecksumShape(Shape):
    """A checksum behind a body, of the whole body."""

    name: ChecksumName
    order: Order | None = None

    @property
    def size(self) -> int:
        return CHECKSUMS[self.name].size

    def check(self, order: Order) -> Check:
        return Check(CHECKSUMS[self.name], 0, self.order or order)


class ChecksumShape(BodyChecksumShape):
    covers_from: int = Field(ge=0, le=15)
    """the first byte of the frame that the checksum covers"""

    def check(self, order: Order) -> Check:
        return Check(CHECKSUMS[self.name], self.covers_from, self.order or order)


class StartShape(Shape):
    """Other start bytes, which stand for another length field."""

    start: SomeOctets
    length: LengthShape


class StartLengthShape(Way):
    start: SomeOctets
    length: LengthShape
    also: tuple[StartShape, ...] = ()
    """frames that begin otherwise and have another length field; all else is the same"""
    checksum: ChecksumShape | None = None
    end: Octets = b""
    longest: Longest
    """the size of the longest frame, in bytes"""

    def framing(self, order: Order) -> Framing:
        first, *others = (self._beginning(start, length, order) for start, length in self._beginnings())
        return SeveralFramings((first, *others)) if others else first

    def _beginnings(self) -> list[tuple[bytes, LengthShape]]:
        return [(self.start, self.length), *((other.start, other.length) for other in self.also)]

    def _beginning(self, start: bytes, length: LengthShape, order: Order) -> LengthFraming:
        return LengthFraming(
            start=start,
            length_at=length.at,
            length_size=length.size,
            length_order=length.order or order,
            counts=length.counts,
            tail=Tail(self.checksum.check(order) if self.checksum else None, self.end),
            longest=self.longest,
        )

    def unfit(self, body: int) -> Iterator[Finding]:
        places = [(), *(("also", number) for number in range(len(self.also)))]
        seen: list[bytes] = []
        for where, (start, length) in zip(places, self._beginnings(), strict=True):
            if length.at < len(start):
                cure = f"write at: {len(start)}"
                yield Finding((*where, "length", "at"), "the length stands in the start bytes", cure)
            if any(start.startswith(other) for other in seen):
                yield Finding((*where, "start"), "another start stands for these bytes already", "put the longer first")
            seen.append(start)
            least = len(start) + length.size + body + _size(self.checksum) + len(self.end)
            if self.longest < least:
                yield _too_short("longest", least)


class FixedShape(Way):
    start: Octets = b""
    size: int = Field(ge=2, le=4096)
    """the size of every frame, in bytes"""
    checksum: ChecksumShape | None = None
    end: Octets = b""

    def framing(self, order: Order) -> Framing:
        tail = Tail(self.checksum.check(order) if self.checksum else None, self.end)
        return FixedFraming(self.start, self.size, tail)

    def unfit(self, body: int) -> Iterator[Finding]:
        if not self.start and not self.end and self.checksum is None:
            yield Finding((), "nothing tells a frame from rubbish", "add start:, checksum: or end:")
        least = len(self.start) + body + _size(self.checksum) + len(self.end)
        if self.size < least:
            yield _too_short("size", least)


class StuffedShape(Way):
    """A framing that marks its ends with a byte that cannot stand inside."""

    checksum: BodyChecksumShape | None = None
    longest: Longest
    """the most bytes that stand between two ends, as they are on the line"""

    def unfit(self, body: int) -> Iterator[Finding]:
        least = body + _size(self.checksum)
        if self.longest < least:
            yield _too_short("longest", least)

    def _check(self, order: Order) -> Check | None:
        return self.checksum.check(order) if self.checksum else None


class SlipShape(StuffedShape):
    def framing(self, order: Order) -> Framing:
        return EscapedFraming(0xC0, 0xDB, SLIP_CODES, self._check(order), self.longest)


class CobsShape(StuffedShape):
    def framing(self, order: Order) -> Framing:
        return CobsFraming(self._check(order), self.longest)


class HdlcShape(StuffedShape):
    flag: Octet = b"\x7e"
    escape: Octet = b"\x7d"
    xor: int | None = Field(default=None, ge=1, le=255)
    """an escaped byte is written as itself xor this number"""
    codes: dict[Octet, Octet] | None = None
    """or, for each byte that may follow an escape, which byte the two stand for"""

    def framing(self, order: Order) -> Framing:
        return EscapedFraming(self.flag[0], self.escape[0], self._codes(), self._check(order), self.longest)

    def _codes(self) -> dict[int, int]:
        if self.codes is None:
            return complemented(self.xor or 0)
        return {code[0]: byte[0] for code, byte in self.codes.items()}

    def unfit(self, body: int) -> Iterator[Finding]:
        yield from super().unfit(body)
        if (self.xor is None) == (self.codes is None):
            cure = 'write xor: 0x20, or codes: {"01": "7d", "02": "7e"}'
            yield Finding((), "either xor or codes says how bytes are escaped", cure)
        elif self.flag == self.escape:
            yield Finding(("escape",), "the escape is the flag", "write another byte")
        elif self.codes is not None:
            for byte in {self.flag, self.escape}.difference(self.codes.values()):
                yield Finding(("codes",), f"no code stands for {byte.hex()}", f'add one, such as "01": "{byte.hex()}"')


class LineShape(Way):
    end: SomeOctets
    longest: int = Field(ge=1, le=4096)

    def framing(self, _: Order) -> Framing:
        return LineFraming(self.end, self.longest)


class BracketedShape(Way):
    longest: Longest
    """the size of the longest frame, brackets and all"""
    slack: int = Field(default=0, ge=0, le=16)
    """how many bytes behind its place the closing bracket may stand, for firmware that counts too few"""

    def framing(self, _: Order) -> Framing:
        return BracketedFraming(self.longest, self.slack)


class Esp3Shape(Way):
    longest: Longest = 512

    def framing(self, _: Order) -> Framing:
        return Esp3Framing(self.longest)


class RfBridgeShape(Way):
    longest: Longest = 160

    def framing(self, _: Order) -> Framing:
        return RfBridgeFraming(self.longest)


class LoginShape(Shape):
    """On a line of one device: how the bodies begin in which it says who it is, and where its id stands in them."""

    begins: SomeOctets
    at: int = Field(ge=0, le=255)
    size: int = Field(ge=1, le=16)


class FramingShape(Shape):
    """One key per way of framing; exactly one is given."""

    start_length: StartLengthShape | None = None
    fixed: FixedShape | None = None
    line: LineShape | None = None
    slip: SlipShape | None = None
    cobs: CobsShape | None = None
    hdlc: HdlcShape | None = None
    bracketed: BracketedShape | None = None
    esp3: Esp3Shape | None = None
    rf_bridge: RfBridgeShape | None = None
    login: LoginShape | None = None
    """beside the way of framing: the id from the device's login stands before every body"""

    def ways(self) -> list[tuple[str, Way]]:
        """The ways that are given, by name."""
        return [(name, way) for name in WAYS if (way := getattr(self, name)) is not None]


WAYS = tuple(name for name in FramingShape.model_fields if name != "login")


def framing(shape: FramingShape, order: Order) -> Framing:
    [(_, way)] = shape.ways()
    found, login = way.framing(order), shape.login
    return LoginFraming(found, login.begins, login.at, login.size) if login else found


def unfit(shape: FramingShape, longest_body: int) -> Iterator[Finding]:
    """What is wrong with a framing that has to carry bodies of so many bytes."""
    ways = shape.ways()
    if len(ways) != 1:
        yield Finding((), "exactly one way of framing is needed", f"write one of {', '.join(WAYS)}")
        return
    [(name, way)] = ways
    carried = longest_body - (shape.login.size if shape.login else 0)
    yield from (Finding((name, *found.where), found.what, found.cure) for found in way.unfit(carried))


def _size(checksum: BodyChecksumShape | None) -> int:
    return checksum.size if checksum else 0


def _too_short(key: str, least: int) -> Finding:
    return Finding((key,), f"this profile's frames take {least} bytes", f"write {least} or more")
