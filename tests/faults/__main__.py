"""`python -m tests.faults [LOOP…] [--cases N] [--seed N]`: what breaks a station, again and again. Ends with 1 where
anything was lost or doubled, or where a control lost nothing."""

import argparse
import sys
from collections.abc import Callable

from tests.faults import corruption, kills, power_cuts

LOOPS: dict[str, tuple[Callable[[int, int], bool], int]] = {
    "kills": (kills.kills, 1_000),
    "corruption": (corruption.corruption, 1_000),
    "power-cuts": (power_cuts.power_cuts, 30),
}
"""Each with its number of cases; it says whether all was well."""
SEED = 20_261_125


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="Break a station, again and again.")
    parser.add_argument("loops", nargs="*", metavar="LOOP", help=f"of {', '.join(LOOPS)}; all where none is named")
    long = ", ".join(f"{cases:,} {name}" for name, (_, cases) in LOOPS.items())
    parser.add_argument("--cases", type=int, metavar="N", help=f"of each loop; default {long}")
    parser.add_argument("--seed", type=int, default=SEED, metavar="N", help=f"default {SEED}")
    args = parser.parse_args()
    if strange := set(args.loops) - set(LOOPS):
        parser.error(f"no such loop: {', '.join(sorted(strange))}")
    well = True
    for name in args.loops or LOOPS:
        loop, cases = LOOPS[name]
        print(f"{name}: seed {args.seed}", flush=True)
        well &= loop(cases if args.cases is None else args.cases, args.seed)
    sys.exit(not well)


if __name__ == "__main__":
    main()
