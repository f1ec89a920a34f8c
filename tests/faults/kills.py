"""Kills at every named step of the road and at random, of many stations one after the other, one on each core."""

import os
import random
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tests.support.crash import STEPS
from tests.support.kills import drawn, lives
from tests.support.toll import Toll

OF_EACH = 20
"""Kills of one station. Its seed alone repeats what befell it: `kills --cases 20 --seed N`."""


def kills(cases: int, seed: int) -> bool:
    toll, well = Toll(), True
    sizes = [min(OF_EACH, cases - begun) for begun in range(0, cases, OF_EACH)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        stations = {pool.submit(_station, size, seed + number): seed + number for number, size in enumerate(sizes)}
        for ended in as_completed(stations):
            try:
                of_this = ended.result()
            except AssertionError as wrong:  # it did not start or die in time: the others go on
                well = False
                print(f"seed {stations[ended]}: {wrong}", flush=True)
                continue
            toll += of_this
            if not of_this.whole:
                print(f"seed {stations[ended]}: {of_this}", flush=True)
            if toll.cases % (5 * OF_EACH) == 0:
                print(f"so far {toll.cases:,} cases, {toll.sent:,} alerts sent, {toll.arrived:,} arrived", flush=True)
    print(toll, flush=True)
    forgetful = _control(seed)
    print(f"control: a station that keeps nothing over a kill lost {forgetful.lost} of {forgetful.messages} messages")
    return well and toll.whole and bool(forgetful.lost)


def _station(size: int, seed: int) -> Toll:
    with tempfile.TemporaryDirectory(prefix="station-kills-") as folder:
        return lives(Path(folder), drawn(size - 1, random.Random(seed)), seed)


def _control(seed: int) -> Toll:
    with tempfile.TemporaryDirectory(prefix="station-kills-") as folder:
        return lives(Path(folder), [*STEPS], seed, forgetful=True)
