"""A serial receiver: bytes from a port, or from socket://host:port, framed into packets."""

import asyncio
import errno
import os
import socket
import termios
from collections import deque
from collections.abc import Callable
from typing import Any

import serial

from drivers.base import BadFrame, Instant, LinkDown, Listener, Packet, PacketKind, Write
from drivers.framing import Framing

READ_MAX = 4 * 1024
"""Bytes taken at one wake-up: a port that pours must not keep the others waiting."""
WRITE_MAX = 64 * 1024
CONNECT_S = 3.0


class SerialPort:
    """One port, held exclusively. `run` raises LinkDown as soon as the port is gone; a quiet line is no failure."""

    def __init__(
        self,
        name: str,
        port: str,
        profile: str,
        framing: Framing,
        clock: Callable[[], Instant],
        baud: int = 115_200,
    ) -> None:
        self.name = name
        self._port, self._profile, self._framing = port, profile, framing
        self._clock, self._baud = clock, baud
        self._line: _Line | None = None

    async def run(self, listener: Listener, up: Callable[[], None]) -> None:
        """Hear until the port fails. Frames are told as they complete; what is no frame is told as rejected."""
        deframer = self._framing.deframer()
        line = await self._open()
        self._line = line

        def heard(chunk: bytes) -> None:
            received = self._clock()
            for frame in deframer.feed(chunk):
                if isinstance(frame, BadFrame):
                    listener.rejected(self.name, frame.reason, frame.payload, received)
                else:
                    listener.packet(Packet(self.name, PacketKind.FRAME, self._profile, frame, received))

        try:
            up()
            await line.listen(heard)
        except OSError as error:
            raise self._gone(error) from error
        finally:
            self._line = None
            line.close()

    async def write(self, write: Write) -> None:
        """Return when the port has taken every byte. LinkDown where it is away or fails meanwhile."""
        if self._line is None:
            raise LinkDown("serial_absent", f"{self._port}: not open", "see the link's own fault")
        try:
            await self._line.send(write.payload)
        except OSError as error:
            raise self._gone(error) from error

    async def _open(self) -> "_Line":
        try:
            if self._port.startswith("socket://"):
                return _Line(*await _over_tcp(self._port))
            return _Line(*await asyncio.to_thread(_on_device, self._port, self._baud))
        except (OSError, ValueError) as error:  # serial.SerialException and TimeoutError are OSErrors
            raise self._gone(error) from error

    def _gone(self, error: Exception) -> LinkDown:
        fault, why, cure = _explained(error)
        return LinkDown(fault, f"{self._port}: {why}", cure)


_Opened = tuple[Any, int]
"""What has a `close`, and its descriptor."""


class _Line:
    """An open descriptor in the event loop."""

    def __init__(self, owner: Any, descriptor: int) -> None:
        self._owner = owner
        self._fd = descriptor
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._outgoing: deque[tuple[memoryview, asyncio.Future[None]]] = deque()

    async def listen(self, heard: Callable[[bytes], None]) -> None:
        """Hand over bytes until the line ends; OSError says why."""
        self._loop.add_reader(self._fd, self._readable, heard)
        await self._ended

    async def send(self, payload: bytes) -> None:
        if sum(len(part) for part, _ in self._outgoing) + len(payload) > WRITE_MAX:
            raise OSError(errno.ENOBUFS, "too much waits to be written")
        sent: asyncio.Future[None] = self._loop.create_future()
        self._outgoing.append((memoryview(payload), sent))
        self._writable()
        await sent

    def close(self) -> None:
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        self._owner.close()
        while self._outgoing:
            _, sent = self._outgoing.popleft()
            if not sent.done():
                sent.set_exception(OSError(errno.EIO, "closed while writing"))

    def _readable(self, heard: Callable[[bytes], None]) -> None:
        try:
            chunk = os.read(self._fd, READ_MAX)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(error)
            return
        if chunk:
            heard(chunk)
        else:
            self._end(OSError(errno.ENODEV, "unplugged, or closed by the other end"))

    def _writable(self) -> None:
        try:
            while self._outgoing:
                part, sent = self._outgoing[0]
                written = os.write(self._fd, part)
                if written < len(part):
                    self._outgoing[0] = (part[written:], sent)
                    break
                self._outgoing.popleft()
                if not sent.done():
                    sent.set_result(None)
        except BlockingIOError:
            pass
        except OSError as error:
            self._end(error)
            return
        if self._outgoing:
            self._loop.add_writer(self._fd, self._writable)
        else:
            self._loop.remove_writer(self._fd)

    def _end(self, error: OSError) -> None:
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        if not self._ended.done():
            self._ended.set_exception(error)


async def _over_tcp(url: str) -> _Opened:
    host, _, port = url.removeprefix("socket://").rpartition(":")
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(CONNECT_S):
        found = await loop.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        peer = socket.socket(family, kind, protocol)
        peer.setblocking(False)
        try:
            await loop.sock_connect(peer, address)
        except BaseException:
            peer.close()
            raise
    for level, option, value in (
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),  # a receiver that lost power says no good-bye
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 5),
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 3),
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    ):
        peer.setsockopt(level, option, value)
    return peer, peer.fileno()


class _Unflushed(serial.Serial):
    """pyserial throws away what waits when a port is opened; but it may be a press."""

    def _reset_input_buffer(self) -> None:
        """Keep what waits."""


def _on_device(port: str, baud: int) -> _Opened:
    """Blocking. pyserial locks the port and forgives what a pty refuses (modem lines); it never reads or writes."""
    opened = _Unflushed(port, baud, timeout=0, exclusive=True)
    descriptor = opened.fileno()
    try:
        attributes = termios.tcgetattr(descriptor)
        attributes[6][termios.VMIN] = 1  # pyserial's 0 would make "nothing there" look like "unplugged"
        termios.tcsetattr(descriptor, termios.TCSANOW, attributes)
    except termios.error as error:
        opened.close()
        raise OSError(*error.args) from error
    return opened, descriptor


def _explained(error: Exception) -> tuple[str, str, str]:
    """The fault's name, what happened, and the cure."""
    number = getattr(error, "errno", None)
    match number:
        case errno.ENOENT | errno.ENODEV | errno.ENXIO | errno.EIO:
            told = "serial_absent", "the receiver is not there", "plug it in; see `ls -l /dev/serial/by-id/`"
        case errno.EAGAIN | errno.EBUSY:
            told = "serial_busy", "another program has it", "stop that program; see `fuser -v` on the port"
        case errno.EACCES | errno.EPERM:
            told = "serial_denied", "not allowed to open it", "add the gateway's user to the group dialout"
        case errno.ECONNREFUSED | errno.ECONNRESET | errno.ETIMEDOUT | errno.EHOSTUNREACH | errno.ENETUNREACH:
            told = "serial_unreachable", f"cannot be reached ({error})", "see whether the receiver's server is up"
        case _:
            what = "does not answer" if isinstance(error, TimeoutError) else str(error)
            told = "serial_failed", what, "see the port's name, the cable and the receiver"
    return told
