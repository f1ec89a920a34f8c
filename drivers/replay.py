"""A capture heard as if it came over the air: JSON lines from a file, or from a named pipe while it is written.

One line is one packet: {"t": 0.25, "link": "ble:hci0", "kind": "manufacturer", "key": 65535, "address":
"c09800010203", "rssi": -60, "payload": "9803…"}. `t` counts seconds from the capture's beginning; without it a packet
is heard at once. Sections of one advert share their `t`. `link` says what heard it, where it matters.
"""

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Annotated

import msgspec

from drivers.base import Instant, LinkDown, Listener, Packet, PacketKind, Write
from drivers.profile.written import uuid

LINE_MAX = 4096
CHUNK = 16 * 1024
Seconds = Annotated[float, msgspec.Meta(ge=0, le=366 * 86_400)]


class CaptureLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line as it is written; `payload` is hex digits."""

    kind: PacketKind
    key: int | str
    payload: str
    t: Seconds | None = None
    link: str | None = None
    address: str | None = None
    rssi: int | None = None
    name: str | None = None

    def packet(self, link: str, received: Instant) -> Packet:
        """ValueError where the payload is no hex, or the key no UUID; a short UUID is taken for the long one."""
        address = None if self.address is None else self.address.replace(":", "").lower()
        payload = bytes.fromhex(self.payload)
        key = uuid(self.key) if self.kind in (PacketKind.SERVICE_DATA, PacketKind.CHARACTERISTIC) else self.key
        return Packet(link, self.kind, key, payload, received, address, self.rssi, self.name)


def parsed(text: bytes) -> CaptureLine:
    """ValueError, in words, where it is no line of a capture."""
    try:
        return msgspec.json.decode(text, type=CaptureLine)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except msgspec.ValidationError as error:
        raise ValueError(f"{error}; `kind` is one of {', '.join(PacketKind)}") from error


def written(packet: Packet, t: float) -> bytes:
    """A packet as a line of a capture, its end included."""
    told = packet.payload.hex()
    heard = packet.link, packet.address, packet.rssi, packet.name
    return msgspec.json.encode(CaptureLine(packet.kind, packet.key, told, round(t, 3), *heard)) + b"\n"


class Replay:
    """A capture as a link. At the end of a file it stays up and silent; a pipe waits for its next writer."""

    def __init__(self, name: str, file: Path, clock: Callable[[], Instant]) -> None:
        self.name = name
        self._file = file
        self._clock = clock

    async def run(self, listener: Listener, up: Callable[[], None]) -> None:
        """Play for ever; LinkDown where there is no such file."""
        try:
            descriptor = os.open(self._file, os.O_RDWR | os.O_NONBLOCK if self._is_pipe() else os.O_RDONLY)
        except OSError as error:
            what = f"{self._file}: {error.strerror}"
            raise LinkDown("capture_absent", what, "put the capture in place, or correct the path") from error
        try:
            up()
            await self._play(descriptor, listener)
        finally:
            os.close(descriptor)
        await asyncio.get_running_loop().create_future()

    async def write(self, write: Write) -> None:  # noqa: ARG002 - the Driver's word
        raise LinkDown("replay_write", f"{self._file}: a capture takes no writes", "nothing is to be done")

    def _is_pipe(self) -> bool:
        return stat.S_ISFIFO(self._file.stat().st_mode)

    async def _play(self, descriptor: int, listener: Listener) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        async for text in self._lines(descriptor):
            received = self._clock()
            try:
                line = parsed(text)
                packet = line.packet(self.name, received)
            except ValueError:
                listener.rejected(self.name, "capture_line", text[:512], received)
                continue
            if line.t is not None and (ahead := began + line.t - loop.time()) > 0:
                await asyncio.sleep(ahead)
                packet = line.packet(self.name, self._clock())
            listener.packet(packet)

    async def _lines(self, descriptor: int) -> AsyncIterator[bytes]:
        """Whole lines; one that is longer than LINE_MAX comes cut, and is refused for it."""
        rest = b""
        while chunk := await self._chunk(descriptor):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > LINE_MAX:
                lines, rest = [*lines, rest], b""
            for line in lines:
                if line.strip():
                    yield line
            await asyncio.sleep(0)  # a long capture must not keep the other links waiting
        if rest.strip():
            yield rest

    async def _chunk(self, descriptor: int) -> bytes:
        while True:
            try:
                return os.read(descriptor, CHUNK)
            except BlockingIOError:
                await _readable(descriptor)


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, ready.cancel)
    try:
        await asyncio.wait({ready})
    finally:
        loop.remove_reader(descriptor)
