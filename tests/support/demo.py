"""`station-gateway demo` as people start it: on a terminal of its own, with a folder for what it makes meanwhile."""

import fcntl
import os
import re
import subprocess
import sys
import termios
import threading
from pathlib import Path
from typing import Self

from tests.support.processes import end, wait_for


class Demo:
    """`shown` is all that was on the terminal so far."""

    def __init__(self, folder: Path, *words: str, **environment: str) -> None:
        self.made = folder / "tmp"
        self.made.mkdir()
        self.shown = ""
        self._master, slave = os.openpty()
        command = [sys.executable, "-m", "gateway.cli.main", "demo", *words]
        self._process = subprocess.Popen(
            command,
            **dict.fromkeys(("stdin", "stdout", "stderr"), slave),
            env=os.environ | {"TMPDIR": str(self.made), "TERM": "xterm", "COLUMNS": "120"} | environment,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - so that Ctrl-C reaches it
        )
        os.close(slave)
        threading.Thread(target=self._watch, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        end(self._process)
        os.close(self._master)

    def wait_shown(self, pattern: str, seconds: float = 15.0) -> re.Match[str]:
        return wait_for(lambda: re.search(pattern, self.shown), seconds, f"{pattern} in {self.shown}")

    def wait_end(self, seconds: float = 40.0) -> int:
        return self._process.wait(seconds)

    def close_terminal(self) -> None:
        master, self._master = self._master, os.open(os.devnull, os.O_RDONLY)
        os.close(master)

    def press_ctrl_c(self) -> None:
        os.write(self._master, b"\x03")

    @property
    def pty(self) -> str:
        """The terminal that the daemon takes for its receiver."""
        (config,) = self.made.glob("station-gateway-demo-*/gateway.yaml")
        return wait_for(lambda: re.search(r"/dev/pts/\d+", config.read_text()), 5)[0]

    @property
    def daemons(self) -> list[int]:
        """Processes that were started with the demo's configuration."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue  # it has ended meanwhile
            if any(word.startswith(f"{self.made}/") for word in words):
                found.append(int(process.name))
        return found

    def _watch(self) -> None:
        try:
            while octets := os.read(self._master, 65536):
                self.shown += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\r", "", octets.decode(errors="replace"))
        except OSError:
            return  # the other side is closed
