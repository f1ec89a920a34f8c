"""The data folder: one daemon's at a time, with the secret that never leaves the box."""

import errno
import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from gateway.errors import GatewayError
from gateway.quarantine import write_atomically

log = structlog.get_logger("storage")

KEY_MIN = 16
"""Bytes of a key that was not cut short."""


class FolderInUse(GatewayError):
    """Another daemon has the data folder."""


class Folder:
    """Held from entering to leaving; the kernel lets go of it when the process dies, however it dies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = -1

    def __enter__(self) -> Self:
        """Make the folder where there is none and lock it. FolderInUse, or OSError where it cannot be made."""
        self.path.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._lock = self._open_lock(self.path / "lock")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise FolderInUse(f"{self.path}: another gateway is using it; stop that one first") from None
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        os.close(self._lock)

    @staticmethod
    def _open_lock(path: Path) -> int:
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as error:
            if error.errno != errno.EROFS:
                raise
            return os.open(path if path.exists() else path.parent, os.O_RDONLY | os.O_CLOEXEC)

    def box_key(self, fresh: bytes) -> bytes:
        """The box's own secret; `fresh` becomes it where there is none that is whole. Where the disk does not take it,
        it is the secret until the next start."""
        path = self.path / "box.key"
        try:
            kept = path.read_bytes()
            if len(kept) >= KEY_MIN:
                return kept
            log.warning("the box's key was cut short and is made anew: strangers get new pseudonyms", key=str(path))
        except FileNotFoundError:
            pass
        except OSError as error:
            log.warning("the box's key cannot be read and is made anew", key=str(path), why=str(error))
        try:
            write_atomically(path, fresh, mode=0o600)
        except OSError as error:
            log.warning("the box's key was not saved", key=str(path), why=str(error))
        return fresh
