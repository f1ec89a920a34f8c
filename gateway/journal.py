"""The stories of alerts, on disk: an append-only ring of two files, written off the loop. No alert depends on it."""

import asyncio
import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from gateway.health import Faults
from gateway.story import StoryLine

HALF = 8 << 20
"""Bytes of one of the two files: some five thousand lives of alerts in both."""
WAITING = 10_000
"""Lines that may wait for the disk; more are lost, and counted."""
GATHER_S = 0.1

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(StoryLine).decode


class Journal:
    """`tell` returns at once and never fails. A crash loses what was told in the last tenth of a second, a power
    cut also what the kernel had not written yet; what the disk refuses is lost, and `lost` counts it."""

    def __init__(self, folder: Path, faults: Faults, half: int = HALF) -> None:
        self.lost = 0
        self._now, self._before = files(folder)
        self._faults = faults
        self._half = half
        self._waiting: deque[StoryLine] = deque()
        self._some = asyncio.Event()
        self._hand = ThreadPoolExecutor(1, "journal")

    def tell(self, line: StoryLine) -> None:
        if len(self._waiting) >= WAITING:
            self.lost += 1
            return
        self._waiting.append(line)
        self._some.set()

    async def run(self) -> None:
        """Write what is told until cancelled."""
        while True:
            await self._some.wait()
            await asyncio.sleep(GATHER_S)
            await self.flush()

    async def flush(self) -> None:
        """Hand over everything told so far; what the disk refuses of it is lost."""
        self._some.clear()
        lines = list(self._waiting)
        self._waiting.clear()
        if not lines:
            return
        try:
            await asyncio.get_running_loop().run_in_executor(self._hand, self._write, lines)
        except OSError as error:
            self.lost += len(lines)
            cure = "free space on the data folder, or see whether its disk is sound; alerts are not concerned"
            self._faults.begin("story_unsaved", "story", f"{self._now}: {error.strerror}", cure)
        else:
            self._faults.end("story")

    async def of(self, subject: str) -> list[StoryLine]:
        """The story of one alert, oldest line first. OSError where it cannot be read."""
        await self.flush()
        return await asyncio.get_running_loop().run_in_executor(self._hand, told, self._now.parent, subject)

    async def close(self) -> None:
        await self.flush()
        self._hand.shutdown(wait=False)

    def _write(self, lines: list[StoryLine]) -> None:
        """Each line begins with its line end, so that one that was torn off harms no other."""
        octets = b"".join(b"\n" + _encode(line) for line in lines)
        descriptor = os.open(self._now, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(octets)
        if self._now.stat().st_size >= self._half:
            self._now.replace(self._before)


def files(folder: Path) -> tuple[Path, Path]:
    """The file that is written, and the one before it."""
    return folder / "story.jsonl", folder / "story.before.jsonl"


def told(folder: Path, subject: str) -> list[StoryLine]:
    """The story of one alert, oldest line first; lines that are torn, or of another version, are passed over."""
    wanted = b'"subject":' + _encode(subject)
    found: list[StoryLine] = []
    for path in reversed(files(folder)):
        if path.exists():
            found += [line for text in path.read_bytes().split(b"\n") if wanted in text for line in _read(text)]
    return [line for line in found if line.subject == subject]


def _read(text: bytes) -> list[StoryLine]:
    try:
        return [_decode(text)]
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return []
