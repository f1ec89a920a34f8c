"""Drafts and lanes for tests of the storage."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gateway.damage import files
from gateway.model import Draft, Message
from gateway.rows import Row
from gateway.standby import Standby, Upkeep
from gateway.store import Store


def draft(text: str = "x", subject: str | None = None) -> Draft:
    def freeze(epoch: str, seq: int) -> Message:
        return Message("topic", f"{epoch}-{seq} {text}".encode())

    return Draft(freeze, subject)


def shed(rows: Sequence[Row]) -> list[Draft]:
    """One gap for them all; they are of one epoch."""
    epoch, numbers = rows[0].id.split("-")[0], [int(row.id.split("-")[1]) for row in rows]
    return [draft(f"gap {epoch} {numbers[0]}..{numbers[-1]} {len(numbers)}", subject="gap")]


def standby(store: Store, cap: int | None = None, **more: Any) -> Standby:
    """On a file that is opened again as it is; in memory the epoch is `cccc0000`."""

    def reopen(place: int) -> tuple[Store, list[Draft]]:
        assert store.path is not None
        return Store(store.path, "dddd0000", place=place), []

    more = {"thin": lambda _: None} | more
    return Standby(store, cap, Upkeep(shed=shed, epoch=lambda: "cccc0000", reopen=reopen, **more))


class Broker:
    """A carrier that remembers what it was given; the test answers when and how it likes."""

    def __init__(self) -> None:
        self.sent: list[Row] = []

    def send(self, row: Row) -> None:
        self.sent.append(row)

    def has(self, seq: int) -> bool:
        return seq in self.seqs

    @property
    def seqs(self) -> list[int]:
        return [row.seq for row in self.sent]


def on_disk(path: Path | None) -> int:
    """Bytes that a store's files take, as `df` counts them."""
    assert path is not None
    return sum(found.stat().st_blocks * 512 for found in files(path) if found.exists())
