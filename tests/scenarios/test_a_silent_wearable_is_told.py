"""A wearable that falls silent is told once, and so is its return; with its receiver unplugged nobody is told of it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.cli.street import Kind, serial_frame
from tests.support.air import band
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon, faults
from tests.support.mosquitto import Mosquitto
from tests.support.receiver import Receiver

SUPERVISION = """
supervision: {silent_after: 3s, commission_within: 5s}
alerts: {serial_down_after: 2s, hold: 1s}
profiles: profiles
"""
OWN = bytes.fromhex("a55a1100000000000100000000ff0000ff7ffffff443")
"""The receiver speaks of itself."""
SHIPPED = Path("drivers/profiles/398-reference.yaml")


class Room:
    """Those of the bands that speak, five times a second, and their receiver."""

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


def test_silence_is_told_once_with_its_end_and_a_deaf_receiver_in_place_of_its_wearables(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    site_profile(tmp_path / "box")
    more = f"serial: [{{port: {receiver.path}, name: rx}}]\n{SUPERVISION}"
    with Cloud(broker) as cloud, room(receiver) as street:
        street.speaking = {1, 2, 3}
        with Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
            unheard = ("never_commissioned", "band-0004", "raised")
            cloud.wait(lambda c: told(c) == [unheard], 20)

            street.speaking = {2, 3, 4}
            silent = ("device_silent", "band-0001")
            cloud.wait(lambda c: (*silent, "raised") in told(c), 30)
            cloud.wait(lambda c: ("never_commissioned", "band-0004", "cleared") in told(c), 20)

            receiver.unplug()
            cloud.wait(lambda c: ("serial_down", None, "raised") in told(c), 20)
            assert "serial_absent" in faults(daemon)
            assert len(told(cloud)) == 4
            daemon.stop()
            daemon.restart()
            cloud.wait(lambda c: c.state()["state"] == "online")

            receiver.plug()
            street.speaking = {1, 2, 3, 4}
            cloud.wait(lambda c: ("serial_down", None, "cleared") in told(c), 20)
            cloud.wait(lambda c: (*silent, "cleared") in told(c), 20)
            assert len(told(cloud)) == 6
            (last, *_) = cloud.alerts(kind="device_silent", state="raised")
            assert (last["wearer"], last["heard_by"], last["severity"]) == ("w-0001", [], "warning")
            assert cloud.breaches == []
