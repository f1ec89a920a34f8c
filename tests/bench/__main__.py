"""`python -m tests.bench [FIGURE…] [--runs N]`: what was measured on this machine, beside what is promised."""

import argparse
import os
from collections.abc import Callable, Iterator

from tests.bench import backlog, callback, cloud, flood, flow, formats, load, press, start, watching
from tests.bench.figures import Figure, table

BENCHES: dict[str, Callable[[int], Iterator[Figure]]] = {
    "press": press.idle,
    "press-draining": press.draining,
    "press-asked": press.asked,
    "flood": flood.flood,
    "cloud": cloud.cloud,
    "press-slow": press.slow,
    "press-silent": press.silent,
    "flow": flow.flow,
    "drain": backlog.drain,
    "cpu": load.processor,
    "memory": load.memory,
    "start": start.start,
    "formats": formats.formats,
    "callback": callback.cost,
    "crowd": callback.crowd,
    "watching": watching.watching,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure the daemon.")
    known = f"of {', '.join(BENCHES)}; all where none is named"
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=known)
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="repetitions of each; default 3")
    args = parser.parse_args()
    if strange := set(args.figures) - set(BENCHES):
        parser.error(f"no such figure: {', '.join(sorted(strange))}")
    measured: list[Figure] = []
    for name in args.figures or BENCHES:
        print(f"measuring {name} …", flush=True)
        measured += BENCHES[name](args.runs)
    print(f"\n{table(measured)}\n\n{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
