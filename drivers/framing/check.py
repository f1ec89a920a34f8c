"""What stands at the end of a frame to prove it: a checksum, end bytes."""

from dataclasses import dataclass
from typing import Literal

from drivers.checksum import Checksum
from drivers.framing.contract import Refusal


@dataclass(frozen=True, slots=True)
class Check:
    """A checksum that covers the bytes from `covers` up to itself."""

    checksum: Checksum
    covers: int = 0
    order: Literal["little", "big"] = "big"

    @property
    def size(self) -> int:
        return self.checksum.size

    def packed(self, content: bytes) -> bytes:
        """What stands behind `content`."""
        return self.checksum.packed(content[self.covers :], self.order)

    def right(self, checked: bytes) -> bool:
        """Whether the checksum at the end of `checked` is that of what stands before it."""
        end = len(checked) - self.size
        return self.checksum.of(checked[self.covers : end]) == int.from_bytes(checked[end:], self.order)

    def explain(self, checked: bytes) -> str:
        """What is wrong with it, for the bench; empty if nothing is."""
        if self.right(checked):
            return ""
        content, found = checked[: -self.size], checked[-self.size :]
        return f"{self.checksum.name} is {found.hex()}, expected {self.packed(content).hex()}"


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of a frame with a beginning: a checksum (or none), then end bytes (or none)."""

    check: Check | None = None
    end: bytes = b""

    @property
    def size(self) -> int:
        return (self.check.size if self.check else 0) + len(self.end)

    def fault(self, frame: bytes) -> Refusal | None:
        """Why a whole frame cannot be believed; None if it can."""
        if not frame.endswith(self.end):
            return Refusal.NO_END
        return Refusal.CHECKSUM if self.check and not self.check.right(self._checked(frame)) else None

    def explain(self, frame: bytes) -> str:
        if not frame.endswith(self.end):
            return f"does not end in {self.end.hex()} after {len(frame)} bytes"
        return self.check.explain(self._checked(frame)) if self.check else ""

    def closed(self, frame: bytes) -> bytes:
        """`frame` with its tail."""
        return closed(self.check, frame) + self.end

    def _checked(self, frame: bytes) -> bytes:
        return frame[: len(frame) - len(self.end)]


def opened(check: Check | None, content: bytes) -> bytes | Refusal:
    """`content` without the checksum at its end, or why it cannot be believed."""
    if check is None:
        return content
    if len(content) < check.size:
        return Refusal.TOO_SHORT
    return content[: -check.size] if check.right(content) else Refusal.CHECKSUM


def closed(check: Check | None, content: bytes) -> bytes:
    """`content` with its checksum behind it."""
    return content + check.packed(content) if check else content


def explained(check: Check | None, content: bytes) -> str:
    if check is None:
        return ""
    if len(content) < check.size:
        return f"holds {len(content)} bytes, fewer than its checksum takes"
    return check.explain(content)
