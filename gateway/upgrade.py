"""Files of version 0.1, whose rows and records had neither ids of their own nor sums, brought to today's shape."""

import sqlite3

import msgspec

from gateway.damage import record_sum, row_sum
from gateway.rows import Standing


def upgrade(db: sqlite3.Connection, schema: str) -> None:
    """In one transaction: a crash leaves the one shape or the other. A file that is not of 0.1 stays as it is."""
    if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").fetchone():
        return
    meta = dict(db.execute("SELECT name, value FROM meta"))
    size = "COALESCE(SUM(LENGTH(topic) + LENGTH(payload) + 64), 0)"
    count, octets = db.execute(f"SELECT COUNT(*), {size} FROM row").fetchone()  # noqa: S608
    standing = Standing(meta["epoch"], meta["next"], meta["next"], count, octets, clean=meta["clean"] == 1)
    own = msgspec.msgpack.encode(standing)
    db.create_function("row_sum", 5, row_sum, deterministic=True)
    db.create_function("record_sum", 3, record_sum, deterministic=True)
    db.executescript(
        f"BEGIN IMMEDIATE; ALTER TABLE row RENAME TO row_01; ALTER TABLE record RENAME TO record_01; {schema}"
    )
    ident = f"'{meta['epoch']}-' || seq"
    db.execute(
        f"INSERT INTO row SELECT seq, {ident}, subject, made_ms, topic, payload,"  # noqa: S608
        f" row_sum({ident}, subject, made_ms, topic, payload) FROM row_01"
    )
    db.execute("INSERT INTO record SELECT space, key, value, record_sum(space, key, value) FROM record_01")
    db.execute("INSERT INTO record VALUES ('', '', ?, ?)", (own, record_sum("", "", own)))
    for table in ("row_01", "record_01", "meta"):
        db.execute(f"DROP TABLE {table}")
    db.execute("COMMIT")
