"""`python -m tests.bench.soak [--minutes N]`: days of messages in minutes, and what goes wrong in days; what grows?

A day is that of a station with 400 wearables, each with one reading a minute. Meanwhile people press and are answered,
the broker and the database go and come, a receiver is unplugged, strangers pass by, and noise is on the line.
"""

import argparse
import itertools
import json
import os
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from gateway.cli.street import Code, Kind, Wearable, advert_line, serial_frame
from tests.bench.figures import Figure, table
from tests.bench.listeners import BASE
from tests.bench.rig import Rig, folder
from tests.bench.street import adverts, bands, pipe
from tests.support.database import VictoriaMetrics, influx
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for

DEVICES = 400
A_DAY = DEVICES * 24 * 60
SAMPLE_S = 2.0
RATE = 4_000.0
"""Readings a second, or as many as the daemon takes."""
TALKING = 300
"""So many wearables send readings; the others press."""
SLICE = 40
WARM = 0.25
"""The share of the run in which caches fill; slopes are of the rest."""
PROMISE_MIB = 1.0
TALLY = Path(__file__).parent / "tally"


class Watched:
    """One value after another, each with how many days had passed by then."""

    def __init__(self, name: str, unit: str, look: Callable[[], float], promise: float | None = None) -> None:
        self.name, self.unit, self.look, self.promise = name, unit, look, promise
        self.seen: list[tuple[float, float]] = []

    def figures(self) -> Iterator[Figure]:
        settled = self.seen[int(len(self.seen) * WARM) :]
        yield Figure(f"{self.name}, at the end", self.unit, [self.seen[-1][1]])
        yield Figure(f"{self.name}, slope", f"{self.unit}/day", [slope(settled)], self.promise)


def slope(points: Sequence[tuple[float, float]]) -> float:
    """By least squares."""
    middle = sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)
    spread = sum((x - middle[0]) ** 2 for x, _ in points)
    return sum((x - middle[0]) * (y - middle[1]) for x, y in points) / spread


class CallCentre:
    """Accepts what is raised and clears what is accepted."""

    def __init__(self, broker: Mosquitto) -> None:
        self.cleared = 0
        self._broker = broker
        self._client = Client(CallbackAPIVersion.VERSION2, "desk")
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe(f"{BASE}/alert/+", 1)
        self._client.on_message = self._answer

    def __enter__(self) -> Self:
        self._client.connect("localhost", self._broker.port)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _answer(self, client: Client, _: object, message: MQTTMessage) -> None:
        state = json.loads(message.payload)["data"]["state"]
        self.cleared += state == "cleared"
        if action := {"raised": "accept", "accepted": "clear"}.get(state):
            ack = {"v": 1, "id": str(uuid.uuid4()), "action": action, "by": "desk-1"}
            client.publish(f"{message.topic}/ack", json.dumps(ack), 1)


class Life:
    """What happens in days, each thing every so many seconds."""

    def __init__(self, rig: Rig, database: VictoriaMetrics, chance: random.Random) -> None:
        self._rig, self._chance = rig, chance
        self._database = itertools.cycle([lambda: None] * 4 + [database.stop, database.start])
        self._pressing = itertools.cycle(bands(DEVICES)[TALKING:])
        self.events = {
            1.0: self._press, 2.0: self._noise, 3.0: self._strangers, 10.0: self._turn_database, 20.0: self._replug,
            45.0: self._restart_broker,
        }  # fmt: skip

    def run(self, over: threading.Event) -> None:
        due = {every: time.monotonic() + every for every in self.events}
        while not over.wait(0.05):
            for every, at in due.items():
                if time.monotonic() >= at:
                    due[every] = time.monotonic() + every
                    self.events[every]()

    def _press(self) -> None:
        each = next(self._pressing)
        each.press(Code.SOS, 0.0)
        self._rig.receiver.write(serial_frame(each.number, each.payload(Kind.EVENT)))

    def _noise(self) -> None:
        self._rig.noise.write(self._chance.randbytes(4_096), seconds=1.0)

    def _strangers(self) -> None:
        passing = [Wearable(self._chance.getrandbits(32)) for _ in range(20)]
        with pipe(self._rig.pipe) as write:
            for each in passing:
                write(advert_line(each.address, each.payload(Kind.VITALS)))

    def _replug(self) -> None:
        self._rig.noise.unplug()
        self._rig.noise.plug()

    def _turn_database(self) -> None:
        """Away for 10 s in each minute."""
        next(self._database)()

    def _restart_broker(self) -> None:
        self._rig.broker.stop()
        self._rig.broker.start()


def soak(minutes: float) -> tuple[float, list[Figure]]:
    """How many days' readings went through, and what became of the daemon."""
    with folder() as base, VictoriaMetrics(base) as database:
        (base / "token").write_text("s3cret")
        tally = base / "tasks"
        environment = {"PYTHONPATH": f"{TALLY}:{Path.cwd()}", "TALLY": str(tally)}
        more = f"health_every: 5s\n{influx(database.url, base / 'token')}"
        rig = Rig(base, DEVICES, more=more, environment=environment)
        with rig, CallCentre(rig.broker) as desk:
            watched = _watched(rig, tally)
            over = threading.Event()
            life = threading.Thread(target=Life(rig, database, random.Random(398)).run, args=(over,))
            life.start()
            try:
                days = _flow(rig, watched, minutes * 60)
            finally:
                over.set()
                life.join()
            print(f"{desk.cleared} alerts went through their whole life")
        return days, [figure for each in watched for figure in each.figures()]


def _flow(rig: Rig, watched: list[Watched], seconds: float) -> float:
    """Readings, and a look now and then; returns the days that they are worth."""
    packets = itertools.cycle(adverts(bands(TALKING)))
    began, looked, written = time.monotonic(), 0.0, 0
    with pipe(rig.pipe) as write:
        while (elapsed := time.monotonic() - began) < seconds:
            if written < elapsed * RATE:
                write(b"".join(itertools.islice(packets, SLICE)))
                written += SLICE
            else:
                time.sleep(SLICE / RATE)
            if elapsed >= looked + SAMPLE_S:
                looked = elapsed
                for each in watched:
                    each.seen.append((written / A_DAY, each.look()))
    return written / A_DAY


def _watched(rig: Rig, tally: Path) -> list[Watched]:
    pid = rig.daemon.pid
    wait_for(tally.exists, 10, "the tasks' tally")
    files = ("alert.db", "telemetry.db", "influx.db", "story", "recordings", "quarantine")
    return [
        Watched("resident memory", "MiB", rig.daemon.rss_mib, PROMISE_MIB),
        Watched("open descriptors", "", lambda: len(os.listdir(f"/proc/{pid}/fd"))),
        Watched("threads", "", lambda: len(os.listdir(f"/proc/{pid}/task"))),
        Watched("tasks", "", lambda: float(tally.read_text())),
        *(Watched(name, "MiB", _size(rig.data, name)) for name in files),
    ]


def _size(data: Path, name: str) -> Callable[[], float]:
    """Of everything whose name begins so: a database with its log, a folder with what is in it."""

    def size() -> float:
        found = [path for top in data.glob(f"{name}*") for path in (top, *top.rglob("*"))]
        return sum(os.path.getsize(path) for path in found if path.is_file()) / (1 << 20)

    return size


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.soak", description="What grows in days.")
    parser.add_argument("--minutes", type=float, default=10.0, metavar="N", help="how long; default 10")
    days, figures = soak(parser.parse_args().minutes)
    print(f"\n{table(figures)}\n\n{days:.2f} days of {DEVICES} wearables; load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
