"""Frames that are found by what they begin with, in a stream that may hold anything."""

import re
from typing import NamedTuple, Protocol

from drivers.base import BadFrame
from drivers.framing.contract import KEPT, Framing, Refusal


class Found(NamedTuple):
    """A good frame of `size` bytes."""

    size: int
    body: bytes


class Broken(NamedTuple):
    """What begins like a frame and is none; `size` is how many bytes it says are its own."""

    reason: Refusal
    size: int


Verdict = Found | Broken | None
"""None where more bytes are needed to say."""
FALSE_START = Broken(Refusal.RUBBISH, 1)
"""It only looked like a beginning."""


class Sought(Framing, Protocol):
    """A framing whose frames have a beginning that can be looked for."""

    @property
    def starts(self) -> tuple[bytes, ...]:
        """What its frames begin with. An empty one means that a frame may begin at any byte."""

    def judge(self, held: bytearray, at: int) -> Verdict:
        """What stands at `at`, where one of `starts` does: the same however many bytes stand behind the frame."""


class Seeker:
    """The deframer of such framings; the time it takes grows linearly with what it is fed, rubbish too."""

    def __init__(self, framing: Sought) -> None:
        self._judge = framing.judge
        self._starts = framing.starts
        self._begin = re.compile(b"|".join(map(re.escape, framing.starts)))
        self._held = bytearray()
        self._refused = Rubbish()

    def feed(self, chunk: bytes) -> list[bytes | BadFrame]:
        self._held += chunk
        heard: list[bytes | BadFrame] = []
        at = 0
        while (found := self._next(at, heard)) is not None:
            at = found
        del self._held[: self._refused.passed]
        self._refused.passed = 0
        return heard

    def _next(self, at: int, heard: list[bytes | BadFrame]) -> int | None:
        """Judge what begins at or after `at`; where to look on, or None if more bytes are needed."""
        begin = self._begin.search(self._held, at)
        if begin is None:
            self._refused.skip(self._held, self._settled(at), heard)
            return None
        start = begin.start()
        self._refused.skip(self._held, start, heard)
        match self._judge(self._held, start):
            case Found(size, body):
                self._refused.close(heard)
                heard.append(body)
                self._refused.passed = start + size
                return start + size
            case Broken(reason, size):
                self._refused.claim(reason, start + size)
                return start + 1
            case None:
                return None

    def _settled(self, at: int) -> int:
        """How far the held bytes are surely rubbish: all but what may be the first bytes of a start."""
        held = self._held
        for size in range(min(max(map(len, self._starts)) - 1, len(held) - at), 0, -1):
            if any(held.endswith(start[:size]) for start in self._starts if len(start) > size):
                return len(held) - size
        return len(held)


class Rubbish:
    """The run of bytes that belongs to no frame, told when it ends.

    It ends where a good frame begins, where the broken frame that it holds would have ended, or at `KEPT` bytes:
    the cuts depend on the bytes alone, not on the portions they came in.
    """

    def __init__(self) -> None:
        self.passed = 0
        self._run = bytearray()
        self._reason = Refusal.RUBBISH
        self._claimed = 0  # bytes after `passed` that a broken frame said were its own

    def claim(self, reason: Refusal, end: int) -> None:
        """A broken frame starts at `passed` and would have ended at `end`; the first one names the run."""
        if self._reason is Refusal.RUBBISH:
            self._reason = reason
        self._claimed = max(self._claimed, end - self.passed)

    def skip(self, held: bytearray, to: int, heard: list[bytes | BadFrame]) -> None:
        """The bytes from `passed` up to `to` belong to no frame."""
        while self.passed < to:
            step = min(to - self.passed, KEPT - len(self._run), self._claimed or KEPT)
            self._run += held[self.passed : self.passed + step]
            self.passed += step
            self._claimed = max(0, self._claimed - step)
            if len(self._run) == KEPT or (self._reason is not Refusal.RUBBISH and not self._claimed):
                self.close(heard)

    def close(self, heard: list[bytes | BadFrame]) -> None:
        if self._run:
            heard.append(BadFrame(self._reason.value, bytes(self._run)))
        self._run.clear()
        self._reason, self._claimed = Refusal.RUBBISH, 0
