"""A serial receiver on a real pty, under a stable path, that can be unplugged and plugged in again."""

import os
import select
import threading
import time
import tty
from pathlib import Path
from typing import Self


class Receiver:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.sent_down = b""
        """What the daemon wrote to the receiver."""
        self._master = -1
        self._slave = -1
        self.plug()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug()

    def plug(self) -> None:
        self._master, self._slave = os.openpty()
        os.set_blocking(self._master, False)
        tty.setraw(self._slave)  # the tests hold the slave open too: bytes wait while the daemon is away
        staged = self.path.with_name(self.path.name + ".new")
        staged.symlink_to(os.ttyname(self._slave))
        staged.replace(self.path)
        threading.Thread(target=self._drain, args=(self._master,), daemon=True).start()

    def unplug(self) -> None:
        if self._master >= 0:
            self.path.unlink(missing_ok=True)
            os.close(self._slave)
            os.close(self._master)
            self._master = self._slave = -1

    def write(self, octets: bytes, *, seconds: float = 5.0) -> None:
        """Hand it to the line; what does not fit within the time is lost, as it is on a wire."""
        deadline = time.monotonic() + seconds
        while octets:
            try:
                octets = octets[os.write(self._master, octets) :]
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    return
                time.sleep(0.001)

    def _drain(self, master: int) -> None:
        try:
            while self._master == master:
                if select.select([master], [], [], 0.2)[0]:
                    self.sent_down += os.read(master, 4096)
        except OSError:
            return  # unplugged
