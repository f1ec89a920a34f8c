"""The unit that does a station's actions, without systemd: a process for each connection, as with Accept=yes."""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Self


class Acting:
    """Listens at `path` and has each connection served by `station-gateway act --serve`; `said` is its journal."""

    def __init__(self, path: Path, config: Path) -> None:
        self.path = path
        self._command = [sys.executable, "-m", "gateway.cli.main", "act", "--serve", "--config", str(config)]
        self._journal = path.with_name("act.journal")
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._listening.bind(str(self.path))
        self._listening.listen()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)  # wakes the thread
        self._thread.join()
        self._listening.close()
        self.path.unlink(missing_ok=True)

    @property
    def said(self) -> list[str]:
        return self._journal.read_text().splitlines() if self._journal.exists() else []

    def _serve(self) -> None:
        served: list[subprocess.Popen[bytes]] = []
        while True:
            try:
                peer, _ = self._listening.accept()
            except OSError:
                break
            with peer, self._journal.open("ab") as journal:
                served.append(subprocess.Popen(self._command, stdin=peer, stdout=peer, stderr=journal, cwd=os.getcwd()))
        for process in served:
            process.wait(30)
