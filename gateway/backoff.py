"""Full jitter: a wait is drawn from nought to a ceiling that doubles, so that boxes do not return in step."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds. `delay(attempt, chance)` wants attempt 0, 1, 2, … and chance in [0, 1)."""

    base: float
    cap: float
    floor: float = 0.0

    def delay(self, attempt: int, chance: float) -> float:
        ceiling = min(self.cap, self.base * 2.0 ** min(attempt, 32))
        return self.floor + chance * max(0.0, ceiling - self.floor)
