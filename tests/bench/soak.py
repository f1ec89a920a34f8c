"""`python -m tests.bench.soak [--days N]`: days of messages in minutes, and what goes wrong in days; what grows?

A day is that of a station with 400 wearables, each with one reading a minute. In each, people press and are answered,
broker and database go and come, a receiver is unplugged, strangers pass by, and noise is on the line. Ends with 1 where
something grows beyond its bound.
"""

import argparse
import itertools
import json
import os
import random
import sys
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
TOLD = 15
"""Of so many looks one is told at once."""
RATE = 4_000.0
"""Readings a second, or as many as arrive."""
WAITING_MIB = 12.0
"""Of points for the database: on a machine that cannot keep up, the days wait. Its hour away makes 5."""
TALKING = 300
"""So many wearables send readings; the others press."""
SLICE = 32
"""Adverts written at once: fewer bytes than another writer could come between."""
WARM = 1.0
"""Days in which caches and rings fill; slopes are of the rest."""
A_DAYS_OUTAGE = 0.04
"""How much of a day the database is away: an hour."""
PROMISE_MIB = 1.0


class Watched:
    """One value after another, each with how many days had passed by then; it may grow by `slope` a day."""

    def __init__(
        self, name: str, unit: str, look: Callable[[], float], slope: float | None, most: float | None
    ) -> None:
        self.name, self.unit, self.look, self.slope, self.most = name, unit, look, slope, most
        self.seen: list[tuple[float, float]] = []

    def figures(self) -> Iterator[Figure]:
        settled = [(day, value) for day, value in self.seen if day >= WARM]
        yield Figure(f"{self.name}, after {WARM:g} day", self.unit, [settled[0][1]])
        yield Figure(f"{self.name}, most", self.unit, [max(value for _, value in self.seen)], self.most)
        yield Figure(f"{self.name}, slope", f"{self.unit}/day", [slope(least(settled))], self.slope)


