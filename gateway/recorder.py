"""The flight recorder: raw packets from 30 s before to 30 s after each alert and each decode failure, kept on disk.

A recording is a capture that `replay` and `decode` read, with the bytes that made no packet as the quarantine writes
them. It holds addresses: the files are the box's own, and nobody else may read them.
"""

import asyncio
import os
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from enum import IntEnum
from pathlib import Path

from drivers.base import Address, Instant, Packet
from drivers.replay import written
from gateway.health import Faults
from gateway.quarantine import refused
from gateway.recent import Chunk, Entry, Recent
from gateway.wire import rfc3339

BEFORE_MS = AFTER_MS = 30_000
LONGEST_MS = 300_000
"""However often it is prolonged by further alerts."""
REST_MS = 600_000
"""After a failure's recording, until the same link's next failure is worth one."""
FILE_MAX = 16 << 20
"""Bytes of a recording; its second half is for the alert's own device alone."""
TURN_S = 1.0
PAUSE_S = 0.005
"""Between two chunks: whoever waits for the interpreter gets it."""
_UNFIT = re.compile(r"[^0-9A-Za-z_.-]")


class Cause(IntEnum):
    """What a recording is of; the greater takes the place of the lesser on its link."""

    FAILURE = 0
    STRANGER = 1
    ALERT = 2


ROOM = {Cause.FAILURE: 32 << 20, Cause.STRANGER: 32 << 20, Cause.ALERT: 96 << 20}
"""Bytes of all recordings of a cause: neither noise nor strangers push out what was heard around a wearer's alert."""


class _Recording:
    def __init__(self, path: Path, link: str, cause: Cause, now_ms: int) -> None:
        self.path, self.link, self.cause = path, link, cause
        self.began_ms, self.until_ms = now_ms, now_ms + AFTER_MS
        self.devices: set[Address] = set()
        self.next = 0
        """The chunk to be written next."""
        self.size = 0

    def prolong(self, now_ms: int) -> None:
        self.until_ms = min(now_ms + AFTER_MS, self.began_ms + LONGEST_MS)

    def lines(self, entries: tuple[Entry, ...]) -> Iterator[bytes]:
        """Of the device over any link, and of the link as long as there is room; times count from 30 s before."""
        start_ms = self.began_ms - BEFORE_MS
        for entry in entries:
            at_ms = entry.packet.received.mono_ms - start_ms
            if not 0 <= at_ms <= self.until_ms - start_ms:
                continue
            own = entry.device is not None and entry.device in self.devices
            if (own or entry.packet.link == self.link) and self.size < (FILE_MAX if own else FILE_MAX // 2):
                line = _line(entry, at_ms / 1000)
                self.size += len(line)
                yield line


def _line(entry: Entry, t: float) -> bytes:
    packet = entry.packet
    if entry.reason is not None:
        return refused(packet.link, entry.reason, packet.payload, packet.received.wall_ms) + b"\n"
    return written(packet, t)


class Recorder:
    """All calls but `run` and `close` return at once. One recording per link at a time; without `run` none is kept."""

    def __init__(self, folder: Path, clock: Callable[[], Instant], faults: Faults) -> None:
        self.lost = 0
        """Recordings that the disk refused, in whole or in part."""
        self._folder, self._clock, self._faults = folder, clock, faults
        self._recent = Recent()
        self._running: dict[str, _Recording] = {}
        self._rest_until: dict[str, int] = {}
        self._hand = ThreadPoolExecutor(1, "recorder")

    def heard(self, packet: Packet, device: Address | None) -> None:
        self._recent.add(packet, device)

    def rejected(self, packet: Packet, reason: str) -> None:
        """Bytes that made no packet."""
        self._recent.add(packet, None, reason)

    def failed(self, link: str) -> None:
        """A packet, or bytes, of this link could not be read."""
        if link in self._running:
            return
        now = self._clock()
        if now.mono_ms >= self._rest_until.get(link, 0):
            self._rest_until[link] = now.mono_ms + AFTER_MS + REST_MS
            self._begin(link, Cause.FAILURE, now)

    def alert(self, link: str, device: Address, *, registered: bool) -> str:
        """A wearable's alert was heard on this link; the name of the file that is to hold what was around it."""
        cause, now = Cause.ALERT if registered else Cause.STRANGER, self._clock()
        recording = self._running.get(link)
        if recording is None or recording.cause < cause or now.mono_ms >= recording.until_ms:
            recording = self._begin(link, cause, now)
        recording.devices.add(device)
        recording.prolong(now.mono_ms)
        return recording.path.name

    def _begin(self, link: str, cause: Cause, now: Instant) -> _Recording:
        when = rfc3339(now.wall_ms).replace("-", "").replace(":", "")
        name = f"{when}-{_UNFIT.sub('-', link)}.{cause.name.lower()}.jsonl"
        recording = self._running[link] = _Recording(self._folder / name, link, cause, now.mono_ms)
        return recording

    async def run(self) -> None:
        """Write what is to be kept until cancelled."""
        while True:
            await asyncio.sleep(TURN_S)
            await self.turn()

    async def close(self) -> None:
        """Write what was heard so far."""
        await self.turn()
        self._hand.shutdown(wait=False)

    async def turn(self) -> None:
        """Write what has come since, and end what is due."""
        now_ms = self._clock().mono_ms
        self._recent.turn(now_ms)
        for link, recording in list(self._running.items()):
            if now_ms > recording.until_ms and self._running[link] is recording:
                del self._running[link]
            chunks = list(self._recent.since(recording.next))
            if chunks:
                recording.next = chunks[-1].number + 1
                await self._write(recording, chunks)

    async def _write(self, recording: _Recording, chunks: list[Chunk]) -> None:
        kept, before = {running.path for running in self._running.values()}, recording.size
        try:
            await asyncio.get_running_loop().run_in_executor(self._hand, _write, recording, chunks, kept)
        except OSError as error:
            self.lost += 1
            cure = "free space on the data folder, or see whether its disk is sound; alerts are not concerned"
            what = f"{error.filename or recording.path}: {error.strerror}"
            self._faults.begin("recording_unsaved", "recorder", what, cure)
        else:
            if recording.size > before:  # an empty write proves nothing
                self._faults.end("recorder")


def _write(recording: _Recording, chunks: list[Chunk], kept: set[Path]) -> None:
    """Blocking, and in no hurry."""
    folder = recording.path.parent
    folder.mkdir(mode=0o700, exist_ok=True)
    if not recording.path.exists():
        _make_room(folder, recording.cause, kept)
    descriptor = os.open(recording.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "ab") as file:
        for chunk in chunks:
            file.writelines(recording.lines(chunk.entries()))
            time.sleep(PAUSE_S)


def _make_room(folder: Path, cause: Cause, kept: set[Path]) -> None:
    """Delete the oldest recordings of this cause until another one fits."""
    recordings = sorted(path for path in folder.glob(f"*.{cause.name.lower()}.jsonl"))
    size = sum(path.stat().st_size for path in recordings)
    for path in recordings:
        if size + FILE_MAX <= ROOM[cause]:
            break
        if path not in kept:
            size -= path.stat().st_size
            path.unlink()
