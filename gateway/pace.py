"""How many bytes may be under way: what is answered soon, so that on a slow line no alert is behind more. Pure."""

LEAST = 4 * 1024
FIRST = 16 * 1024
PATIENCE_S = 1.0
"""An answer that took longer says that too much was under way."""


class Pace:
    """Doubles with each round of quick answers until the first slow one, which halves it; then it grows a row a round.

    `most` is never exceeded. `patience_s` None: as much as `most` at all times.
    """

    def __init__(self, most: int, patience_s: float | None) -> None:
        self._most = most
        self._patience_s = patience_s
        self.bytes = most if patience_s is None else min(FIRST, most)
        self._searching = True
        self._cut_at = 0.0

    def answered(self, size: int, sent_at: float, now: float) -> None:
        """A row of `size` bytes has its answer; both times by one clock."""
        if self._patience_s is None:
            return
        if now - sent_at <= self._patience_s:
            growth = size if self._searching else size * size / self.bytes
            self.bytes = min(self._most, self.bytes + max(1, int(growth)))
        elif sent_at >= self._cut_at:  # what went out before the last cut says nothing of it
            self._searching = False
            self._cut_at = now
            self.bytes = max(min(LEAST, self._most), self.bytes // 2)
