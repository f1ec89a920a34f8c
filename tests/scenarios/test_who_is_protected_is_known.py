"""A silent wearable is told once, a deaf receiver in place of its wearables, and at any time who is protected."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway.cli.street import Kind, serial_frame
from tests.support.air import band
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon, faults, roster_text
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for
from tests.support.receiver import Receiver

MORE = """
supervision: {silent_after: 3s, commission_within: 5s}
alerts: {serial_down_after: 2s, hold: 1s}
call_centre: {heartbeat: desks/heartbeat, within: 5s}
profiles: profiles
"""
OWN = bytes.fromhex("a55a1100000000000100000000ff0000ff7ffffff443")
"""The receiver speaks of itself."""
SHIPPED = Path("drivers/profiles/398-reference.yaml")


class Room:
    """Those of the bands that speak, five times a second, and their receiver; and a desk that is there or not."""

    def __init__(self, receiver: Receiver) -> None:
        self.speaking: set[int] = set()
        self._receiver, self._over = receiver, threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.2):
            try:
                self._receiver.write(OWN)
                for number in sorted(self.speaking):
                    sender = band(number)
                    self._receiver.write(serial_frame(sender.number, sender.payload(Kind.HEARTBEAT)))
            except OSError:
                continue  # it is unplugged

    def end(self) -> None:
        self._over.set()


@contextmanager
def room(receiver: Receiver) -> Iterator[Room]:
    made = Room(receiver)
    thread = threading.Thread(target=made.run)
    thread.start()
    try:
        yield made
    finally:
        made.end()
        thread.join()


def site_profile(folder: Path) -> None:
    """Bands of the reference format that speak five times a second."""
    (folder / "profiles").mkdir(parents=True)
    text = SHIPPED.read_text(encoding="utf-8").replace("interval: 2s", "interval: 200ms")
    (folder / "profiles/398.yaml").write_text(text, encoding="utf-8")


def told(cloud: Cloud) -> list[tuple[str, str | None, str]]:
    states = {("raised", "press"): "raised", ("cleared", "condition_ended"): "cleared"}
    return [(data["kind"], data["device"], states[data["state"], data["reason"]]) for data in cloud.alerts()]


def protection(cloud: Cloud, number: int) -> tuple[str, list[str]] | None:
    """What was said last of a wearer in this session, but for the clock of the machine that the test runs on."""
    said = [seen.body for seen in cloud.messages(f"wearer/w-{number:04}/protection")]
    if not said or said[-1]["session"] != session(cloud):
        return None
    reasons = [reason for reason in said[-1]["reasons"] if reason != "clock"]
    return (said[-1]["state"] if reasons else "protected", reasons)


def session(cloud: Cloud) -> str:
    found: str = cloud.state()["session"]
    return found


def terminal(daemon: Daemon, number: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "gateway.cli.main", "devices", "show", f"band-{number:04}", "--json"]
    done = subprocess.run([*command, "--config", str(daemon.config)], capture_output=True, check=True, timeout=60)
    found: dict[str, Any] = json.loads(done.stdout)["device"]["protection"]
    return found


def test_silence_and_protection_are_told_through_all_that_a_station_meets(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    site_profile(tmp_path / "box")
    more = f"serial: [{{port: {receiver.path}, name: rx}}]\n{MORE}"
    with Cloud(broker) as cloud, room(receiver) as street, desk(cloud) as somebody:
        street.speaking = {1, 2, 3}
        with Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
            cloud.wait(lambda c: told(c) == [("never_commissioned", "band-0004", "raised")], 30)
            cloud.wait(lambda c: protection(c, 4) == ("unprotected", ["never_heard"]), 30)
            cloud.wait(lambda c: protection(c, 1) == ("protected", []), 30)

            street.speaking = {2, 3, 4}  # one goes into a drawer, one is put to use
            cloud.wait(lambda c: ("device_silent", "band-0001", "raised") in told(c), 30)
            cloud.wait(lambda c: protection(c, 1) == ("unprotected", ["silent"]), 30)
            cloud.wait(lambda c: ("never_commissioned", "band-0004", "cleared") in told(c), 30)
            cloud.wait(lambda c: protection(c, 4) == ("protected", []), 30)

            receiver.unplug()
            somebody.clear()
            cloud.wait(lambda c: ("serial_down", None, "raised") in told(c), 30)
            assert "serial_absent" in faults(daemon)
            cloud.wait(lambda c: protection(c, 2) == ("unprotected", ["receiver_down", "centre_silent"]), 60)
            assert len(told(cloud)) == 4

            before = session(cloud)
            daemon.stop()
            (tmp_path / "box/devices.yaml").write_text(roster_text(3))  # one has left
            daemon.restart()
            cloud.wait(lambda c: session(c) != before and c.state()["state"] == "online", 30)
            wait_for(lambda: retained(broker) == {"w-0001", "w-0002", "w-0003"}, 60)

            receiver.plug()
            somebody.set()
            street.speaking = {1, 2, 3}
            cloud.wait(lambda c: ("serial_down", None, "cleared") in told(c), 30)
            cloud.wait(lambda c: ("device_silent", "band-0001", "cleared") in told(c), 30)
            cloud.wait(lambda c: protection(c, 1) == protection(c, 2) == ("protected", []), 30)
            assert len(told(cloud)) == 6

            before = session(cloud)
            broker.stop()
            wait_for(lambda: "no_broker" in terminal(daemon, 1)["reasons"], 60)
            broker.start()
            cloud.wait(lambda c: session(c) != before and protection(c, 1) == ("protected", []), 60)
            assert cloud.breaches == []


@contextmanager
def desk(cloud: Cloud) -> Iterator[threading.Event]:
    """Beats twice a second while the event is set."""
    there, over = threading.Event(), threading.Event()
    there.set()

    def beat() -> None:
        while not over.wait(0.5):
            if there.is_set():
                cloud.say("desks/heartbeat", b"here")

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield there
    finally:
        over.set()
        thread.join()


def retained(broker: Mosquitto) -> set[str]:
    """Of whom a newcomer is told: what it says itself comes back behind all that is retained."""
    with Cloud(broker, name=f"newcomer-{time.monotonic_ns()}") as newcomer:
        probe = {"v": 1, "station": "test-01", "lane": "alert", "nonce": "01kas0g5n8k1x7c3rz5q9t2m4d"}
        newcomer.say(f"{newcomer.base}/probe", json.dumps(probe).encode())
        newcomer.wait(lambda c: c.messages("probe"))
        return {seen.topic.split("/")[-2] for seen in newcomer.messages("wearer/")}
