"""A station that is killed again and again while people press and telemetry flows, and what came of all of it."""

import random
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support.air import Air, over_serial
from tests.support.cloud import Cloud
from tests.support.crash import STEPS
from tests.support.daemon import Daemon
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for
from tests.support.receiver import Receiver
from tests.support.rows import Rows
from tests.support.toll import Toll, doubled

AT_RANDOM = "at random"
PRESSES = 2
"""In each life, each of another wearable: while the daemon is dead, starts or works."""
PACE = 4.0
"""Presses are on the air 2.5 s instead of 10 s, heartbeats come every 0.5 s; a start is not compressed."""
LIFE_S = 2.5
"""The longest that ends at random, of those that do not end while the daemon is still starting."""
STARTING = 0.3
"""The share that may."""
BUSY = ("read", "decoded")
"""Steps that come with every packet, the others with an alert."""
SOON_S = 60.0


class Disk:
    """What the lanes have committed, also in files that are gone."""

    def __init__(self, data: Path) -> None:
        self.gaps_due = 0
        self._data = data
        self._known: set[str] = set()

    @property
    def numbered(self) -> set[str]:
        return self._known | self._lane("telemetry") | self._lane("alert")

    def end_life(self) -> None:
        """What the telemetry lane commits first after a kill is its gap: so one is due where it committed anything."""
        self.gaps_due += bool(self._known) and not self._lane("telemetry") <= self._known
        self._known = self.numbered

    def _lane(self, name: str) -> set[str]:
        if not (self._data / f"{name}.db").exists():
            return set()  # killed before it was made
        with Rows(self._data, name) as rows:
            return rows.numbered


def lives(folder: Path, ends: Sequence[str], seed: int, *, forgetful: bool = False) -> Toll:
    """One station's lives, each ended at a step of the road or AT_RANDOM. A forgetful one keeps nothing over a kill."""
    chance = random.Random(seed)
    wearables, soon = PRESSES * len(ends), 2.0 if forgetful else SOON_S
    with Mosquitto(folder) as broker, Receiver(folder / "receiver") as receiver, Cloud(broker, accept=True) as cloud:
        more = f"serial: [{{port: {receiver.path}, name: rx}}]\ntelemetry: {{commit_every: 100ms}}"
        daemon = Daemon(folder / "box", [broker.url], devices=wearables, more=more, program="tests.support.crash")
        disk = Disk(daemon.folder / "data")

        def heard(frame: bytes) -> None:
            receiver.write(frame, seconds=0.0)

        with daemon:
            with Air(wearables, over_serial(heard), pace=PACE, seed=seed) as air:
                cloud.wait(lambda c: len({each["device"] for each in c.readings()}) == wearables, SOON_S, "baselines")
                daemon.kill()
                for life, end in enumerate(ends):
                    disk.end_life()
                    if forgetful:
                        shutil.rmtree(daemon.folder / "data")
                    _live(daemon, end, air, PRESSES * life + 1, chance)
                disk.end_life()
                daemon.restart()
                with suppress(AssertionError):  # who is missing is counted
                    cloud.wait(lambda c: len(_pressed(c)) == wearables, soon)
            with suppress(AssertionError):
                cloud.wait(lambda c: disk.numbered <= _came(c), soon)
            disk.end_life()
        return _toll(len(ends) + 1, wearables, disk, cloud)


def _live(daemon: Daemon, end: str, air: Air, first: int, chance: random.Random) -> None:
    crash = f"{end}:{chance.randint(1, 60 if end in BUSY else 2)}"
    if end != AT_RANDOM:
        daemon.start(CRASH=crash)
    elif chance.random() < STARTING:
        daemon.start()
    else:
        daemon.restart()
    over = time.monotonic() + chance.uniform(0.0, LIFE_S)
    for number in range(first, first + PRESSES):
        time.sleep(chance.uniform(0.0, LIFE_S / PRESSES / 2))
        air.press(number)
    if end == AT_RANDOM:
        time.sleep(max(0.0, over - time.monotonic()))
        daemon.kill()
    wait_for(lambda: daemon.dead, SOON_S, f"death at {crash}")


def _toll(kills: int, presses: int, disk: Disk, cloud: Cloud) -> Toll:
    return Toll(
        cases=kills,
        sent=presses,
        arrived=len(_pressed(cloud)),
        doubled=doubled(cloud.alerts(kind="sos")),
        messages=len(disk.numbered),
        lost=len(disk.numbered - _came(cloud)),
        repeated=cloud.doubled,
        gaps=len(cloud.gaps(cause="crash")),
        due=disk.gaps_due,
        breaches=len(cloud.breaches),
    )


def _came(cloud: Cloud) -> set[str]:
    return {seen.body["id"] for seen in cloud.messages("") if "specversion" in seen.body}


def _pressed(cloud: Cloud) -> set[Any]:
    return {each["device"] for each in cloud.alerts(kind="sos")}


def drawn(count: int, chance: random.Random) -> list[str]:
    """At every step of the road about equally often, and as often at random."""
    ends = [*STEPS, *[AT_RANDOM] * len(STEPS)]
    found = [ends[number % len(ends)] for number in range(count)]
    chance.shuffle(found)
    return found
