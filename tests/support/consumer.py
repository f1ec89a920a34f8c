"""The reference consumers of gateway/contract as they stand, as processes over one store."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, Self

from tests.support.mosquitto import Mosquitto
from tests.support.processes import end, wait_for

FOLDER = Path(__file__).parents[2] / "gateway/contract"


class Consumer:
    """One of those that share the store in `folder`; it may be killed and started again under its name."""

    def __init__(self, folder: Path, broker: Mosquitto, name: str = "desks-1", file: str = "consumer.py") -> None:
        self._store, self._out = folder / "store.db", folder / f"{name}.out"
        self._command = [sys.executable, str(FOLDER / file), name, str(self._store), "localhost", str(broker.port)]
        self._broker, self._name = broker, name

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        end(self._process)

    def start(self) -> None:
        before = self.subscriptions
        with self._out.open("ab") as out:
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=out, stderr=out)
        wait_for(lambda: self.subscriptions > before, 10, f"{self._name} subscribes")

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def accept(self, topic: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{topic}\n".encode())
        self._process.stdin.flush()

    @property
    def lines(self) -> list[str]:
        return self._out.read_text().splitlines()

    def told(self, word: str) -> list[str]:
        """The rest of the lines that begin with it."""
        return [line.removeprefix(f"{word} ") for line in self.lines if line.startswith(f"{word} ")]

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """What the store answers."""
        with closing(sqlite3.connect(self._store, timeout=60)) as store:
            return store.execute(question).fetchall()

    @property
    def subscriptions(self) -> int:
        """How often the broker has taken its subscriptions so far."""
        return self._broker.log.count(f"Sending SUBACK to {self._name}\n")
