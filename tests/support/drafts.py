"""Drafts and lanes for tests of the storage."""

from gateway.model import Draft, Message
from gateway.store import Row


def draft(text: str = "x", subject: str | None = None) -> Draft:
    def freeze(epoch: str, seq: int) -> Message:
        return Message("topic", f"{epoch}-{seq} {text}".encode())

    return Draft(freeze, subject)


def gap_draft(epoch: str, seqs: list[int]) -> Draft:
    return draft(f"gap {epoch} {seqs[0]}..{seqs[-1]} {len(seqs)}", subject="gap")


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
