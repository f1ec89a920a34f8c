"""What an InfluxDB is to have reaches it once, through kills and outages of either side, and holds up nothing else."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.cli.street import Code, Kind, serial_frame
from tests.support.air import band, burst
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon
from tests.support.database import CUT, HANG, Answer, StandIn, VictoriaMetrics, influx
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for
from tests.support.receiver import Receiver

DEVICES = 20
METRIC = "telemetry_steps"


@pytest.fixture
def victoria(tmp_path: Path) -> Iterator[VictoriaMetrics]:
    with VictoriaMetrics(tmp_path) as database:
        yield database


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with StandIn() as database:
        yield database


class Station:
    """A daemon with a receiver, a broker and a database; each round of readings has a step count of its own."""

    def __init__(self, folder: Path, broker: Mosquitto, receiver: Receiver, url: str, more: str = "") -> None:
        (folder / "token").write_text("s3cret\n")
        sections = [
            f"serial: [{{port: {receiver.path}, name: rx}}]",
            "telemetry: {commit_every: 100ms}",
            "health_every: 1s",
            influx(url, folder / "token", more),
        ]
        self.daemon = Daemon(folder / "box", [broker.url], devices=DEVICES, more="\n".join(sections))
        self._receiver = receiver
        self.rounds = 0

    def __enter__(self) -> "Station":
        self.daemon.__enter__()
        self.listens()
        return self

    def __exit__(self, *_: object) -> None:
        self.daemon.__exit__()

    def listens(self, times: int = 1) -> None:
        wait_for(lambda: len(self.daemon.log(event="link up")) >= times, 10, "the receiver")

    def speak(self, rounds: int = 1) -> None:
        for _ in range(rounds):
            self.rounds += 1
            heard = [band(number, steps=self.rounds) for number in range(1, DEVICES + 1)]
            octets = b"".join(serial_frame(each.number, each.payload(Kind.VITALS)) for each in heard)
            self._receiver.write(octets, seconds=20.0)

    def speak_to_nobody(self, rounds: int) -> None:
        """Each round is on the disk before the next, or a busy daemon would hear two of them in one millisecond."""
        before = self.waiting()
        for number in range(1, rounds + 1):
            self.speak()
            wait_for(lambda n=number: self.waiting() == before + n * DEVICES, 20, "the round in the lane's file")

    def press(self, number: int) -> None:
        pressed = band(number)
        self._receiver.write(serial_frame(pressed.number, burst(pressed, Code.SOS)[0]))

    def spoken(self) -> set[tuple[str, float]]:
        return {(f"band-{n:04}", float(steps)) for n in range(1, DEVICES + 1) for steps in range(1, self.rounds + 1)}

    def waiting(self) -> int:
        """Readings in the lane's file."""
        with closing(sqlite3.connect(f"file:{self.daemon.folder / 'data' / 'influx.db'}?mode=ro", uri=True)) as db:
            rows = db.execute("SELECT payload FROM row WHERE topic = 'telemetry'").fetchall()
        return sum(len(payload.split(b"\n")) for (payload,) in rows)

    def faults(self, where: str = "uplink:influx") -> list[str]:
        return [entry["fault"] for entry in self.daemon.log(event="fault", where=where)]


def kept(victoria: VictoriaMetrics) -> list[tuple[str, float]]:
    return sorted((device, value) for device, _, value in victoria.points(METRIC, station="test-01"))


def wait_for_all(station: Station, victoria: VictoriaMetrics) -> None:
    """Every reading is there, and none twice."""
    wait_for(lambda: station.spoken() <= set(kept(victoria)), 30, "every reading in the database")
    assert kept(victoria) == sorted(station.spoken())


def speak_to(station: Station, victoria: VictoriaMetrics, rounds: int) -> None:
    """Each round is there before the next: it keeps one point of a device and a millisecond."""
    for _ in range(rounds):
        station.speak()
        wait_for_all(station, victoria)


def test_every_reading_is_in_the_database_once_with_its_wearer_and_the_moment_that_mqtt_tells(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver, victoria: VictoriaMetrics
) -> None:
    with Cloud(broker) as cloud, Station(tmp_path, broker, receiver, victoria.url) as station:
        speak_to(station, victoria, 10)
        assert len(victoria.points(METRIC, wearer="w-0007", device="band-0007")) == 10
        assert {value for _, _, value in victoria.points("telemetry_worn")} <= {0, 1}
        cloud.wait(lambda c: len(c.readings()) == len(station.spoken()))
        health = cloud.wait(lambda c: c.health().get("lanes", {}).get("influx", {}).get("delivered") and c.health())
        assert (health["lanes"]["influx"]["connected"], station.faults()) == (True, [])
        assert cloud.state()["lanes"].keys() == {"alert", "telemetry", "influx"}
        assert cloud.breaches == []


def test_what_is_heard_while_the_database_is_away_comes_when_it_is_back(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver, victoria: VictoriaMetrics
) -> None:
    with Station(tmp_path, broker, receiver, victoria.url) as station, Cloud(broker) as cloud:
        speak_to(station, victoria, 3)
        victoria.stop()
        station.speak_to_nobody(3)
        wait_for(station.faults, 10, "a fault")
        cloud.wait(lambda c: c.health().get("lanes", {}).get("influx", {}).get("pending"), 20)
        victoria.start()
        wait_for_all(station, victoria)
        assert set(station.faults()) == {"influx_unreachable"}
        wait_for(lambda: station.daemon.log(event="fault over", where="uplink:influx"), 10, "the fault's end")


