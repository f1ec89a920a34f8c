"""What is given up is named: every number of an epoch arrives, or a gap says that it will not."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.bench.street import bands, frames
from tests.support.cloud import Cloud, Seen
from tests.support.daemon import Daemon
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for
from tests.support.receiver import Receiver

READINGS = 12_000


def lane_of(seen: Seen) -> str:
    return "alert" if "/alert/" in seen.topic else str(seen.body["data"].get("lane", "telemetry"))


def accounted_for(cloud: Cloud, lane: str, epoch: str) -> set[int]:
    """The numbers of one epoch that came, and those that a gap names."""
    numbers: set[int] = set()
    for seen in cloud.messages(""):
        if "specversion" in seen.body and lane_of(seen) == lane:
            made_in, _, number = seen.body["id"].rpartition("-")
            if made_in == epoch:
                numbers.add(int(number))
    for gap in cloud.gaps(lane=lane, epoch=epoch):
        if gap["first"] is not None:
            numbers |= set(range(gap["first"], gap["last"] + 1))
    return numbers


def given_up(cloud: Cloud) -> int:
    """Rows thinned or shed, of up to ten readings each."""
    return sum(gap["count"] for gap in cloud.gaps() if gap["cause"] in ("thinned", "shed"))


def kept(file: Path) -> int:
    """Bytes of the rows that wait."""
    with closing(sqlite3.connect(file)) as db:
        size: int = db.execute("SELECT SUM(LENGTH(topic) + LENGTH(payload)) FROM row").fetchone()[0]
        return size


def stand(state: dict[str, Any], lane: str) -> tuple[str, int]:
    return state["lanes"][lane]["epoch"], state["lanes"][lane]["next"]


def test_what_a_full_telemetry_file_gives_up_is_named_to_the_row(tmp_path: Path, receiver: Receiver) -> None:
    broker = Mosquitto(tmp_path)
    more = f"serial: [{{port: {receiver.path}, name: rx}}]\ntelemetry: {{cap: 1MiB, batch: 10}}"
    broker.start()
    with Cloud(broker) as cloud:
        broker.stop()
        with Daemon(tmp_path / "box", [broker.url], devices=100, more=more) as daemon:
            wait_for(lambda: daemon.log(event="link up"), 5)
            vitals = frames(bands(100))
            for _ in range(READINGS // len(vitals)):
                receiver.write(b"".join(vitals), seconds=20.0)
            assert daemon.stop() == 0  # what still waits in the terminal is heard after the restart
            assert kept(daemon.folder / "data" / "telemetry.db") <= 1 << 20
            broker.start()
            daemon.restart()
            epoch, following = stand(cloud.wait(lambda c: "lanes" in c.state() and c.state(), 20), "telemetry")
            wanted = set(range(1, following))
            cloud.wait(lambda c: wanted <= accounted_for(c, "telemetry", epoch), 30, "every number")
            cut = 1  # the frame that was half read when it stopped
            cloud.wait(lambda c: len(c.readings()) + 10 * given_up(c) >= READINGS - cut, 20, "every reading")
            assert 0 < len(cloud.readings()) < READINGS
            assert cloud.breaches == []
    broker.stop()
