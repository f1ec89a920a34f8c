"""Spoiled files, opened one after the other: a lane opens, holds nothing that nobody wrote, and tells what is gone."""

import random
import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path

import structlog

from tests.support.corruption import ROWS, filled, spoil, survives


def corruption(cases: int, seed: int) -> bool:
    structlog.configure(processors=[structlog.testing.LogCapture()])
    saved = gaps = fooled = broken = 0
    for case in range(cases):
        chance = random.Random(seed + case)
        with tempfile.TemporaryDirectory(prefix="station-corruption-") as name:
            folder = Path(name)
            written, done = filled(folder), spoil(folder, chance)
            fooled += _believed(folder) != {row.id: row.payload for row in written.rows.values()}
            try:
                rows = survives(folder, written)
            except AssertionError as wrong:
                broken += 1
                print(f"seed {seed + case}: {done}: {wrong}", flush=True)
                continue
            saved += rows
            gaps += rows < ROWS
        if (case + 1) % 100 == 0:
            print(f"so far {case + 1:,} files", flush=True)
    sent = (cases - broken) * ROWS
    print(
        f"{cases:,} cases: {sent:,} alerts in the files, {saved:,} arrived, {sent - saved:,} destroyed and told by "
        f"{gaps} gaps; {broken} files with any lost untold, doubled or made up"
    )
    print(f"control: SQLite by itself fails on {fooled} of the files, or reads something else than was written")
    return not broken and bool(fooled)


def _believed(folder: Path) -> dict[str, bytes]:
    """What SQLite reads of a copy, without any check of ours."""
    copy = folder / "believed"
    copy.mkdir()
    for file in folder.glob("alert.db*"):
        (copy / file.name).write_bytes(file.read_bytes())
    with suppress(sqlite3.Error), closing(sqlite3.connect(copy / "alert.db")) as db:
        return dict(db.execute("SELECT id, payload FROM row"))
    return {}
