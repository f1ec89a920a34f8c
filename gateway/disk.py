"""The room on the data folder's disk: how much there is, and a ballast that is given up when there is none."""

import os
from pathlib import Path

import structlog

log = structlog.get_logger("storage")

BALLAST = 4 << 20
"""Room for some thousand messages of alerts."""
LOW = 4 << 20
"""Free bytes that are left to alerts."""


class Disk:
    """`look` blocks, and is to be called every now and then; the rest may be asked on any thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"
        self.low = False
        """Whether what is free is for alerts alone."""
        self.free: int | None = None
        self.size: int | None = None
        """Bytes, as they were found last."""

    def look(self) -> None:
        """See how much is free, and lay the ballast in again where there is room for it."""
        try:
            found = os.statvfs(self.folder)
            self.free, self.size = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
            if not self._ballast.exists() and self.free >= BALLAST + 2 * LOW:
                self._lay_in()
            self.low = self.free < LOW or not self._ballast.exists()
        except OSError as error:
            log.debug("the disk's room cannot be seen to", why=str(error))  # whoever writes to it says what is wrong

    def give_up_ballast(self) -> bool:
        """Make room; whether there was any to make."""
        try:
            self._ballast.unlink()
        except OSError:  # given up already, or the disk takes nothing at all
            return False
        self.low = True
        log.warning("the disk is full: the ballast is given up, so that alerts go on")
        return True

    def _lay_in(self) -> None:
        handle = os.open(self._ballast, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(handle, 0, BALLAST)
        except OSError:
            self._ballast.unlink()
            raise
        finally:
            os.close(handle)
