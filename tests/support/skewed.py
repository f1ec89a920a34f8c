"""The real daemon on a box whose clocks are off: a program of the tests', and `Skew`, which sets them while it runs.

It stands in for what the kernel says of the time, and then calls the real `main`.
"""

import json
import os
import sys
from pathlib import Path

from drivers.base import Instant
from gateway import clock
from gateway.cli.main import main

FILE = "SKEW"
_read = clock._read


class Skew:
    """By how much the wall clock and the boot clock are ahead of this machine's, and whether a time server is there."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "skew"
        self.wall_ms, self.boot_ms, self.synced = 0, 0, False
        self.set()

    def set(self, *, wall_ms: int | None = None, synced: bool | None = None) -> None:
        """Step the wall clock to be so far ahead."""
        self.wall_ms = self.wall_ms if wall_ms is None else wall_ms
        self.synced = self.synced if synced is None else synced
        staged = self.path.with_suffix(".new")
        staged.write_text(json.dumps([self.wall_ms, self.boot_ms, self.synced]))
        staged.replace(self.path)

    def sleep(self, ms: int) -> None:
        """Let so much time pass in which nothing ran: both clocks go on."""
        self.boot_ms += ms
        self.set(wall_ms=self.wall_ms + ms)


def _skew() -> tuple[int, int, bool]:
    wall_ms, boot_ms, synced = json.loads(Path(os.environ[FILE]).read_text())
    return wall_ms, boot_ms, synced


def _skewed() -> Instant:
    (wall_ms, boot_ms, _), now = _skew(), _read()
    return Instant(now.wall_ms + wall_ms, now.mono_ms + boot_ms)


if __name__ == "__main__":
    clock._read = _skewed
    clock.kernel_synchronised = lambda: _skew()[2]
    sys.exit(main())
