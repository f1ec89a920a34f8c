"""Promise 4: copies of one press are one alert, over receivers and over restarts."""

import json
import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from gateway.cli.street import Code, Kind, advert_line, serial_frame
from tests.support import behaviours
from tests.support.air import band
from tests.support.behaviours import ADDRESSES, COMPANIES, PRESSED, PROFILES, advert
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for
from tests.support.receiver import Receiver
from tests.support.receivers import RECEIVER


def two_receivers_and_a_radio(tmp_path):
    fifo = tmp_path / "adverts"
    os.mkfifo(fifo)
    ports = f"serial: [{{port: {tmp_path}/a, name: a}}, {{port: {tmp_path}/b, name: b}}]\n"
    return fifo, f"{ports}replay: [{{file: {fifo}, name: air}}]"


def test_three_links_and_a_kill_in_the_middle_are_one_alert(tmp_path, broker):
    fifo, more = two_receivers_and_a_radio(tmp_path)
    sender = band(1)
    with ExitStack() as opened:
        a, b = (opened.enter_context(Receiver(tmp_path / name)) for name in "ab")
        cloud = opened.enter_context(Cloud(broker))
        daemon = opened.enter_context(Daemon(tmp_path / "box", [broker.url], more=more))
        air = opened.enter_context(fifo.open("r+b", buffering=0))

        def on_the_air(copies: int) -> None:
            frame = serial_frame(sender.number, sender.payload(Kind.EVENT))
            for _ in range(copies):
                a.write(frame)
                b.write(frame)
                air.write(advert_line(sender.address, sender.payload(Kind.EVENT)))

        wait_for(lambda: len(daemon.log(event="link up")) == 3, 5)
        sender.press(Code.SOS, 0.0)
        on_the_air(15)
        cloud.wait(lambda c: c.alerts(kind="sos"))
        daemon.kill()
        daemon.restart()
        wait_for(lambda: len(daemon.log(event="link up")) == 6, 5)
        on_the_air(15)
        sender.press(Code.SOS, 0.0)
        on_the_air(15)
        cloud.wait(lambda c: c.alerts(press_count=2))
        alerts = cloud.alerts(kind="sos", reason="press")
        assert [alert["press_count"] for alert in alerts] == [1, 2]
        assert len({alert["id"] for alert in alerts}) == 1
        listed = {heard["link"] for heard in cloud.request("alerts")["result"]["alerts"][0]["heard_by"]}
        assert listed == {"serial:a", "serial:b", "replay:air"}
        assert cloud.breaches == []


def test_a_press_while_the_box_was_down_is_raised_late_and_once(tmp_path, broker, receiver):
    more = f"serial: [{{port: {receiver.path}, name: rx}}]"
    sender = band(1)
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
        wait_for(lambda: daemon.log(event="link up"), 5)
        receiver.write(serial_frame(sender.number, sender.payload(Kind.HEARTBEAT)))
        cloud.wait(lambda c: c.readings())
        daemon.kill()
        sender.press(Code.SOS, 0.0)
        daemon.restart()
        wait_for(lambda: len(daemon.log(event="link up")) == 2, 5)
        for _ in range(20):
            receiver.write(serial_frame(sender.number, sender.payload(Kind.HEARTBEAT)))
        alert = cloud.wait(lambda c: c.alerts(kind="sos"))[0]
        assert alert["late"] is True
        cloud.wait(lambda c: len(c.readings()) > 5)
        assert [a["press_count"] for a in cloud.alerts(reason="press")] == [1]


def test_strangers_raise_twenty_alerts_and_one_flood_that_counts_the_rest(tmp_path, broker, receiver):
    more = f"serial: [{{port: {receiver.path}, name: rx}}]"
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
        wait_for(lambda: daemon.log(event="link up"), 5)
        for number in range(5_000, 5_300):
            stranger = band(number)
            stranger.press(Code.SOS, 0.0)
            receiver.write(serial_frame(stranger.number, stranger.payload(Kind.EVENT)))
        registered = band(2)
        registered.press(Code.SOS, 0.0)
        receiver.write(serial_frame(registered.number, registered.payload(Kind.EVENT)))
        cloud.wait(lambda c: c.alerts(device="band-0002"))
        assert len(cloud.alerts(kind="sos", registered=False, reason="press")) == 20
        assert len(cloud.alerts(kind="alarm_flood", reason="press")) == 1
        repeated = cloud.wait(lambda c: c.alerts(kind="alarm_flood", reason="repeat"), 15)
        assert repeated[0]["value"] == 280
        assert cloud.breaches == []


