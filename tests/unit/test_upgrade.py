"""An upgrade loses nothing that waited."""

import sqlite3
from pathlib import Path

from gateway.store import Store
from tests.support.drafts import draft

OLD = """
PRAGMA journal_mode=WAL;
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE row (seq INTEGER PRIMARY KEY, subject TEXT, made_ms INTEGER NOT NULL, topic TEXT NOT NULL,
                  payload BLOB NOT NULL);
CREATE TABLE record (space TEXT, key TEXT, value BLOB NOT NULL, PRIMARY KEY (space, key)) WITHOUT ROWID;
INSERT INTO meta VALUES ('epoch', '0dd0ba11'), ('next', 7), ('clean', 1);
INSERT INTO row VALUES (5, 'alert-1', 9, 'topic', x'3035'), (6, NULL, 9, 'topic', x'3036');
INSERT INTO record VALUES ('alert', '1', x'01');
"""


def test_a_file_of_version_0_1_goes_on_with_its_rows_its_records_and_its_numbers(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db") as old:
        old.executescript(OLD)
    old.close()
    store = Store(tmp_path / "a.db", "aaaa0000")
    assert [(row.seq, row.id, row.subject, row.payload) for row in store.read(0, 10)] == [
        (5, "0dd0ba11-5", "alert-1", b"05"), (6, "0dd0ba11-6", None, b"06")
    ]  # fmt: skip
    assert (store.records("alert"), store.unclean, store.standing.count) == ({"1": b"\x01"}, False, 2)
    (row,) = store.write([draft("new")], [], [5, 6], 0)
    assert (row.seq, row.id) == (7, "0dd0ba11-7")
    assert (store.standing.count, store.standing.bytes) == (1, row.size)
