"""Looks at serial receivers without disturbing whoever hears them. Blocking."""

import fcntl
import os
import socket
import termios
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

from gateway.config import SerialLink
from gateway.doctor.facts import Port

PROC = Path("/proc")
CONNECT_S = 3.0


class Held(Enum):
    """What the daemon has to do with a port."""

    NO = "no"
    """No daemon runs: it may be opened."""
    WANTED = "wanted"
    """A daemon tries again and again to open it, and must not find it taken by us."""
    OPEN = "open"


def port(link: SerialLink, held: Held) -> Port:
    """Opened or called only where no daemon does."""
    if link.port.startswith("socket://"):
        return Port(link.link, link.port, there=True, trouble=_over_tcp(link.port) if held is Held.NO else None)
    path = Path(link.port)
    if not path.exists():
        return Port(link.link, link.port, there=False)
    if not path.is_char_device():
        return Port(link.link, link.port, there=True, terminal=False)
    others = () if held is Held.OPEN else tuple(holders(path))
    trouble = _trouble(path) if held is Held.NO and not others else None
    return Port(link.link, link.port, there=True, holders=others, trouble=trouble)


def holders(device: Path) -> Iterator[str]:
    """The programs that have a device open, each with its number; others' only where we are root."""
    number = device.stat().st_rdev
    for process in PROC.glob("[0-9]*"):
        try:
            if int(process.name) != os.getpid() and any(_is(each, number) for each in (process / "fd").iterdir()):
                yield f"{(process / 'comm').read_text('utf-8').strip()} ({process.name})"
        except OSError:  # gone meanwhile, or another's
            continue


def _is(descriptor: Path, device: int) -> bool:
    try:
        return descriptor.stat().st_rdev == device
    except OSError:  # closed meanwhile
        return False


def _trouble(path: Path) -> str | None:
    """Why it cannot be opened and had alone, as the driver does."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            termios.tcgetattr(descriptor)
        finally:
            os.close(descriptor)
    except BlockingIOError:
        return "another program has locked it"
    except OSError as error:
        return error.strerror or str(error)
    except termios.error as error:
        return str(error.args[-1])
    return None


def _over_tcp(url: str) -> str | None:
    host, _, number = url.removeprefix("socket://").rpartition(":")
    try:
        socket.create_connection((host, int(number)), CONNECT_S).close()
    except OSError as error:
        return error.strerror or str(error)
    return None
