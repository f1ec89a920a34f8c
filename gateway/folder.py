"""The data folder: one daemon's at a time, with the secret that never leaves the box."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.errors import GatewayError
from gateway.quarantine import write_atomically


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
        self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise FolderInUse(f"{self.path}: another gateway is using it; stop that one first") from None
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        os.close(self._lock)

    def box_key(self, fresh: bytes) -> bytes:
        """The box's own secret; `fresh` becomes it where there is none yet, and is on the disk on return."""
        path = self.path / "box.key"
        if not path.exists():
            write_atomically(path, fresh, mode=0o600)
        return path.read_bytes()
