"""How much may be asked in a time: some at once, and then no more than comes back by and by. Pure."""


class Allowance:
    """`most` at once, refilled at `per_s` a second."""

    def __init__(self, most: int, per_s: float) -> None:
        self._most = float(most)
        self._per_s = per_s
        self._left = self._most
        self._at_ms = 0

    def take(self, now_ms: int, much: int = 1) -> bool:
        """Whether so much more is allowed; `now_ms` never goes back."""
        self._left = min(self._most, self._left + (now_ms - self._at_ms) / 1000 * self._per_s)
        self._at_ms = now_ms
        if self._left < much:
            return False
        self._left -= much
        return True
