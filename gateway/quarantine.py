"""Bytes that nothing could make sense of, kept within bounds for `station-gateway decode FILE`."""

import os
import tempfile
from collections import deque
from pathlib import Path

import msgspec

from drivers.base import Instant
from gateway.wire import rfc3339

KEPT = 1000
PAYLOAD_MAX = 512


class Quarantine:
    """The latest thousand, at most 512 bytes of each. `save` writes them; until then they are in memory only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept: deque[tuple[str, str, bytes, int]] = deque(maxlen=KEPT)
        self._saved = True

    def add(self, link: str, reason: str, payload: bytes, received: Instant) -> None:
        self._kept.append((link, reason, payload[:PAYLOAD_MAX], received.wall_ms))
        self._saved = False

    def save(self) -> None:
        """Write what has come since; a reader finds the old file or the new one, whole. OSError where it cannot."""
        if self._saved:
            return
        self._saved = True  # what is added meanwhile makes it false again
        lines = [refused(*kept) for kept in list(self._kept)]
        try:
            write_atomically(self._path, b"\n".join(lines) + b"\n")
        except OSError:
            self._saved = False
            raise


def refused(link: str, reason: str, payload: bytes, wall_ms: int) -> bytes:
    """Bytes that nothing could make sense of, as a line without its end."""
    return msgspec.json.encode({"at": rfc3339(wall_ms), "link": link, "reason": reason, "hex": payload.hex()})


def write_atomically(path: Path, content: bytes, mode: int = 0o640) -> None:
    """Replace a file of ours: it is on the disk, whole, on return. OSError: the old one still stands."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
