"""A thousand spoiled files, opened one after the other: how many opened, and how much of them was saved."""

import random
from collections.abc import Iterator

import structlog

from tests.bench.figures import Figure
from tests.bench.rig import folder
from tests.support.corruption import ROWS, filled, spoil, survives

CASES = 1_000
SEED = 20_261_125


def corruption(runs: int) -> Iterator[Figure]:
    """An AssertionError ends it where a file does not open, or holds what nobody wrote."""
    structlog.configure(processors=[structlog.testing.LogCapture()])
    saved = []
    for run in range(runs):
        chance = random.Random(SEED + run)
        for case in range(CASES // runs):
            with folder() as base:
                written, done = filled(base), spoil(base, chance)
                print(f"\r{run * (CASES // runs) + case + 1} files, seed {SEED + run}: {done:40}", end="", flush=True)
                saved.append(100 * survives(base, written) / ROWS)
    print()
    yield Figure("rows saved of a spoiled file, mean", "%", [sum(saved) / len(saved)])
    yield Figure("rows saved of a spoiled file, least", "%", [min(saved)])
