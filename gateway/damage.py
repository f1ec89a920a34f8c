"""How SQLite's refusals are told apart, and how it shows that a file is not as it was written."""

import sqlite3
import struct
import zlib
from pathlib import Path

from gateway.errors import StorageFailed, StorageFull, StoreDamaged

_DAMAGE = {
    sqlite3.SQLITE_ERROR,  # the schema is not ours any more
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_IOERR_READ,
    sqlite3.SQLITE_IOERR_SHORT_READ,
    sqlite3.SQLITE_IOERR_CORRUPTFS,
}
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE}
_INDEX_HEAD = struct.Struct("=16xI28x")
"""Of the index beside a write-ahead log, kept twice: behind 16 bytes, how many frames are committed."""


def files(path: Path) -> tuple[Path, Path, Path]:
    """The file, its write-ahead log and the index of that."""
    return path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")


def explained(name: str, what: str, error: sqlite3.Error) -> StorageFailed:
    """The error in the gateway's words: the disk is full, the file is damaged, or neither."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)  # without one: a value that cannot be read
    text = f"{name}: {what} ({error})"
    if code in _FULL:
        return StorageFull(text)
    if code in _DAMAGE or code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreDamaged(text)
    return StorageFailed(text)


def promised(path: Path) -> int:
    """How many frames of the log a killed process had committed, as far as the index that it left can tell.

    SQLite takes up the log to its first bad frame and is silent about the rest, and the numbers of what is lost would
    be given a second time.
    """
    try:
        with files(path)[2].open("rb") as file:
            first, second = file.read(_INDEX_HEAD.size), file.read(_INDEX_HEAD.size)
    except OSError:
        return 0
    if len(second) < _INDEX_HEAD.size or first != second:
        return 0
    return int(_INDEX_HEAD.unpack(first)[0])


def row_sum(ident: str, subject: str | None, made_ms: int, topic: str, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(f"{ident} {subject} {made_ms} {topic}".encode()))


def record_sum(space: str, key: str, value: bytes) -> int:
    return zlib.crc32(value, zlib.crc32(f"{space} {key}".encode()))
