"""A lane's file, looked at from outside, whether the daemon works on it or has been killed."""

import sqlite3
from pathlib import Path
from typing import Self

import msgspec

from gateway.rows import Standing


class Rows:
    def __init__(self, data: Path, lane: str) -> None:
        self._db = sqlite3.connect(f"file:{data / lane}.db?mode=ro", uri=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    @property
    def next(self) -> int:
        """The number that the next row gets."""
        own = self._own
        return own.next if own else 1

    @property
    def oldest(self) -> int | None:
        """The number of the first row that is not delivered; None where all are."""
        number: int | None = self._db.execute("SELECT MIN(seq) FROM row").fetchone()[0]
        return number

    @property
    def numbered(self) -> set[str]:
        """The ids of all messages of this file's epoch so far, delivered or not: numbers have no holes."""
        own = self._own
        return {f"{own.epoch}-{number}" for number in range(1, own.next)} if own else set()

    @property
    def _own(self) -> Standing | None:
        found = self._db.execute("SELECT value FROM record WHERE space = ''").fetchone()
        return msgspec.msgpack.decode(found[0], type=Standing) if found else None