def test_kills_of_either_side_lose_and_double_nothing(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver, victoria: VictoriaMetrics
) -> None:
    with Station(tmp_path, broker, receiver, victoria.url) as station:
        for times in range(2, 5):
            speak_to(station, victoria, 5)
            victoria.sync()
            victoria.kill()
            station.speak_to_nobody(5)
            station.daemon.kill()
            victoria.start()
            station.daemon.restart()
            station.listens(times)
        wait_for_all(station, victoria)


def test_a_database_that_goes_between_taking_and_saying_so_has_the_same_points_once_more(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver, stand_in: StandIn
) -> None:
    with Station(tmp_path, broker, receiver, stand_in.url) as station:
        stand_in.answer = CUT
        station.speak_to_nobody(3)
        wait_for(lambda: len(stand_in.writes) >= 3, 20, "several attempts")
        stand_in.answer = Answer()
        wait_for(lambda: steps(stand_in) == station.spoken() and station.waiting() == 0, 20, "every reading")
        first, second, *_ = stand_in.writes
        assert first == second
        told = {(point.tags["device"], point.at_ns) for point in stand_in.points()}
        assert len(told) == len(station.spoken())  # as many as InfluxDB would keep


def test_a_wrong_token_is_a_fault_with_its_cure_and_all_is_kept_until_it_is_right(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver, stand_in: StandIn
) -> None:
    stand_in.answer = Answer(401, {}, b'{"code":"unauthorized","message":"unauthorized access"}')
    with Station(tmp_path, broker, receiver, stand_in.url) as station:
        station.speak(2)
        wait_for(lambda: len(stand_in.asked) >= 3, 20, "several attempts")
        (fault,) = station.daemon.log(event="fault", where="uplink:influx")
        assert (fault["fault"], "influx.token" in fault["cure"]) == ("influx_refused", True)
        assert "s3cret" not in station.daemon.log_text()
        (tmp_path / "token").write_text("right\n")
        wait_for(lambda: stand_in.asked[-1]["token"] == "Token right", 20, "the new token")
        stand_in.answer = Answer()
        wait_for(lambda: steps(stand_in) == station.spoken(), 20, "every reading")


def test_a_row_that_it_will_never_take_holds_up_no_other_and_is_named(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver, stand_in: StandIn
) -> None:
    refusal = Answer(400, {}, b'{"code":"invalid","message":"unable to parse"}')
    stand_in.judge = lambda points: refusal if points[0].fields.get("steps") == 1 else Answer()
    with Station(tmp_path, broker, receiver, stand_in.url) as station:
        station.speak()
        wait_for(lambda: station.faults("influx"), 10, "the refusal")
        station.speak(2)
        wait_for(lambda: {2.0, 3.0} <= {value for _, value in steps(stand_in)}, 10, "what came later")
        refused = [entry["row"] for entry in station.daemon.log(event="row refused for ever, set aside")]
        gaps = [point for point in stand_in.points() if point.tags.get("cause") == "refused"]
        assert [gap.fields["first"] for gap in gaps] == [int(row.rpartition("-")[2]) for row in refused]


def test_while_a_database_hangs_alerts_and_telemetry_go_their_way_and_the_end_is_prompt(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver, stand_in: StandIn
) -> None:
    stand_in.answer = HANG
    with Cloud(broker) as cloud, Station(tmp_path, broker, receiver, stand_in.url, "timeout: 500ms") as station:
        station.speak()
        wait_for(lambda: stand_in.asked, 10, "a write that hangs")
        for number in range(1, 6):
            station.press(number)
            cloud.wait(lambda c, n=number: c.alerts(device=f"band-{n:04}", kind="sos"))
            station.speak()
        cloud.wait(lambda c: len(c.readings()) >= len(station.spoken()), 20)
        wait_for(lambda: len(stand_in.asked) >= 3, 20, "the timeout holds")
        assert set(station.faults()) == {"influx_unreachable"}
        assert station.daemon.stop() == 0
        stand_in.answer = Answer()
        station.daemon.restart()
        wait_for(lambda: station.spoken() <= steps(stand_in), 20, "every reading")
        assert cloud.breaches == []


def test_a_database_that_is_away_for_long_costs_no_more_disk_than_its_cap(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver, stand_in: StandIn
) -> None:
    stand_in.answer = Answer(503)
    with Cloud(broker) as cloud, Station(tmp_path, broker, receiver, stand_in.url, "cap: 1MiB") as station:
        for _ in range(20):
            station.speak(30)
        cloud.wait(lambda c: len(c.readings()) >= len(station.spoken()), 60)
        cloud.wait(lambda c: 0 < c.health()["lanes"]["influx"]["bytes"] <= 1 << 20, 20, "the cap")
        stand_in.answer = Answer()
        wait_for(lambda: any(value == station.rounds for _, value in steps(stand_in)), 20, "the latest")
        wait_for(lambda: any(point.tags.get("cause") == "thinned" for point in stand_in.points()), 20, "its gap")
        assert cloud.gaps() == []


def steps(stand_in: StandIn) -> set[tuple[str, float]]:
    told = [point for point in stand_in.points() if "steps" in point.fields]
    return {(point.tags["device"], float(point.fields["steps"])) for point in told}
