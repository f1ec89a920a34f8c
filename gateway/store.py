"""A lane's file: numbered rows, and the records that live and die in their transactions. Blocking; one thread's.

SQLite in WAL mode with `synchronous=FULL`: what a returned `write` has stored is on the disk. Each row and record
carries a sum of its bytes, so that what a dying disk has altered is never believed.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType

import msgspec

from gateway.damage import explained, files, promised, record_sum, row_sum
from gateway.errors import StorageFailed, StoreDamaged
from gateway.model import Change, Draft, Drop, Message, Put
from gateway.rows import THINNED, Row, Standing, checked, proven, runs
from gateway.upgrade import upgrade

_SCHEMA = """
CREATE TABLE IF NOT EXISTS row (seq INTEGER PRIMARY KEY, id TEXT NOT NULL, subject TEXT, made_ms INTEGER NOT NULL,
                                topic TEXT NOT NULL, payload BLOB NOT NULL, sum INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS subject ON row (subject) WHERE subject NOT NULL;
CREATE TABLE IF NOT EXISTS record (space TEXT, key TEXT, value BLOB NOT NULL, sum INTEGER NOT NULL,
                                   PRIMARY KEY (space, key)) WITHOUT ROWID;
"""
_ROW_OVERHEAD = Row(0, "", None, 0, "", b"").size
_FIELDS = "seq, id, subject, made_ms, topic, payload"
_OWN = ""
"""The space and the key of the file's own record."""
LOG_MAX = 4 << 20
"""Bytes that the write-ahead log takes at most, but for a single transaction that is larger."""
CHECKED = 32 << 20
"""A file up to this size is checked whole as it is opened; a larger one is judged as its rows are read."""
CACHE_KIB = 512
"""Rows come at one end and go at the other: a larger cache fills with pages that nobody reads again."""
SPARE = 64
"""Free pages that a file keeps for the rows to come."""
STEP = 256
"""Free pages given back at once: a commit waits for no more."""


class Store:
    """`unclean` says that the last user did not close the file.

    Without a path it is kept in memory. Places are given from `place` on.
    """

    def __init__(self, path: Path | None, new_epoch: str, *, log_max: int = LOG_MAX, place: int = 1) -> None:
        """Open or make the file. StorageFailed where that cannot be done, StoreDamaged where it contradicts itself."""
        self.path = path
        self._name = str(path or "memory")
        self.log_max = log_max
        committed = promised(path) if path else 0
        self._db = self._connect()
        try:
            self._prepare(committed)
            own = self.records(_OWN).get(_OWN)
            known = msgspec.msgpack.decode(own, type=Standing) if own else None
            self.standing = known or Standing(new_epoch, place=place, clean=True)
            self.unclean = not self.standing.clean
            self._stand(msgspec.structs.replace(self.standing, clean=False))
            self._place_anew()
        except sqlite3.Error as error:
            self._db.close()
            raise self.explained("cannot be opened", error) from error
        except StorageFailed:
            self._db.close()
            raise

    def _connect(self) -> sqlite3.Connection:
        try:
            return sqlite3.connect(self.path or ":memory:", isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise self.explained("cannot be opened", error) from error

    def _prepare(self, committed: int) -> None:
        if not self._pages:
            self._db.execute("PRAGMA auto_vacuum=INCREMENTAL")  # it can be chosen for a new file only
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("PRAGMA temp_store=MEMORY")
        self._db.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        self._db.execute(f"PRAGMA wal_autocheckpoint={self.log_max // 4096}")
        self._db.execute(f"PRAGMA journal_size_limit={self.log_max}")
        recovered = self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1]
        if committed and recovered < committed:
            raise StoreDamaged(f"{self._name}: its log has lost what was committed last")
        upgrade(self._db, _SCHEMA)
        self._db.executescript(_SCHEMA)
        if self._pages * 4096 <= CHECKED:
            verdict = self._db.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if verdict != "ok":
                raise StoreDamaged(f"{self._name}: is damaged ({verdict})")
            self._prove()

    def _place_anew(self) -> None:
        """Rows that were numbered before the file could be opened stand below 0; now they go where the others go."""
        lowest = self._query("SELECT MIN(seq) FROM row", ())[0][0]
        if lowest is not None and lowest < 0:
            with _Transaction(self):
                shift = self.standing.place - lowest
                self._db.execute("UPDATE row SET seq = seq + ? WHERE seq < 0", (shift,))
                last = self._db.execute("SELECT MAX(seq) FROM row").fetchone()[0]
                self._stand(msgspec.structs.replace(self.standing, place=last + 1))

    @property
    def epoch(self) -> str:
        return self.standing.epoch

    @property
    def next(self) -> int:
        return self.standing.next

    @property
    def used(self) -> int:
        """Bytes of the pages that hold something; the file's other pages are free for the rows to come."""
        return (self._pages - self._free) * 4096

    def write(
        self, drafts: Sequence[Draft], changes: Iterable[Change], settled: Iterable[int], now_ms: int
    ) -> list[Row]:
        """One durable transaction: number and freeze the drafts, keep the changes, delete what is settled.

        StorageFailed: nothing of it happened, and no number is used up.
        """
        at = self.standing
        rows = [_freeze(draft, at.epoch, at.next + i, at.place + i, now_ms) for i, draft in enumerate(drafts)]
        self._change(rows, changes, settled, at.next + len(rows))
        return rows

    def adopt(self, rows: Sequence[Row], changes: Iterable[Change], settled: Iterable[int]) -> None:
        """Take rows from another file as they are, in their places, in one transaction with the rest."""
        self._change(rows, changes, settled, self.standing.next)

    def _change(self, rows: Sequence[Row], changes: Iterable[Change], settled: Iterable[int], next_: int) -> None:
        at = self.standing
        with _Transaction(self):
            gone, freed = self._delete(runs(settled))
            self._insert(rows)
            self._keep(changes)
            count, size = at.count + len(rows) - gone, at.bytes + sum(row.size for row in rows) - freed
            place = max(at.place, rows[-1].seq + 1) if rows else at.place
            becomes = Standing(at.epoch, next_, place, count, size)
            if becomes != at:
                self._put(_OWN, _OWN, msgspec.msgpack.encode(becomes))
        self.standing = becomes

    def oldest(self, size: int, *, thinned: bool = False) -> list[Row]:
        """The oldest rows without a subject, or of those `thinned`, of at least so many bytes in all."""
        rows: list[Row] = []
        which = f"subject = '{THINNED}'" if thinned else "subject IS NULL"
        text = f"SELECT {_FIELDS}, sum FROM row WHERE {which} ORDER BY seq"  # noqa: S608
        try:
            with closing(self._db.execute(text)) as found:
                for fields in found:
                    rows.append(checked(fields))
                    size -= rows[-1].size
                    if size <= 0:
                        break
        except sqlite3.Error as error:
            raise self.explained("cannot be read", error) from error
        return rows

    def read(self, after: int, limit: int) -> list[Row]:
        """Up to `limit` rows above `after`, oldest first. StoreDamaged where one of them is not as it was written."""
        columns = f"SELECT {_FIELDS}, sum FROM row WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608
        return [checked(found) for found in self._query(columns, (after, limit))]

    def records(self, space: str) -> dict[str, bytes]:
        """StoreDamaged where one of them is not as it was written."""
        found = self._query("SELECT key, value, sum FROM record WHERE space = ?", (space,))
        return {key: proven(space, key, value, sum_) for key, value, sum_ in found}

    def _prove(self) -> None:
        """Read all of it. StoreDamaged where a row or a record is not as it was written."""
        for fields in self._query(f"SELECT {_FIELDS}, sum FROM row", ()):  # noqa: S608
            checked(fields)
        for space, key, value, sum_ in self._query("SELECT space, key, value, sum FROM record", ()):
            proven(space, key, value, sum_)

    def subjects(self) -> dict[str, int]:
        """How many rows of each subject wait."""
        return dict(self._query("SELECT subject, COUNT(*) FROM row WHERE subject NOT NULL GROUP BY subject", ()))

    def oldest_ms(self) -> int | None:
        """When the oldest waiting row was made, UTC in ms."""
        found = self._query("SELECT made_ms FROM row ORDER BY seq LIMIT 1", ())
        return found[0][0] if found else None

    def give_back(self) -> bool:
        """Return some free pages to the disk, and a log that one large transaction left; whether there is more."""
        if self._free > SPARE:
            self._query(f"PRAGMA incremental_vacuum({STEP})", ())
        elif self._log <= self.log_max:
            return False
        self._query("PRAGMA wal_checkpoint(TRUNCATE)", ())
        return self._free > SPARE

    def close(self) -> None:
        """Mark the file as cleanly left."""
        try:
            self._stand(msgspec.structs.replace(self.standing, clean=True))
            self._db.close()
        except sqlite3.Error as error:
            raise self.explained("cannot be closed", error) from error

    def abandon(self) -> None:
        """Let go of the file as it is."""
        self._db.close()

    @property
    def _pages(self) -> int:
        return int(self._query("PRAGMA page_count", ())[0][0])

    @property
    def _log(self) -> int:
        log = files(self.path)[1] if self.path else None
        return log.stat().st_size if log and log.exists() else 0

    @property
    def _free(self) -> int:
        return int(self._query("PRAGMA freelist_count", ())[0][0])

    def _query(self, text: str, values: tuple[int | str, ...]) -> list[tuple]:  # type: ignore[type-arg]
        try:
            return self._db.execute(text, values).fetchall()
        except sqlite3.Error as error:
            raise self.explained("cannot be read", error) from error

    def _stand(self, standing: Standing) -> None:
        self._put(_OWN, _OWN, msgspec.msgpack.encode(standing))
        self.standing = standing

    def _put(self, space: str, key: str, value: bytes) -> None:
        fields = (space, key, value, record_sum(space, key, value))
        self._db.execute("INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?)", fields)

    def _insert(self, rows: Sequence[Row]) -> None:
        fields = [msgspec.structs.astuple(row) for row in rows]
        self._db.executemany("INSERT INTO row VALUES (?, ?, ?, ?, ?, ?, ?)", [(*f, row_sum(*f[1:])) for f in fields])

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
                    self._put(space, key, value)
                case Drop(space, key):
                    self._db.execute("DELETE FROM record WHERE space = ? AND key = ?", (space, key))

    def begin(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def end(self, *, keep: bool) -> None:
        if self._db.in_transaction:
            self._db.execute("COMMIT" if keep else "ROLLBACK")

    def explained(self, what: str, error: sqlite3.Error) -> StorageFailed:
        return explained(self._name, what, error)


class _Transaction:
    """Commit on leaving; on an error of the store roll back and say so in the gateway's words."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __enter__(self) -> None:
        try:
            self._store.begin()
        except sqlite3.Error as error:
            raise self._store.explained("cannot be written", error) from error

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            self._store.end(keep=kind is None)
        except sqlite3.Error as failed:
            self._store.end(keep=False)
            raise self._store.explained("cannot be written", failed) from failed
        if isinstance(error, sqlite3.Error):
            raise self._store.explained("cannot be written", error) from error


def _freeze(draft: Draft, epoch: str, number: int, place: int, now_ms: int) -> Row:
    message: Message = draft.freeze(epoch, number)
    return Row(place, f"{epoch}-{number}", draft.subject, now_ms, message.topic, message.payload)
