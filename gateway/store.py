"""A lane's file: numbered rows, and the records that live and die in their transactions. Blocking; one thread's.

SQLite in WAL mode with `synchronous=FULL`: what a returned `write` has stored is on the disk.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from gateway.errors import StorageFailed, StoreDamaged
from gateway.model import Change, Draft, Drop, Message, Put

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS row (seq INTEGER PRIMARY KEY, subject TEXT, made_ms INTEGER NOT NULL,
                                topic TEXT NOT NULL, payload BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS record (space TEXT, key TEXT, value BLOB NOT NULL,
                                   PRIMARY KEY (space, key)) WITHOUT ROWID;
"""
_ROW_OVERHEAD = 64
_ROWS = "SELECT seq, subject, made_ms, topic, payload FROM row WHERE seq > ? ORDER BY seq LIMIT ?"


class Row(msgspec.Struct, frozen=True, gc=False):
    """A message with its number, exactly as it is or will be published."""

    seq: int
    subject: str | None
    made_ms: int
    topic: str
    payload: bytes

    @property
    def size(self) -> int:
        return len(self.topic) + len(self.payload) + _ROW_OVERHEAD


class Store:
    """`epoch` is made with the file; `unclean` says that the last user did not close it."""

    def __init__(self, path: Path, new_epoch: str) -> None:
        """Open or make the file. StorageFailed where that cannot be done, StoreDamaged where it contradicts itself."""
        self.path = path
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._prepare()
            meta = dict(self._db.execute("SELECT name, value FROM meta"))
            self.unclean = meta.get("clean") == 0
            self.epoch: str = meta.get("epoch") or new_epoch
            self.next: int = meta.get("next") or 1
            self._set(epoch=self.epoch, next=self.next, clean=0)
            self.count, self.bytes = self._measure()
        except sqlite3.OperationalError as error:  # full, read-only, locked: the file itself is sound
            raise StorageFailed(f"{path}: cannot be opened ({error})") from error
        except sqlite3.Error as error:
            raise StoreDamaged(f"{path}: is damaged ({error})") from error

    def _prepare(self) -> None:
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("PRAGMA temp_store=MEMORY")
        verdict = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise sqlite3.DatabaseError(f"its check found: {verdict}")
        self._db.executescript(_SCHEMA)

    def _measure(self) -> tuple[int, int]:
        sizes = "COUNT(*), COALESCE(SUM(LENGTH(topic) + LENGTH(payload) + ?), 0)"
        count, size = self._db.execute(f"SELECT {sizes} FROM row", (_ROW_OVERHEAD,)).fetchone()  # noqa: S608
        return count, size

    def write(
        self, drafts: Sequence[Draft], changes: Iterable[Change], settled: Iterable[int], now_ms: int
    ) -> list[Row]:
        """One durable transaction: number and freeze the drafts, keep the changes, delete what is settled.

        StorageFailed: nothing of it happened, and no number is used up.
        """
        rows = [_freeze(draft, self.epoch, self.next + i, now_ms) for i, draft in enumerate(drafts)]
        with _Transaction(self):
            freed = self._delete(runs(settled))
            self._insert(rows)
            self._keep(changes)
        self.count += len(rows) - freed[0]
        self.bytes += sum(row.size for row in rows) - freed[1]
        self.next += len(rows)
        return rows

    def excess(self, cap: int) -> list[int]:
        """The oldest rows without a subject that must go to free a tenth of `cap` bytes; none while it holds."""
        if self.bytes <= cap:
            return []
        surplus, seqs = self.bytes - cap * 9 // 10, []
        sizes = "SELECT seq, LENGTH(topic) + LENGTH(payload) + ? FROM row WHERE subject IS NULL ORDER BY seq"
        for seq, size in self._query(sizes, (_ROW_OVERHEAD,)):
            if surplus <= 0:
                break
            seqs.append(seq)
            surplus -= size
        return seqs

    def read(self, after: int, limit: int) -> list[Row]:
        """Up to `limit` rows above `after`, oldest first."""
        return [Row(*found) for found in self._query(_ROWS, (after, limit))]

    def records(self, space: str) -> dict[str, bytes]:
        return dict(self._query("SELECT key, value FROM record WHERE space = ?", (space,)))

    def subjects(self) -> dict[str, int]:
        """How many rows of each subject wait."""
        return dict(self._query("SELECT subject, COUNT(*) FROM row WHERE subject NOT NULL GROUP BY subject", ()))

    def oldest_ms(self) -> int | None:
        """When the oldest waiting row was made, UTC in ms."""
        found = self._query("SELECT made_ms FROM row ORDER BY seq LIMIT 1", ())
        return found[0][0] if found else None

    def close(self) -> None:
        """Mark the file as cleanly left."""
        try:
            self._set(clean=1)
            self._db.close()
        except sqlite3.Error as error:
            raise StorageFailed(f"{self.path}: cannot be closed ({error})") from error

    def _query(self, text: str, values: tuple[int | str, ...]) -> list[tuple]:  # type: ignore[type-arg]
        try:
            return self._db.execute(text, values).fetchall()
        except sqlite3.Error as error:
            raise StorageFailed(f"{self.path}: cannot be read ({error})") from error

    def _set(self, **values: str | int) -> None:
        self._db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", values.items())

    def _insert(self, rows: list[Row]) -> None:
        if rows:
            fields = [(row.seq, row.subject, row.made_ms, row.topic, row.payload) for row in rows]
            self._db.executemany("INSERT INTO row VALUES (?, ?, ?, ?, ?)", fields)
            self._set(next=self.next + len(rows))

    def _delete(self, gone: Iterable[tuple[int, int]]) -> tuple[int, int]:
        """Delete rows from first to last; returns how many there were and their size."""
        count = size = 0
        sizes = "DELETE FROM row WHERE seq BETWEEN ? AND ? RETURNING LENGTH(topic) + LENGTH(payload) + ?"
        for first, last in gone:
            found = self._db.execute(sizes, (first, last, _ROW_OVERHEAD)).fetchall()
            count += len(found)
            size += sum(freed for (freed,) in found)
        return count, size

    def _keep(self, changes: Iterable[Change]) -> None:
        for change in changes:
            match change:
                case Put(space, key, value):
                    self._db.execute("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", (space, key, value))
                case Drop(space, key):
                    self._db.execute("DELETE FROM record WHERE space = ? AND key = ?", (space, key))

    def begin(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def end(self, *, keep: bool) -> None:
        if self._db.in_transaction:
            self._db.execute("COMMIT" if keep else "ROLLBACK")


class Tally(msgspec.Struct, frozen=True):
    """How much waits in a file."""

    count: int
    bytes: int
    oldest_ms: int | None


@contextmanager
def _read_only(path: Path) -> Iterator[sqlite3.Connection]:
    """A file that is left as it is. StorageFailed where it cannot be read."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            yield db
    except sqlite3.Error as error:
        raise StorageFailed(f"{path}: cannot be read ({error})") from error


def kept(path: Path, space: str) -> dict[str, bytes]:
    """The records of one space. StorageFailed where they cannot be read."""
    with _read_only(path) as db:
        return dict(db.execute("SELECT key, value FROM record WHERE space = ?", (space,)))


def tally(path: Path) -> tuple[str, Tally]:
    """A file's epoch, and how much waits in it. StorageFailed where it cannot be read."""
    sizes = "SELECT COUNT(*), COALESCE(SUM(LENGTH(topic) + LENGTH(payload) + ?), 0), MIN(made_ms) FROM row"
    with _read_only(path) as db:
        (epoch,) = db.execute("SELECT value FROM meta WHERE name = 'epoch'").fetchone()
        return epoch, Tally(*db.execute(sizes, (_ROW_OVERHEAD,)).fetchone())


def waiting(path: Path, after: int, limit: int) -> list[Row]:
    """Rows of a file above `after`, oldest first. StorageFailed where they cannot be read."""
    with _read_only(path) as db:
        return [Row(*found) for found in db.execute(_ROWS, (after, limit))]


class _Transaction:
    """Commit on leaving; on an error of the store roll back and say so in the gateway's words."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __enter__(self) -> Self:
        try:
            self._store.begin()
        except sqlite3.Error as error:
            raise StorageFailed(f"{self._store.path}: cannot be written ({error})") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            self._store.end(keep=kind is None)
        except sqlite3.Error as failed:
            self._store.end(keep=False)
            raise StorageFailed(f"{self._store.path}: cannot be written ({failed})") from failed
        if isinstance(error, sqlite3.Error):
            raise StorageFailed(f"{self._store.path}: cannot be written ({error})") from error


def runs(numbers: Iterable[int]) -> Iterable[tuple[int, int]]:
    """Numbers as runs without a hole, each from first to last: rows mostly leave in the order they came."""
    ordered = sorted(numbers)
    holes = [(before, after) for before, after in pairwise(ordered) if after > before + 1]
    firsts = ordered[:1] + [after for _, after in holes]
    lasts = [before for before, _ in holes] + ordered[-1:]
    return zip(firsts, lasts, strict=True)


def _freeze(draft: Draft, epoch: str, seq: int, now_ms: int) -> Row:
    message: Message = draft.freeze(epoch, seq)
    return Row(seq, draft.subject, now_ms, message.topic, message.payload)
