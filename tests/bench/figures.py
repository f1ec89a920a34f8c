"""A measured figure beside the promised one, and the table they are printed in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """`runs` holds one value for each repetition; without a promise a figure is only told."""

    name: str
    unit: str
    runs: Sequence[float]
    promise: float | None = None
    more_is_better: bool = False

    @property
    def quietest(self) -> float:
        """The run that other work on the machine disturbed least."""
        return max(self.runs) if self.more_is_better else min(self.runs)

    @property
    def verdict(self) -> str:
        if self.promise is None:
            return ""
        kept = [run >= self.promise if self.more_is_better else run <= self.promise for run in self.runs]
        return "kept" if all(kept) else f"kept in {sum(kept)} of {len(kept)}" if any(kept) else "MISSED"

    def cells(self) -> tuple[str, ...]:
        spread = f"{_number(min(self.runs))} … {_number(max(self.runs))}" if len(self.runs) > 1 else ""
        sign = "≥" if self.more_is_better else "≤"
        promise = "" if self.promise is None else f"{sign} {_number(self.promise)}"
        return self.name, _number(self.quietest), spread, self.unit, promise, self.verdict


HEAD = ("figure", "measured", "all runs", "unit", "promised", "")


def table(figures: Iterable[Figure]) -> str:
    rows = [HEAD, *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join(_line(row, widths) for row in rows)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed: one that was measured, never in between."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    name, *rest, verdict = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
    return "  ".join([name.strip().ljust(widths[0]), *rest, verdict.strip()]).rstrip()


def _number(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
