"""Rows that the other end will not have: how often, how long each waits to be offered again, which are poison. Pure.

A row is poison when it was turned away again and again while others were taken. Where nothing is taken the fault is
with the other end, and no row is to blame.
"""

import msgspec

from gateway.rows import Row

STRIKES = 3
WAIT_MAX_S = 60.0
HUNG_UP = 0x80
"""The reason code, "unspecified", of a row at which the other end hung up instead of answering."""


class Refused(msgspec.Struct, frozen=True, gc=False):
    """A row that was turned away: how often, and with what word the last time."""

    row: Row
    code: int
    reason: str
    strikes: int
    taken: int
    """How many others had been taken when this one was first turned away."""


class Refusals:
    """`retry_s`: how long a row waits the first time; then twice as long each time."""

    def __init__(self, retry_s: float) -> None:
        self._retry_s = retry_s
        self._rows: dict[int, Refused] = {}
        self._waits: dict[int, float] = {}
        self._taken = 0

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, seq: int) -> bool:
        return seq in self._rows

    def strike(self, row: Row, code: int, reason: str) -> Refused:
        before = self._rows.get(row.seq)
        strikes, taken = (before.strikes + 1, before.taken) if before else (1, self._taken)
        refused = self._rows[row.seq] = Refused(row, code, reason, strikes, taken)
        return refused

    def hung_up(self, seq: int) -> bool:
        refused = self._rows.get(seq)
        return refused is not None and refused.code == HUNG_UP

    def take(self, seq: int) -> bool:
        """A row was taken; whether it is one that had been turned away before."""
        self._taken += 1
        return self.forget(seq)

    def forget(self, seq: int) -> bool:
        self._waits.pop(seq, None)
        return self._rows.pop(seq, None) is not None

    def poison(self, refused: Refused) -> bool:
        return refused.strikes >= STRIKES and self._taken > refused.taken

    def wait_s(self, seq: int) -> float:
        """How long it is to wait this time."""
        wait = self._waits.get(seq, self._retry_s)
        self._waits[seq] = min(WAIT_MAX_S, 2 * wait)
        return wait

    def listed(self) -> list[Refused]:
        """What has been turned away and not been taken since, oldest first."""
        return [self._rows[seq] for seq in sorted(self._rows)]
