"""What can still be read of a lane's file, whoever left it and however damaged it is. The file stays as it is."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from gateway.damage import explained, files
from gateway.errors import StoreDamaged
from gateway.model import Put
from gateway.rows import OVERHEAD, Row, Tally, checked, proven

_ROWS = "SELECT seq, id, subject, made_ms, topic, payload, sum FROM row"
_RECORDS = "SELECT space, key, value, sum FROM record WHERE space <> ''"
BEFORE_ALL = -(1 << 63)
"""Before the place of every row."""
LEAP = 1 << 14
"""The widest hole in the rows that is searched place by place."""


class Salvaged(msgspec.Struct, frozen=True):
    """The rows with a subject first, each part in the lane's order."""

    rows: list[Row]
    records: list[Put]


def kept(path: Path, space: str) -> dict[str, bytes]:
    """The records of one space, read from a file that is left as it is. StorageFailed where that cannot be done."""
    found = _asked(path, f"{_RECORDS} AND space = ?", space)
    return {key: proven(space, key, value, sum_) for space, key, value, sum_ in found}


def tally(path: Path) -> Tally:
    """How much waits in a file. StorageFailed where it cannot be read."""
    sizes = "COALESCE(SUM(LENGTH(topic) + LENGTH(payload) + ?), 0)"
    ((count, size, oldest_ms),) = _asked(path, f"SELECT COUNT(*), {sizes}, MIN(made_ms) FROM row", OVERHEAD)  # noqa: S608
    return Tally(count, size, oldest_ms)


def waiting(path: Path, after: int, limit: int) -> list[Row]:
    """Rows of a file above `after`, oldest first. StorageFailed where they cannot be read."""
    return [checked(found) for found in _asked(path, f"{_ROWS} WHERE seq > ? ORDER BY seq LIMIT ?", after, limit)]


def salvage(path: Path) -> Salvaged:
    """Every row and record that is as it was written."""
    try:
        with closing(_looked_into(path)) as db:
            rows = {row.seq: row for row in _every(db, _ROWS, "seq", checked)}
            rows |= {row.seq: row for row in _between(db, rows)}
            records = {(put.space, put.key): put for put in _every(db, _RECORDS, "space, key", _put)}
    except sqlite3.Error:  # nothing of it opens
        return Salvaged([], [])
    ordered = sorted(rows.values(), key=lambda row: (row.subject is None, row.seq))
    return Salvaged(ordered, list(records.values()))


def _asked(path: Path, text: str, *values: str | int) -> list[tuple[Any, ...]]:
    try:
        with closing(_looked_into(path)) as db:
            return db.execute(text, values).fetchall()
    except sqlite3.Error as error:
        raise explained(str(path), "cannot be read", error) from error


def _looked_into(path: Path) -> sqlite3.Connection:
    """Without a log nothing may be made beside it: the disk may be read-only."""
    how = "mode=ro" if files(path)[1].exists() else "mode=ro&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True)


def _every(db: sqlite3.Connection, text: str, order: str, take: Callable[[tuple[Any, ...]], Any]) -> Iterator[Any]:
    """From the beginning to the damage, and from the end back to it."""
    columns = [f"{column} DESC" for column in order.split(", ")]
    for ordered in (order, ", ".join(columns)):
        try:
            for fields in db.execute(f"{text} ORDER BY {ordered}"):
                yield from _taken(fields, take)
        except (sqlite3.Error, UnicodeDecodeError):
            continue
        return


def _between(db: sqlite3.Connection, known: dict[int, Row]) -> Iterator[Row]:
    """Rows that a damaged page hides from a walk, asked for one by one."""
    ordered = sorted(known)
    for before, after in pairwise(ordered):
        for seq in range(before + 1, after) if after - before <= LEAP else ():
            try:
                found = db.execute(f"{_ROWS} WHERE seq = ?", (seq,)).fetchall()
            except (sqlite3.Error, UnicodeDecodeError):
                continue
            for fields in found:
                yield from _taken(fields, checked)


def _taken(fields: tuple[Any, ...], take: Callable[[tuple[Any, ...]], Any]) -> Iterator[Any]:
    try:
        yield take(fields)
    except (StoreDamaged, TypeError, UnicodeError):  # no longer of the kind that was written
        return


def _put(fields: tuple[Any, ...]) -> Put:
    space, key, value, sum_ = fields
    return Put(space, key, proven(space, key, value, sum_))
