"""A lane's files as a killed process leaves them, spoiled as a dying disk does it, and what must still hold."""

import random
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from gateway.forward import Window
from gateway.lanes import Plan, open_store
from gateway.model import GapCause, Put
from gateway.rows import Row
from gateway.store import Store
from tests.support.drafts import draft
from tests.support.inside import StillClock

ALERT = Plan("alert", Window(), must_be_heard=True)
ROWS = 120


@dataclass(frozen=True)
class Written:
    rows: dict[str, Row]
    records: list[Put]


def filled(folder: Path) -> Written:
    """A file with its log and the index of that, in use until just now."""
    making = folder / "making"
    making.mkdir()
    store = Store(making / "alert.db", "0dd0ba11")
    records = [Put("alert", str(number), f"record {number}".encode()) for number in range(40)]
    rows = store.write([draft(f"{number} " + "x" * 300, "alert-1") for number in range(ROWS // 2)], records, [], 0)
    store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for number in range(ROWS // 2):
        rows += store.write([draft(f"late {number} " + "y" * 300)], [], [], 0)
    for file in making.iterdir():
        shutil.copy(file, folder / file.name)
    store.abandon()
    shutil.rmtree(making)
    return Written({row.id: row for row in rows}, records)


def spoil(folder: Path, chance: random.Random) -> str:
    """Flip some bytes of one file, or cut it short; what was done."""
    file = folder / chance.choice(["alert.db", "alert.db", "alert.db-wal", "alert.db-shm"])
    octets = bytearray(file.read_bytes())
    if chance.random() < 0.3:
        del octets[chance.randrange(len(octets)) :]
    else:
        for _ in range(chance.choice([1, 4, 64])):
            octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(8)
    file.write_bytes(octets)
    return f"{file.name}, {len(octets)} bytes left"


def survives(folder: Path, written: Written) -> int:
    """How many rows are there still. AssertionError where the lane does not open, or holds what nobody wrote."""
    opened = open_store(folder, ALERT, StillClock())
    store = opened.store
    assert store is not None, opened.refused
    rows = store.read(0, 10_000)
    assert len({row.id for row in rows}) == len(rows)
    assert all(replace(row, seq=written.rows[row.id].seq) == written.rows[row.id] for row in rows)
    assert {Put("alert", key, value) for key, value in store.records("alert").items()} <= set(written.records)
    if len(rows) < len(written.rows):
        assert [gap.cause for gap in opened.gaps] == [GapCause.CORRUPT]
        assert store.epoch != "0dd0ba11"
    (new,) = store.write([draft("goes on")], [], [], 0)
    assert new.id not in written.rows
    assert new.seq > max((row.seq for row in rows), default=0)
    store.abandon()
    with sqlite3.connect(folder / "alert.db") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
    return len(rows)
