"""`python -m tests.bench.days [--days N] [--wearables N] [--seed N]`: a street through many days, in virtual time."""

import argparse
import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from gateway.cli.street import Code
from tests.bench.town import DAY, HOUR, SECOND, Band, Town

SHM = Path("/dev/shm")
QUIET_MS = 8 * HOUR
"""At the end nothing more happens, and everybody is at home: what is under way must arrive."""
SERVICES = (Code.SHOPPING, Code.RIDE, Code.CALLBACK)


class Life:
    """What happens to people and boxes, drawn for the whole time beforehand."""

    def __init__(self, town: Town, days: float) -> None:
        self._town, self._chance = town, town.chance
        self._days, self._until = days, int(days * DAY) - QUIET_MS

    def plan(self) -> None:
        for band in self._town.bands:
            self._each(0.15, lambda band=band: self._sos(band))  # type: ignore[misc]
            self._each(0.08, lambda band=band: self._fall(band))  # type: ignore[misc]
            self._each(0.3, lambda band=band: self._town.happen(band, self._chance.choice(SERVICES)))  # type: ignore[misc]
            self._each(0.03, lambda band=band: self._town.happen(band, Code.TEST))  # type: ignore[misc]
            self._each(0.5, lambda band=band: self._night(band))  # type: ignore[misc]
            self._each(0.05, lambda band=band: self._flat(band))  # type: ignore[misc]
            self._each(0.03, lambda band=band: self._town.power_up(band))  # type: ignore[misc]
            self._each(0.3, lambda band=band: self._walk(band))  # type: ignore[misc]
            self._each(0.03, lambda band=band: self._town.play(band, self._chance.choice("ab")))  # type: ignore[misc]
            self._each(0.003, lambda band=band: self._storm(band))  # type: ignore[misc]
        for name in self._town.boxes:
            self._each(1.5, lambda name=name: self._town.crash_soon(name))  # type: ignore[misc]
            self._each(1.0, lambda name=name: self._town.go_down(name, self._ms(2, 20), power=False))  # type: ignore[misc]
            self._each(0.5, lambda name=name: self._town.go_down(name, self._ms(30, 1_800), power=True))  # type: ignore[misc]
            self._each(1.0, lambda name=name: self._town.lose_broker(name, self._ms(60, 7_200)))  # type: ignore[misc]
        self._each(0.5, self._desks_away)
        self._town.after(self._until, self._everybody_home)

    def _each(self, a_day: float, do: Callable[[], object]) -> None:
        """So often a day, at any time."""
        ms = 0.0
        while (ms := ms + self._chance.expovariate(a_day / DAY)) < self._until:
            self._town.after(int(ms), do)  # type: ignore[arg-type]

    def _ms(self, low: float, high: float) -> int:
        return self._chance.randrange(int(low * SECOND), int(high * SECOND))

    def _sos(self, band: Band) -> None:
        """In three of ten cases she presses again, before or after somebody has answered."""
        if self._town.happen(band, Code.SOS) and self._chance.random() < 0.3:
            self._town.after(self._ms(0.5, 120), lambda: self._town.happen(band, Code.SOS, double=True))

    def _fall(self, band: Band) -> None:
        """She gets up and says so, or presses, or lies there; one in ten says so too late."""
        if not self._town.happen(band, Code.FALL):
            return
        what = self._chance.random()
        if what < 0.5:
            late = self._chance.random() < 0.1
            delay = self._ms(21, 60) if late else self._ms(3, 15)
            self._town.after(delay, lambda: self._town.happen(band, Code.FALL_CANCELLED))
        elif what < 0.6:
            self._town.after(self._ms(3, 15), lambda: self._town.happen(band, Code.SOS, double=True))

    def _night(self, band: Band) -> None:
        self._town.happen(band, Code.TAKEN_OFF)
        self._town.after(self._ms(3_600, 8 * 3_600), lambda: self._town.happen(band, Code.PUT_ON))

    def _flat(self, band: Band) -> None:
        band.wearable.low_battery = True
        self._town.after(self._ms(3_600, 10_000), lambda: setattr(band.wearable, "low_battery", False))

    def _walk(self, band: Band) -> None:
        """To the other station, or out of all reach; between the two, both hear her."""
        if band.place != band.home:
            return
        there = "away" if self._chance.random() < 0.3 else "ba"[band.home == "b"]
        band.place = "both"
        self._town.after(self._ms(60, 300), lambda: self._go(band, there))
        stay = self._ms(1_200, 10_800)
        self._town.after(stay, lambda: self._go(band, "both"))
        self._town.after(stay + self._ms(60, 300), lambda: self._go(band, band.home))

    def _go(self, band: Band, place: str) -> None:
        band.place = place
        self._town.beat(band)

    def _storm(self, band: Band) -> None:
        for _ in range(10):
            self._town.after(self._ms(0, 1_800), lambda: self._town.happen(band, Code.SOS, double=True))

    def _desks_away(self) -> None:
        self._town.desks.away = True
        self._town.after(self._ms(300, 3_600), lambda: self._town.desks.come_back(self._town.world.ms))

    def _everybody_home(self) -> None:
        for band in self._town.bands:
            band.place = band.home
            band.wearable.low_battery = False


def live(days: float, wearables: int, seed: int) -> Town:
    """A town after so many days; its truth says what was right and what was not."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        with tempfile.TemporaryDirectory(dir=SHM if SHM.is_dir() else None) as folder:
            town = Town(Path(folder), wearables, seed)
            Life(town, days).plan()
            town.begin()
            town.run(int(days * DAY))
            for box in town.boxes.values():
                box.station.kill()
    finally:
        structlog.reset_defaults()
    return town


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.days", description="A street through many days.")
    parser.add_argument("--days", type=float, default=20)
    parser.add_argument("--wearables", type=int, default=400)
    parser.add_argument("--seed", type=int, default=398)
    args = parser.parse_args()
    began = time.monotonic()
    town = live(args.days, args.wearables, args.seed)
    print(f"{args.wearables} wearables, {args.days:g} days, seed {args.seed}, in {time.monotonic() - began:.0f} s")
    desks = town.desks
    print(f"{town.frames:,} frames heard, {town.crashes} boxes down, {town.outages} outages of a broker,", end=" ")
    print(f"{desks.said:,} words of desks, {desks.duplicates} duplicates dropped\n")
    print(town.truth.table())
    for wrong in town.truth.wrong[:20]:
        print(wrong)


if __name__ == "__main__":
    main()