LINKS = {"replay:hci0", "replay:hci1", "serial:rx"}
PACE_S = 0.05
SETTLED_S = 10.5


class Ears:
    """Two adapters and a serial receiver that passes adverts on: all of them hear all that is sent."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._opened = folder, ExitStack()
        profiles = folder / "profiles"
        behaviours.write_profiles(profiles)
        (profiles / "receiver.yaml").write_text(RECEIVER)
        self._pipes = [folder / name for name in ("hci0", "hci1")]
        for pipe in self._pipes:
            os.mkfifo(pipe)
        pipes = ", ".join(f"{{file: {pipe}, name: {pipe.name}}}" for pipe in self._pipes)
        serial = f"serial: [{{port: {folder}/rx, name: rx, profile: receiver}}]"
        self.more = f"profiles: {profiles}\n{serial}\nreplay: [{pipes}]"
        self.heard: list[tuple[str, bytes]] = []

    def __enter__(self) -> Self:
        self._receiver = self._opened.enter_context(Receiver(self._folder / "rx"))
        self._air = [self._opened.enter_context(pipe.open("r+b", buffering=0)) for pipe in self._pipes]
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def send(self, name: str, payload: bytes) -> None:
        self.heard.append((name, payload))
        address, told = ADDRESSES[name], payload.hex()
        line = {"kind": "manufacturer", "key": COMPANIES[name], "address": address, "rssi": -60, "payload": told}
        for air in self._air:
            air.write(json.dumps(line).encode() + b"\n")
        self._receiver.write(f"ADV {address.upper()} -61 {advert(name, payload).hex()}\n".encode())

    def press(self, number: int, copies: int) -> None:
        for _ in range(copies):
            for name in PROFILES:
                self.send(name, PRESSED[name](number))
            time.sleep(PACE_S)


def test_however_a_device_tells_its_presses_apart_a_hundred_copies_a_kill_and_the_capture_again_are_one_alert(
    tmp_path: Path, broker: Mosquitto
) -> None:
    """The copies come four times as fast as they would on the air: what longer times do is tried with a fake clock."""
    ears = Ears(tmp_path)
    daemon = Daemon(tmp_path / "box", [broker.url], more=ears.more)
    (daemon.folder / "devices.yaml").write_text(behaviours.roster())

    def told(cloud: Cloud, name: str) -> list[int]:
        return [alert["press_count"] for alert in cloud.alerts(device=name, reason="press")]

    def listed(cloud: Cloud) -> dict[str, dict]:
        return {alert["device"]: alert for alert in cloud.request("alerts")["result"]["alerts"]}

    with ears, Cloud(broker) as cloud, daemon:
        wait_for(lambda: len(daemon.log(event="link up")) == 3, 10)
        ears.press(1, 50)
        cloud.wait(lambda c: all(told(c, name) for name in PROFILES))
        daemon.kill()
        daemon.restart()
        wait_for(lambda: len(daemon.log(event="link up")) == 6, 10)
        ears.press(1, 50)
        for name, payload in list(ears.heard):
            ears.send(name, payload)
        wait_for(
            lambda: all({each["link"] for each in listed(cloud)[name]["heard_by"]} == LINKS for name in PROFILES), 10
        )
        assert {name: told(cloud, name) for name in PROFILES} == {name: [1] for name in PROFILES}

        silent_at = time.monotonic()
        while time.monotonic() < silent_at + SETTLED_S:  # the pendants are well again, and say so
            ears.send("level", b"\0")
            ears.send("identity", b"\0")
            time.sleep(0.5)
        before = listed(cloud)
        assert {name: before[name]["state"] for name in PROFILES} == dict.fromkeys(PROFILES, "raised")
        ears.press(2, 5)
        cloud.wait(lambda c: all(len(told(c, name)) > 1 for name in PROFILES))
        ears.press(2, 5)
        after = listed(cloud)
        assert {name: told(cloud, name) for name in PROFILES} == {name: [1, 2] for name in PROFILES}
        assert {name: after[name]["id"] for name in PROFILES} == {name: before[name]["id"] for name in PROFILES}
        assert cloud.breaches == []
