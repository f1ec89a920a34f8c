"""What stays of many readings: of each minute those with the lowest, the highest and the last of each value. Pure.

A reading stays whole, as it was heard, or goes: nothing is made up.
"""

from collections.abc import Iterable

import msgspec


class Said(msgspec.Struct, frozen=True, gc=False):
    """One reading of a message. `minute` says whose it is and of which minute, `written` is how it stands there."""

    minute: str
    values: dict[str, float]
    written: bytes


_Numbered = tuple[int, Said]


class Thinning:
    """Takes readings in the order in which they were heard. Of equal values the latest stays: it is often the last."""

    def __init__(self) -> None:
        self._taken = 0
        self._lowest: dict[tuple[str, str], _Numbered] = {}
        self._highest: dict[tuple[str, str], _Numbered] = {}
        self._last: dict[tuple[str, str], _Numbered] = {}

    def take(self, said: Iterable[Said]) -> None:
        for each in said:
            self._taken += 1
            numbered = self._taken, each
            for metric, value in each.values.items():
                whose = each.minute, metric
                self._last[whose] = numbered
                lowest, highest = self._lowest.get(whose), self._highest.get(whose)
                if lowest is None or value <= lowest[1].values[metric]:
                    self._lowest[whose] = numbered
                if highest is None or value >= highest[1].values[metric]:
                    self._highest[whose] = numbered

    @property
    def kept(self) -> list[Said]:
        """What stays, in the order in which it was heard."""
        held = {number: said for which in (self._lowest, self._highest, self._last) for number, said in which.values()}
        return [held[number] for number in sorted(held)]
