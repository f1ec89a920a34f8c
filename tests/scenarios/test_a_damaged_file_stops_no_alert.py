"""Promises 1, 2 and 5: whichever file is damaged, the daemon starts, says what is gone, and a press is an alert."""

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.cli.street import Code, Kind, serial_frame
from gateway.journal import told
from tests.support.air import band
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for
from tests.support.receiver import Receiver

LANES = ("alert", "telemetry", "influx")
FILES = [f"{lane}.db{part}" for lane in LANES for part in ("", "-wal")]
FILES += ["alert.db-shm", "story.jsonl", "quarantine.jsonl", "box.key", "ballast", "recordings"]


@dataclass
class Left:
    """What a killed daemon has left behind: its folder, how to start it again, and the rows that wait in its lanes."""

    data: Path
    receiver: Receiver
    more: str
    rows: dict[str, set[str]]


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Left]:
    folder = tmp_path_factory.mktemp("left")
    (folder / "token").write_text("s3cret\n")
    with Receiver(folder / "receiver") as receiver:
        influx = f"influx: {{url: 'http://localhost:9', org: care, bucket: b, token: {{file: {folder / 'token'}}}}}"
        more = f"serial: [{{port: {receiver.path}, name: rx}}]\n{influx}"
        with Daemon(folder / "box", ["mqtt://localhost:9"], more=more) as daemon:
            receiver.write(b"\xa5\x5a\xff" + b"rubbish" * 20)
            speak(receiver)
            wait_for(lambda: daemon.log(event="link up"), 10)
            wait_for(lambda: waiting(daemon.folder / "data", "telemetry"), 10)
            daemon.stop()  # now the quarantine is on disk
            daemon.restart()
            for number in (1, 2):
                press(receiver, number)
                wait_for(lambda n=number: len(daemon.log(event="alert", kind="sos")) == n, 10)
            speak(receiver)
            data = daemon.folder / "data"
            wait_for(lambda: len(waiting(data, "telemetry")) > 1 and len(waiting(data, "influx")) > 1, 10)
            wait_for(lambda: list(data.glob("recordings/*")) and (data / "story.jsonl").exists(), 10)
            daemon.kill()
            saved = shutil.copytree(data, folder / "saved")
            yield Left(saved, receiver, more, {lane: waiting(data, lane) for lane in LANES})


def press(receiver: Receiver, number: int) -> None:
    pressed = band(number)
    pressed.press(Code.SOS, 0.0)
    receiver.write(serial_frame(pressed.number, pressed.payload(Kind.EVENT)))


def speak(receiver: Receiver) -> None:
    for number in (1, 2, 3, 4):
        receiver.write(serial_frame(band(number).number, band(number).payload(Kind.VITALS)))


def waiting(data: Path, lane: str) -> set[str]:
    with closing(sqlite3.connect(f"file:{data / f'{lane}.db'}?mode=ro", uri=True)) as db:
        return {ident for (ident,) in db.execute("SELECT id FROM row")}


def spoil(file: Path, how: str, chance: random.Random) -> None:
    octets = bytearray(file.read_bytes())
    if how == "truncated":
        del octets[chance.randrange(len(octets)) :]
    else:
        for _ in range(64):
            octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(8)
    file.write_bytes(octets)


@pytest.mark.parametrize("how", ["flipped", "truncated"])
@pytest.mark.parametrize("name", FILES)
def test_the_daemon_starts_over_it_names_what_is_gone_and_a_press_is_an_alert(
    tmp_path: Path, left: Left, broker: Mosquitto, name: str, how: str
) -> None:
    data = tmp_path / "box" / "data"
    shutil.copytree(left.data, data)
    damaged = min((data / "recordings").iterdir()) if name == "recordings" else data / name
    spoil(damaged, how, random.Random(f"{name} {how}"))
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=left.more) as daemon:
        wait_for(lambda: daemon.log(event="link up"), 10)
        press(left.receiver, 3)
        cloud.wait(lambda c: c.alerts(kind="sos", device="band-0003", reason="press"), 10)
        for lane in ("alert", "telemetry"):
            cloud.wait(lambda c, of=lane: left.rows[of] <= arrived(c) or c.gaps(lane=of, cause="corrupt"), 10, lane)
        lost = left.rows["alert"] | left.rows["telemetry"]
        print(f"{name} {how}: {len(lost)} rows waited, {len(lost - arrived(cloud))} are gone")
        set_aside = {lane for lane in LANES if list(data.glob(f"{lane}.db.damaged-*"))}
        assert set_aside == {fault["where"] for fault in daemon.log(event="fault", fault="file_damaged")}
        assert set_aside <= {lane for lane in LANES if name.startswith(lane)}
        for alert in cloud.alerts(kind="sos"):
            told(data, alert["id"])  # whatever is left of the story is read
        assert cloud.breaches == []


def arrived(cloud: Cloud) -> set[str]:
    return {seen.body["id"] for seen in cloud.messages("") if "specversion" in seen.body}
