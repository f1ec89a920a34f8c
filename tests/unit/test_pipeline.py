"""From a packet to the desk and the telemetry, and back: a device is answered only once its word is on the disk."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

from drivers.base import Auth, Decoded, Edge, Measurement, Metric, Occurrence, OccurrenceKind, Packet, Said, Write
from drivers.framing import LineFraming
from drivers.registry import Profiles
from drivers.serial_port import SerialPort
from gateway.counters import SPACE, Counters
from gateway.episodes import Episodes
from gateway.evidence import Evidence
from gateway.health import LinkCounters
from gateway.normalise import Normaliser, Secrets
from gateway.pipeline import Pipeline
from gateway.quarantine import Quarantine
from gateway.recorder import Recorder
from gateway.roster import Device, Roster
from gateway.telemetry import Grouping, Telemetry
from gateway.tray import Then
from gateway.writes import Replies
from tests.support.inside import Office, StillClock, open_lane, open_office
from tests.support.receiver import Receiver

WATCH = "8800000015"
ROSTER = Roster((Device(id="watch-0001", address=WATCH, wearer="w-7f3a"),), {"watch-0001": b"k" * 16})
LINK = "serial:a"


class Format:
    """Lines: `AL7`, the seventh alarm, and `LK`, a sign of life, each repeated until it is answered; `HR7`, a pulse
    under the seventh authenticated number.
    """

    @staticmethod
    def decode(packet: Packet) -> Decoded:
        word, number = packet.payload[:2], int(packet.payload[2:] or b"0")
        match word:
            case b"AL":
                said = Said((Occurrence(OccurrenceKind.SOS, Edge(number)),), reply=b"AL\n")
            case b"HR":
                said = Said((Measurement(Metric.HEART_RATE, 72),), auth=Auth.OK, counter=number)
            case _:
                said = Said(reply=b"LK\n")
        return Decoded("watch", WATCH, None, said)

    @staticmethod
    def relayed(_packet: Packet, _decoded: Decoded) -> tuple[Packet, ...]:
        return ()


@asynccontextmanager
async def listening(folder: Path, office: Office, port: SerialPort) -> AsyncIterator[Pipeline]:
    """The inside half of a station with one serial receiver, desk and all."""
    async with open_lane(folder, "telemetry") as lane:
        telemetry = Telemetry(lane, office.wire, office.clock, Grouping())
        counters = Counters(ROSTER.key_of)
        counters.load(lane.outbox._rows.taking.records(SPACE))
        normalise = Normaliser(ROSTER, Episodes(), counters, Secrets(None, b"box"), office.clock)
        replies = Replies({LINK: port}, lambda do: office.desk.put(Then(do)))
        recorder = Recorder(folder / "recordings", office.clock.now, office.faults)
        evidence = Evidence(Quarantine(folder / "quarantine.jsonl"), recorder)
        profiles = cast("Profiles", Format())
        pipeline = Pipeline(profiles, normalise, office.desk, telemetry, evidence, replies, {LINK: None})
        up = asyncio.Event()
        tasks = [asyncio.create_task(office.desk.run()), asyncio.create_task(port.run(pipeline, up.set))]
        await up.wait()
        try:
            yield pipeline
            await telemetry.commit()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


def rows(file: Path) -> int:
    """Messages that the file holds for whoever opens it now."""
    with sqlite3.connect(file) as database:
        return int(database.execute("SELECT COUNT(*) FROM row").fetchone()[0])


class Observed(SerialPort):
    """A port that notes how many messages the file holds whenever something is written to it."""

    def __init__(self, path: Path, file: Path) -> None:
        super().__init__(LINK, str(path), "watch", LineFraming(b"\n", 64), StillClock().now)
        self.held: list[int] = []
        self._file = file

    async def write(self, write: Write) -> None:
        self.held.append(rows(self._file))
        await super().write(write)


def test_a_watch_is_answered_only_once_its_alarm_is_in_the_file_and_again_when_it_repeats_itself(
    tmp_path: Path,
) -> None:
    file = tmp_path / "alert.db"

    async def run() -> None:
        with Receiver(tmp_path / "rx") as receiver:
            port = Observed(receiver.path, file)
            async with open_office(tmp_path) as office, listening(tmp_path, office, port):
                holder = sqlite3.connect(file, isolation_level=None)
                holder.execute("BEGIN IMMEDIATE")  # somebody else has the file: no commit goes through
                receiver.write(b"AL7\nLK\n")
                await until(lambda: office.desk._taken)
                await asyncio.sleep(0.3)
                assert (port.held, rows(file)) == ([], 0)
                holder.execute("ROLLBACK")
                await until(lambda: receiver.sent_down == b"AL\nLK\n")
                receiver.write(b"AL7\n")
                await until(lambda: receiver.sent_down == b"AL\nLK\nAL\n")
                assert port.held == [1, 1, 1]
                holder.close()

    asyncio.run(run())


def test_readings_without_proof_are_counted_on_their_link_over_a_restart_too(tmp_path: Path) -> None:
    async def heard(*lines: bytes) -> LinkCounters:
        with Receiver(tmp_path / "rx") as receiver:
            port = Observed(receiver.path, tmp_path / "alert.db")
            async with open_office(tmp_path) as office, listening(tmp_path, office, port) as pipeline:
                receiver.write(b"\n".join([*lines, b""]))
                await until(lambda: pipeline.links[LINK].packets == len(lines))
                return pipeline.links[LINK]

    first = asyncio.run(heard(b"HR7", b"HR6", b"HR8", b"HR8"))
    assert (first.readings, first.events, first.unproven) == (4, 2, 1)
    second = asyncio.run(heard(b"HR7", b"HR6", b"HR9"))
    assert (second.readings, second.events, second.unproven) == (3, 1, 2)