def least(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The lowest value of each tenth of a day: what has leaked stays, and what a reconnection takes goes away."""
    tenths = itertools.groupby(points, lambda point: int(point[0] * 10))
    return [min(tenth, key=lambda point: point[1]) for _, tenth in tenths]


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
    """What happens at a station, each thing so often in a day; `today` says how many days have passed.

    Alerts are more than a station has of them: a fall that was none, for each wearable once a month, makes 13 a day.
    """

    def __init__(self, rig: Rig, database: VictoriaMetrics, chance: random.Random) -> None:
        self.today = 0.0
        self._rig, self._chance, self._database = rig, chance, database
        self._pressing = itertools.cycle(bands(DEVICES)[TALKING:])
        self._often: list[tuple[float, Callable[[], None]]] = [
            (20, self._press), (20, self._noise), (20, self._stranger), (1, self._replug), (1, self._restart_broker),
            (1, self._lose_database),
        ]  # fmt: skip

    def run(self, over: threading.Event) -> None:
        done = [0] * len(self._often)
        while not over.wait(0.05):
            for number, (a_day, do) in enumerate(self._often):
                if self.today * a_day >= done[number] + (number + 1) / (len(self._often) + 1):  # one after the other
                    done[number] += 1
                    do()

    def _press(self) -> None:
        each = next(self._pressing)
        each.press(Code.SOS, 0.0)
        self._rig.receiver.write(serial_frame(each.number, each.payload(Kind.EVENT)))

    def _noise(self) -> None:
        self._rig.noise.write(self._chance.randbytes(4_096), seconds=1.0)

    def _stranger(self) -> None:
        passing = Wearable(self._chance.getrandbits(32))
        with pipe(self._rig.pipe) as write:
            write(advert_line(passing.address, passing.payload(Kind.VITALS)))

    def _replug(self) -> None:
        self._rig.noise.unplug()
        self._rig.noise.plug()

    def _lose_database(self) -> None:
        self._database.stop()
        time.sleep(A_DAYS_OUTAGE * A_DAY / RATE)
        self._database.start()

    def _restart_broker(self) -> None:
        self._rig.broker.stop()
        self._rig.broker.start()


def soak(days: float) -> list[Figure]:
    """What became of the daemon in so many days."""
    with folder() as base, VictoriaMetrics(base) as database:
        (base / "token").write_text("s3cret")
        tally = base / "tasks"
        more = f"health_every: 5s\n{influx(database.url, base / 'token')}"
        rig = Rig(base, DEVICES, more=more, environment={"TALLY": str(tally)})
        with rig, CallCentre(rig.broker) as desk:
            watched = _watched(rig, tally)
            over, life = threading.Event(), Life(rig, database, random.Random(398))
            living = threading.Thread(target=life.run, args=(over,))
            living.start()
            try:
                _flow(rig, watched, life, days)
            finally:
                over.set()
                living.join()
            print(f"{desk.cleared} alerts went through their whole life")
        return [figure for each in watched for figure in each.figures()]


def _flow(rig: Rig, watched: list[Watched], life: Life, days: float) -> None:
    """Readings, and a look now and then."""
    packets = itertools.cycle(adverts(bands(TALKING)))
    waiting = _size(rig.data, "influx.db")
    began, looked, due, written = time.monotonic(), 0.0, 0.0, 0
    with pipe(rig.pipe) as write:
        while (today := written / A_DAY) < days:
            life.today, elapsed = today, time.monotonic() - began
            if elapsed >= due and waiting() < WAITING_MIB:
                write(b"".join(itertools.islice(packets, SLICE)))
                written, due = written + SLICE, max(due + SLICE / RATE, elapsed - SLICE / RATE)
            else:
                time.sleep(SLICE / RATE / 2)
            if elapsed >= looked + SAMPLE_S:
                looked = elapsed
                for each in watched:
                    each.seen.append((today, each.look()))
                if len(watched[0].seen) % TOLD == 0:
                    values = ", ".join(f"{each.name} {each.seen[-1][1]:.1f}" for each in watched)
                    print(f"{today:.2f} days: {values}", flush=True)


def _watched(rig: Rig, tally: Path) -> list[Watched]:
    pid = rig.daemon.pid
    wait_for(tally.exists, 10, "the tasks' tally")
    files = {
        "alert.db": 8.0, "telemetry.db": 16.0, "influx.db": 24.0, "story": 16.5, "recordings": 160.0, "quarantine": 2.0
    }  # fmt: skip
    return [
        Watched("resident memory", "MiB", rig.daemon.rss_mib, PROMISE_MIB, None),
        Watched("open descriptors", "", lambda: len(os.listdir(f"/proc/{pid}/fd")), 0.5, 64),
        Watched("threads", "", lambda: len(os.listdir(f"/proc/{pid}/task")), 0.5, 24),
        Watched("tasks", "", lambda: float(tally.read_text()), 0.5, 64),
        *(Watched(name, "MiB", _size(rig.data, name), None, most) for name, most in files.items()),
    ]


def _size(data: Path, name: str) -> Callable[[], float]:
    """Of everything whose name begins so: a database with its log, a folder with what is in it."""

    def size() -> float:
        found = [path for top in data.glob(f"{name}*") for path in (top, *top.rglob("*"))]
        return sum(os.path.getsize(path) for path in found if path.is_file()) / (1 << 20)

    return size


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.soak", description="What grows in days.")
    parser.add_argument("--days", type=float, default=4.0, metavar="N", help="how many, more than 1; default 4")
    days = parser.parse_args().days
    if days <= WARM:
        parser.error(f"--days: more than {WARM:g}, for that is how long its caches fill")
    figures = soak(days)
    print(f"\n{table(figures)}\n\n{days:g} days of {DEVICES} wearables; load {os.getloadavg()[0]:.1f}")
    return int(any(figure.verdict == "MISSED" for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
