"""`python -m tests.bench.peers [TRY…]`: this gateway and ThingsBoard's on the same work."""

import argparse
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.bench.figures import percentile
from tests.bench.peers import tries
from tests.bench.peers.side import Side
from tests.bench.peers.station import Station
from tests.bench.peers.thingsboard import PACKAGE, ThingsBoard
from tests.bench.rig import folder
from tests.support.mosquitto import BINARY

Values = dict[str, float | str]
Make = Callable[[Path], Side]


@dataclass(frozen=True)
class Try:
    run: Callable[[Side], Values]
    single: bool = False
    """One reading to a message on our side: the harder case for it."""
    small_disk: bool = False


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.peers", description="Measure beside a peer.")
    known = ", ".join(_tries(0, 0))
    parser.add_argument("tries", nargs="*", metavar="TRY", help=f"of {known}; all where none is named")
    parser.add_argument("--kills", type=int, default=5, metavar="N", help="of each; default 5")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the moments at which they are killed")
    args = parser.parse_args()
    every = _tries(args.kills, args.seed)
    if strange := set(args.tries) - set(every):
        parser.error(f"no such try: {', '.join(sorted(strange))}")
    if not PACKAGE.joinpath("version.py").exists():
        parser.error("ThingsBoard's gateway is not there: sh tests/bench/peers/run.sh sets it up")
    rows = list[tuple[str, str, str, str]]()
    for name in args.tries or every:
        each = every[name]
        print(f"trying {name} …", flush=True)
        ours, versions = _run(partial(Station, devices=tries.DEVICES, single=each.single), each)
        theirs, their_versions = _run(partial(ThingsBoard, devices=tries.DEVICES), each)
        rows += [(what, _cell(value), _cell(theirs[what]), _ratio(theirs[what], value)) for what, value in ours.items()]
    _print([("", versions, their_versions, "theirs / ours"), *rows])
    print(f"\n{_mosquitto()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, kills seed {args.seed}")


def _run(make: Make, each: Try) -> tuple[Values, str]:
    with folder() as base:
        side = make(base)
        if not each.small_disk:
            with side:
                return each.run(side), f"{side.name} {side.version}"
        with tries.small_disk(side.keep), side:
            return each.run(side), f"{side.name} {side.version}"


def _tries(kills: int, seed: int) -> dict[str, Try]:
    return {
        "flat-out": Try(_flat_out),
        "paced": Try(lambda side: {f"processor time a reading, µs, {tries.RATE:.0f}/s": tries.paced_cpu(side)}),
        "idle": Try(lambda side: _latencies("idle", tries.idle(side))),
        "behind": Try(lambda side: _latencies(f"behind {tries.BACKLOG:,} readings", tries.behind(side)), single=True),
        "killed": Try(lambda side: _loss(f"{kills} kills", tries.killed(side, kills, seed))),
        "outage": Try(lambda side: _loss("outage (control)", tries.outage(side, full=False)), small_disk=True),
        "full": Try(lambda side: _loss("full disk", tries.outage(side, full=True)), small_disk=True),
    }


def _flat_out(side: Side) -> Values:
    found = tries.flat_out(side)
    return {
        "readings a second, whole path": found.rate,
        "processor time a reading, µs, flat out": found.cpu_us,
        "resident after it, MiB": found.rss_mib,
    }


def _latencies(when: str, found: list[float]) -> Values:
    shares = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {f"press to far end, {when}, {name}, ms": percentile(found, share) for name, share in shares.items()}


def _loss(when: str, found: tries.Lost) -> Values:
    readings = found.readings
    return {
        f"{when}: presses lost": f"{found.presses_lost} of {found.pressed}",
        f"{when}: readings lost": f"{readings.lost:,} of {readings.said:,}",
        f"{when}: readings twice": f"{readings.twice:,}",
        f"{when}: what was told": found.told,
    }


def _cell(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _ratio(theirs: float | str, ours: float | str) -> str:
    if isinstance(theirs, str) or isinstance(ours, str) or not ours:
        return ""
    return f"{theirs / ours:.3g}"


def _print(rows: list[tuple[str, str, str, str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for name, *cells in rows:
        aligned = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        print("  ".join([name.ljust(widths[0]), *aligned]).rstrip())


def _mosquitto() -> str:
    return subprocess.run([BINARY, "-h"], capture_output=True, text=True, check=False).stdout.split("\n")[0]


if __name__ == "__main__":
    main()
