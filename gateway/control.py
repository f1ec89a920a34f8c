"""The control socket: how the command line reaches the running daemon. One JSON object per line, both ways.

Who may connect is the file's group; who asks is told by the kernel. Nothing that comes in is trusted.
"""

import asyncio
import os
import pwd
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.asks import USER_MAX, Refused, encode
from gateway.errors import ControlDown

LINE_MAX = 4096
CONNECTIONS = 16
IDLE_S = 60.0
"""A connection that asks nothing, or reads nothing, for so long is closed."""
MODE = 0o660
PATH_MAX = 107
"""Bytes that the kernel takes as a socket's path."""

Answer = Callable[[bytes, str], Awaitable[bytes]]
"""What a line is answered, when such a person asks."""


class Control:
    def __init__(self, path: Path, answer: Answer) -> None:
        self._path, self._answer = path, answer
        self._open = 0

    async def run(self, up: Callable[[], None]) -> None:
        """Serve until cancelled. ControlDown where the socket cannot be had."""
        server = await asyncio.start_unix_server(self._connected, sock=self._bound(), limit=LINE_MAX)
        try:
            up()
            await asyncio.get_running_loop().create_future()
        finally:
            server.close()
            self._path.unlink(missing_ok=True)

    def _bound(self) -> socket.socket:
        """A socket at our path: one that a dead daemon has left is replaced, a living one's is not."""
        try:
            if not _alive(self._path):
                return _listening(self._path)
        except OSError as error:
            cure = "name a path in `control:` that the gateway's user may write; its unit has /run/station-gateway"
            raise ControlDown("control_absent", f"{self._path}: {error.strerror or error}", cure) from error
        cure = "stop that one, or give each gateway a `control:` of its own"
        raise ControlDown("control_taken", f"{self._path}: another gateway answers there", cure)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open > CONNECTIONS:
                await _say(writer, encode(Refused("busy", f"{CONNECTIONS} are connected already; try again")))
            else:
                await self._serve(reader, writer)
        except (ConnectionError, TimeoutError):
            pass  # it has gone, or does not read what it asked for
        finally:
            self._open -= 1
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        by = await asyncio.to_thread(_peer, writer.get_extra_info("socket"))
        while True:
            async with asyncio.timeout(IDLE_S):
                try:
                    line = await reader.readuntil(b"\n")
                except asyncio.IncompleteReadError as ended:
                    line = ended.partial
                except asyncio.LimitOverrunError:
                    await _say(writer, encode(Refused("too_large", f"a line has at most {LINE_MAX} bytes")))
                    return
            if not line:
                return
            await _say(writer, await self._answer(line, by))


@contextmanager
def reachable(path: Path) -> Iterator[str]:
    """A name that the kernel takes for the socket at `path`, however deep that lies. OSError: no such folder."""
    if len(os.fsencode(path)) <= PATH_MAX:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


async def _say(writer: asyncio.StreamWriter, answer: bytes) -> None:
    writer.write(answer + b"\n")
    async with asyncio.timeout(IDLE_S):
        await writer.drain()


def _alive(path: Path) -> bool:
    """Whether somebody listens at `path`; a queue that is full says so too."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.setblocking(False)
        try:
            with reachable(path) as name:
                asking.connect(name)
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except BlockingIOError:
            pass
    return True


def _listening(path: Path) -> socket.socket:
    path.parent.mkdir(mode=0o750, exist_ok=True)
    if path.is_socket():
        path.unlink()
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with reachable(path) as name:
            sock.bind(name)
        path.chmod(MODE)
    except OSError:
        sock.close()
        raise
    return sock


def _peer(sock: socket.socket) -> str:
    """The user at the other end, as `by` of what it does."""
    _, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = f"uid-{uid}"
    return f"box-{name}"[:USER_MAX]
