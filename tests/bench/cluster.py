"""`python -m tests.bench.cluster [--broker NAME] [--nodes N] [--stations N] [--wearables N] [--seconds N] [--seed N]`:
a cluster loses a node while many stations publish; is anything lost at those who keep a session there?

Every station is a whole daemon with a serial receiver of its own. Ends with 1 where anything was lost or doubled.
"""

import argparse
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gateway.cli.street import Wearable, serial_frame
from tests.bench.rig import folder
from tests.support.air import Air
from tests.support.brokers import Nats, Packaged, Rabbit
from tests.support.daemon import Daemon, faults
from tests.support.platform import Platform
from tests.support.processes import wait_for
from tests.support.receiver import Receiver
from tests.support.rows import Rows

CLUSTERS = {"nats": Nats.cluster, "rabbitmq": Rabbit.cluster}
LANES = ("alert", "telemetry")
PRESSES_A_S = 10.0
"""Or fewer, so that they last for the whole time: each wearable is pressed once."""
UP_S, DRAINED_S = 120.0, 240.0


@dataclass(frozen=True)
class Size:
    nodes: int = 3
    stations: int = 40
    wearables: int = 8_076
    seconds: float = 90.0


class Town:
    """Stations, each with its share of the wearables, a receiver that hears them, and the nodes in another order."""

    def __init__(self, base: Path, nodes: Sequence[Packaged], size: Size, seed: int) -> None:
        self.pressed: dict[tuple[str, str], float] = {}
        """When, by station and device."""
        self.daemons: list[Daemon] = []
        self._receivers: list[Receiver] = []
        self._homes: list[int] = []
        for station in range(size.stations):
            first = len(self._homes) + 1
            self._homes += [station] * (size.wearables * (station + 1) // size.stations - len(self._homes))
            self._receivers.append(Receiver(base / f"receiver-{station}"))
            self.daemons.append(
                Daemon(
                    base / f"box-{station}",
                    [nodes[(station + place) % size.nodes].url for place in range(size.nodes)],
                    devices=len(self._homes) - first + 1,
                    first=first,
                    station=f"station-{station:02}",
                    version="3.1.1",
                    more=f"serial: [{{port: {self._receivers[-1].path}, name: rx}}]",
                )
            )
        self._air = Air(size.wearables, self._hear, seed=seed)
        self._index = {wearable.number: index for index, wearable in enumerate(self._air.bands)}

    @contextmanager
    def running(self) -> Iterator[None]:
        with ExitStack() as stack:
            for receiver in self._receivers:
                stack.enter_context(receiver)
            for daemon in self.daemons:
                stack.push(daemon)
                daemon.start()
            for daemon in self.daemons:
                wait_for(lambda daemon=daemon: daemon.log(event="connected"), UP_S, f"{daemon.station} is connected")
            yield

    @contextmanager
    def awake(self) -> Iterator[None]:
        with self._air:
            yield

    def press(self, number: int) -> None:
        self._air.press(number)
        station = self._homes[number - 1]
        self.pressed[f"station-{station:02}", f"band-{number:04}"] = time.monotonic()

    def committed(self) -> set[str]:
        """The ids of all messages that any station has ever committed."""
        found: set[str] = set()
        for daemon in self.daemons:
            for lane in LANES:
                with Rows(daemon.folder / "data", lane) as rows:
                    found |= rows.numbered
        return found

    def _hear(self, wearable: Wearable, payload: bytes) -> None:
        station = self._homes[self._index[wearable.number]]
        self._receivers[station].write(serial_frame(wearable.number, payload), seconds=0.0)


@dataclass(frozen=True)
class Outcome:
    """What the stations had committed, and what of it one platform has."""

    where: str
    committed: int
    delivered: int
    lost: int
    repeated: int
    """Came again under their number, which is dropped."""
    presses: int
    arrived: int
    doubled: int
    """Presses that came as more than one alert."""
    longest_pause_s: float
    slowest_s: float
    sessions_lost: int

    @property
    def whole(self) -> bool:
        return not self.lost and not self.doubled and self.arrived == self.presses

    def __str__(self) -> str:
        return (
            f"{self.where}: {self.committed:,} messages committed, {self.delivered:,} delivered, {self.lost:,} lost, "
            f"{self.repeated:,} came again; {self.presses:,} presses, {self.arrived:,} arrived, "
            f"{self.presses - self.arrived} lost, {self.doubled} doubled; longest pause {self.longest_pause_s:.1f} s, "
            f"slowest press {self.slowest_s:.1f} s; its session was lost {self.sessions_lost} times"
        )


def cluster(base: Path, broker: str, size: Size, seed: int) -> list[Outcome]:
    """A third of the time with all nodes, a third with one killed, a third with it back."""
    chance = random.Random(seed)
    nodes = CLUSTERS[broker](base, size.nodes)
    victim = chance.randrange(size.nodes)
    around = [*nodes[victim:], *nodes[:victim]]
    town = Town(base, nodes, size, seed)
    with ExitStack() as stack:
        for node in nodes:
            stack.enter_context(node)
        there = stack.enter_context(Platform("at-the-one-killed", around))
        elsewhere = stack.enter_context(Platform("at-another", [*around[1:], around[0]], accepts=True))
        platforms = (there, elsewhere)
        for platform in platforms:
            assert platform.subscribed.wait(UP_S), "the cluster lets somebody subscribe"
        stack.enter_context(town.running())
        with town.awake():
            _happen(town, nodes[victim], size, chance)
            with suppress(AssertionError):  # who is missing is counted
                wait_for(lambda: all(town.pressed.keys() <= each.first.keys() for each in platforms), DRAINED_S)
        committed: set[str] = set()

        def all_there() -> bool:
            nonlocal committed
            committed = town.committed()
            return all(committed <= each.came.keys() for each in platforms)

        with suppress(AssertionError):
            wait_for(all_there, DRAINED_S)
        still = Counter(fault for daemon in town.daemons for fault in faults(daemon))
        print(f"faults that are still open: {', '.join(f'{name} at {count}' for name, count in still.items())}")
        return [_outcome(each, committed, town) for each in platforms]


def _happen(town: Town, victim: Packaged, size: Size, chance: random.Random) -> None:
    """Presses all the time, each of another wearable, and the death and return of a node."""
    waiting = list(range(1, size.wearables + 1))
    chance.shuffle(waiting)
    rate = min(PRESSES_A_S, size.wearables / size.seconds)
    began = time.monotonic()
    with ThreadPoolExecutor(1) as meanwhile:
        dying = meanwhile.submit(_die_and_return, victim, size.seconds)
        while (now := time.monotonic() - began) < size.seconds or not dying.done():
            if waiting and len(town.pressed) < now * rate:
                town.press(waiting.pop())
            time.sleep(0.01)
        dying.result()


def _die_and_return(node: Packaged, seconds: float) -> None:
    for turn in (node.kill, node.start):
        time.sleep(seconds / 3)
        turn()


def _outcome(platform: Platform, committed: set[str], town: Town) -> Outcome:
    came, pressed = platform.came, town.pressed
    waited = [platform.first[who] - at for who, at in pressed.items() if who in platform.first]
    return Outcome(
        where=platform.name,
        committed=len(committed),
        delivered=len(committed & came.keys()),
        lost=len(committed - came.keys()),
        repeated=came.total() - len(came),
        presses=len(pressed),
        arrived=len(waited),
        doubled=sum(len(platform.alerts[who]) > 1 for who in pressed),
        longest_pause_s=platform.longest_pause_s,
        slowest_s=max(waited, default=0.0),
        sessions_lost=platform.sessions_lost,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.cluster", description="A cluster that loses a node.")
    parser.add_argument("--broker", choices=CLUSTERS, default="nats")
    for name, default in vars(Size()).items():
        parser.add_argument(f"--{name}", type=type(default), default=default, metavar="N", help=f"default {default}")
    parser.add_argument("--seed", type=int, default=398, metavar="N")
    args = parser.parse_args()
    size = Size(args.nodes, args.stations, args.wearables, args.seconds)
    print(f"{args.broker}, {size}, seed {args.seed}", flush=True)
    with folder() as base:
        outcomes = cluster(base, args.broker, size, args.seed)
    print(*outcomes, f"load {os.getloadavg()[0]:.1f}", sep="\n")
    sys.exit(not all(each.whole for each in outcomes))


if __name__ == "__main__":
    main()
