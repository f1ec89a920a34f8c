"""Text in brackets that says how long it is: `[3G*8800000015*0002*LK]`, as watches of the SeTracker family send it.

Manufacturer, device, a running number in some firmware, the content's length in four hex digits, the content. A
bracket may stand in the content (in the name of a wireless network, for one), so the length decides where a frame
ends.
"""

import re
from dataclasses import dataclass

from drivers.framing.contract import Deframer, Refusal
from drivers.framing.seek import FALSE_START, Broken, Found, Seeker, Verdict

_HEX = rb"[0-9A-Fa-f]"
_HEAD = rb"\w\w\*\w{1,20}\*(?:" + _HEX + rb"{4}\*(?=" + _HEX + rb"{4}\*))?+"
_HEADER = re.compile(rb"\[(" + _HEAD + rb")(" + _HEX + rb"{4})\*(?!" + _HEX + rb"{0,4}\Z)")
"""Up to the content. What could still turn out to be the length behind a running number is not yet a content."""
_WRITTEN = re.compile(rb"\w\w\*\w{1,20}\*(?:" + _HEX + rb"{4}\*)?")
_NO_HEADER = re.compile(rb"[^\w*]")
HEADER_MAX = 40
OPEN, CLOSE = b"[", b"]"


@dataclass(frozen=True, slots=True)
class BracketedFraming:
    """The body is the text between the brackets without the length: `3G*8800000015*LK`.

    Some firmware counts a few bytes too few: the closing bracket may stand up to `slack` bytes behind its place.
    `longest` bounds the whole frame.
    """

    longest: int
    slack: int = 0

    @property
    def starts(self) -> tuple[bytes, ...]:
        return (OPEN,)

    def deframer(self) -> Deframer:
        return Seeker(self)

    def judge(self, held: bytearray, at: int) -> Verdict:
        header = _HEADER.match(held, at, at + HEADER_MAX + 5)
        if header is None:
            whole = len(held) - at >= HEADER_MAX
            return FALSE_START if whole or _NO_HEADER.search(held, at + 1, at + HEADER_MAX) else None
        begin, length = header.end(), int(header[2], 16)
        if begin + length + 1 - at > self.longest:
            return Broken(Refusal.OVERSIZED, begin - at)
        last = begin + length + self.slack + 1
        end = held.find(CLOSE, begin + length, last)
        if end < 0:
            return None if len(held) < last else Broken(Refusal.NO_END, last - at)
        return Found(end + 1 - at, header[1] + bytes(held[begin:end]))

    def wrap(self, body: bytes) -> bytes:
        head = _WRITTEN.match(body)
        size = len(body) + 7
        if head is None or size > self.longest or len(body) - head.end() > 0xFFFF:
            raise ValueError(f"a body of {len(body)} bytes does not fit this framing")
        content = body[head.end() :]
        return OPEN + head[0] + b"%04X*" % len(content) + content + CLOSE

    def claims(self, octets: bytes) -> bool:
        return _HEADER.match(octets) is not None

    def explain(self, octets: bytes) -> str:
        begin = octets.find(OPEN)
        if begin < 0:
            return "holds no bracket"
        header = _HEADER.match(octets, begin)
        if header is None:
            return "does not begin like [3G*8800000015*0002*"
        length = int(header[2], 16)
        if header.end() + length + 1 - begin > self.longest:
            return f"claims a content of {length} bytes; the longest frame takes {self.longest}"
        there = len(octets) - header.end()
        if there <= length:
            return f"claims a content of {length} bytes, {there} are there"
        if octets.find(CLOSE, header.end() + length, header.end() + length + self.slack + 1) < 0:
            return f"holds no closing bracket behind the {length} bytes that it claims"
        return ""
