"""Promise 8: a box that does not know the time says so and is put right later; no step of its clock moves a timer."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway.cli.street import Code, serial_frame
from tests.support.air import band, burst
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon, faults
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for
from tests.support.receiver import Receiver
from tests.support.skewed import FILE, Skew

HOUR = 3_600_000
SLACK_S = 2.0
"""What this machine may be late by."""


@contextmanager
def station(folder: Path, broker: Mosquitto, receiver: Receiver, skew: Skew) -> Iterator[Daemon]:
    more = f"serial: [{{port: {receiver.path}, name: rx}}]\nhealth_every: 1s"
    environment = {FILE: str(skew.path)}
    with Daemon(
        folder / "box", [broker.url], more=more, environment=environment, program="tests.support.skewed"
    ) as daemon:
        wait_for(lambda: daemon.log(event="link up"), 5)
        yield daemon


def press(receiver: Receiver, number: int) -> float:
    """When it was pressed, in true time."""
    at = time.time()
    receiver.write(serial_frame(band(number).number, burst(band(number), Code.SOS)[0]))
    return at


def seconds(told: str) -> float:
    return datetime.fromisoformat(told).timestamp()


def of(cloud: Cloud, number: int, **wanted: Any) -> list[dict[str, Any]]:
    return cloud.alerts(device=f"band-{number:04}", **wanted)


def righted_by(action: str, cloud: Cloud, alert: str, pressed: float) -> None:
    """The desk's word brings a message in which the press of then has its true time."""
    cloud.acknowledge(alert, action)
    told = cloud.wait(lambda c: c.alerts(id=alert, reason=action))[0]
    assert (told["clock"], told["presses"][0]["at"]) == ("corrected", told["at"])
    assert abs(seconds(told["at"]) - pressed) < SLACK_S


def test_what_a_box_of_1970_has_told_or_kept_is_put_right_once_it_knows_the_time(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    skew = Skew(tmp_path)
    skew.set(wall_ms=20_000 - round(time.time() * 1000))
    with Cloud(broker) as cloud, station(tmp_path, broker, receiver, skew) as daemon:
        pressed = [press(receiver, 1)]
        first = cloud.wait(lambda c: of(c, 1))[0]
        assert (cloud.state()["boot_at"], first["clock"], first["at"][:14]) == (None, "unsynced", "1970-01-01T00:")
        assert "timedatectl" in faults(daemon)["clock_unsynced"]["cure"]
        broker.stop()
        pressed.append(press(receiver, 2))
        wait_for(lambda: len(daemon.log(event="alert")) == 2, 5)
        skew.set(wall_ms=0, synced=True)
        wait_for(lambda: "clock_unsynced" not in faults(daemon), 5)
        pressed.append(press(receiver, 3))
        broker.start()
        kept, later = (cloud.wait(lambda c, n=number: of(c, n))[0] for number in (2, 3))
        boot_at = seconds(cloud.wait(lambda c: c.state()["boot_at"]))
        assert (kept["clock"], later["clock"]) == ("unsynced", "synced")
        assert {first["boot"], kept["boot"]} == {cloud.state()["boot"]}
        righted = [boot_at + data["mono_ms"] / 1000 for data in (first, kept)]
        for told, true in zip([*righted, seconds(later["at"])], pressed, strict=True):
            assert abs(told - true) < SLACK_S
        readings = cloud.wait(lambda c: len(c.readings()) >= 3 and c.readings())
        at = [boot_at + r["mono_ms"] / 1000 if r["clock"] == "unsynced" else seconds(r["at"]) for r in readings]
        assert all(pressed[0] - SLACK_S < each < pressed[-1] + SLACK_S for each in at)

        skew.set(synced=False)  # the time server is gone again: what is known stays known
        cloud.wait(lambda c: c.health()["clock"] == "unsynced")
        righted_by("accept", cloud, first["id"], pressed[0])
        daemon.kill()
        skew.set(synced=True)
        daemon.restart()
        righted_by("clear", cloud, first["id"], pressed[0])
        assert cloud.breaches == []


def test_no_step_of_the_clock_moves_a_repetition_and_a_box_that_slept_repeats_once(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    skew = Skew(tmp_path)
    skew.set(synced=True)
    with Cloud(broker) as cloud, station(tmp_path, broker, receiver, skew) as daemon:
        cloud.wait(lambda c: c.state().get("boot_at"))
        press(receiver, 1)
        begun = cloud.wait(lambda c: of(c, 1)) and time.monotonic()
        for step in (HOUR, -3 * HOUR, 50 * 8766 * HOUR, -round(time.time() * 1000), 2 * HOUR):
            skew.set(wall_ms=step)
            before = cloud.state()["boot_at"]
            cloud.wait(lambda c, before=before: c.state()["boot_at"] != before, what="the boot's new time")
        assert time.monotonic() - begun < 9
        assert of(cloud, 1, reason="repeat") == []
        cloud.wait(lambda c: of(c, 1, reason="repeat"), 15)
        assert 10 - SLACK_S < time.monotonic() - begun < 10 + SLACK_S
        skew.sleep(HOUR)
        begun = time.monotonic()
        cloud.wait(lambda c: len(of(c, 1, reason="repeat")) == 2, 5)
        assert time.monotonic() - begun < SLACK_S
        time.sleep(SLACK_S)
        assert [each["repeat"] for each in of(cloud, 1, reason="repeat")] == [1, 2]
        assert daemon.log(event="fault over", where="clock") == daemon.log(event="fault", where="clock") == []
        assert cloud.breaches == []
