"""Whom nobody answers is heard by those who are near: by real programs, which a process of their own runs."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from drivers.registry import SHIPPED
from gateway.cli.street import Code, serial_frame
from tests.support.acting import Acting
from tests.support.air import band, burst
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for
from tests.support.receiver import Receiver
from tests.support.terminal import Terminal


class Hall:
    """The station's hall, in which a siren writes down for whom it sounds."""

    def __init__(self, folder: Path, broker: Mosquitto, receiver: Receiver) -> None:
        self.folder, self.broker, self.receiver = folder, broker, receiver
        self._heard = folder / "heard"
        self.siren = f"echo $STATION_GATEWAY_KIND $STATION_GATEWAY_DEVICE $STATION_GATEWAY_COUNT >> {self._heard}"

    def daemon(self, *, after: str = "1s", every: str = "1s", siren: str = "", more: str = "") -> Daemon:
        link = f"serial: [{{port: {self.receiver.path}, name: rx}}]" if "serial:" not in more else ""
        action = f"{{name: siren, timeout: 2s, command: {{run: [/bin/sh, -c, '{siren or self.siren}']}}}}"
        local = f"local_alert: {{after: {after}, every: {every}, socket: act.sock, actions: [{action}]}}"
        return Daemon(self.folder, [self.broker.url], more=f"{link}\n{local}\n{more}")

    def acting(self) -> Acting:
        """The unit, reading the daemon's own configuration."""
        return Acting(self.folder / "act.sock", self.folder / "gateway.yaml")

    def press(self, number: int, code: Code = Code.SOS) -> None:
        for payload in burst(band(number), code):
            self.receiver.write(serial_frame(number, payload))

    @property
    def heard(self) -> list[str]:
        return self._heard.read_text().splitlines() if self._heard.exists() else []

    def wait(self, condition: Callable[[list[str]], object], seconds: float = 20.0) -> None:
        wait_for(lambda: condition(self.heard), seconds, f"heard {self.heard}")

    def falls_quiet(self, seconds: float = 4.0) -> None:
        """What was on its way may still be heard; after that nothing, for several rounds of each second."""
        wait_for(lambda: time.time() - self._heard.stat().st_mtime > seconds, 30, "the hall is quiet")


@pytest.fixture
def hall(tmp_path: Path, broker: Mosquitto, receiver: Receiver) -> Hall:
    (tmp_path / "box").mkdir()
    return Hall(tmp_path / "box", broker, receiver)


def connected(daemon: Daemon) -> None:
    wait_for(lambda: daemon.log(event="connected") and daemon.log(event="link up"), 10)


def test_what_nobody_accepts_sounds_again_and_again_until_the_call_centre_or_somebody_at_the_box_does(
    hall: Hall,
) -> None:
    with Cloud(hall.broker) as cloud, hall.daemon() as daemon, hall.acting():
        connected(daemon)
        hall.press(1)
        hall.wait(lambda heard: heard.count("sos band-0001 1") >= 2)
        alert = cloud.alerts(device="band-0001")[0]["id"]
        cloud.answer("ack", cloud.acknowledge(alert))
        told = [line for line in Terminal(daemon).story(alert) if line["type"] == "sounded"]
        assert len(told) >= 2
        assert {line["action"] for line in told} == {"siren"}
        assert not any("failure" in line for line in told)

        hall.press(2)
        hall.wait(lambda heard: "sos band-0002 1" in heard)
        assert Terminal(daemon)("alerts", "accept", "band-0002")[0] == 0
        wait_for(lambda: cloud.alerts(device="band-0002", state="accepted"), 10)
        hall.press(3, Code.TEST)
        wait_for(lambda: cloud.alerts(device="band-0003"), 10)
        hall.falls_quiet()
        assert {line.split()[1] for line in hall.heard} == {"band-0001", "band-0002"}
        assert not daemon.log(fault="local_alert_failed", where="local_alert:siren")
        assert cloud.breaches == []


def test_without_a_broker_it_sounds_at_once_and_after_a_kill_still(hall: Hall) -> None:
    with hall.daemon(after="1h", every="2s") as daemon, hall.acting():
        connected(daemon)
        hall.press(1)
        wait_for(lambda: daemon.log(fault="nobody_listens"), 10)  # that the broker took it helps nobody
        hall.wait(lambda heard: "sos band-0001 1" in heard)
        with Cloud(hall.broker) as cloud:
            cloud.wait(lambda c: c.alerts(device="band-0001"), 20, "it is repeated")
            wait_for(lambda: daemon.log(event="fault over", fault="nobody_listens"), 10)
            cloud.answer("ack", cloud.acknowledge(cloud.alerts()[0]["id"]))
            hall.press(2)
            cloud.wait(lambda c: c.alerts(device="band-0002"))
            hall.falls_quiet()
            assert "band-0002" not in " ".join(hall.heard)
            hall.broker.kill()
            hall.wait(lambda heard: "sos band-0002 1" in heard)
            daemon.kill()
            told = len(hall.heard)
            daemon.restart()
            hall.wait(lambda heard: len(heard) > told)


def test_a_fall_sounds_once_it_is_confirmed(hall: Hall) -> None:
    profiles = hall.folder / "profiles"
    profiles.mkdir()
    hurried = (SHIPPED / "398-reference.yaml").read_text()
    changes = {"window: 20s": "window: 4s", "398-reference": "hurried", "company: 0xFFFF": "company: 1"}
    for shipped, ours in changes.items():
        hurried = hurried.replace(shipped, ours)
    (profiles / "hurried.yaml").write_text(hurried)
    more = f"profiles: profiles\nserial: [{{port: {hall.receiver.path}, name: rx, profile: hurried}}]"
    with Cloud(hall.broker) as cloud, hall.daemon(more=more) as daemon, hall.acting():
        connected(daemon)
        hall.press(1, Code.FALL)
        raised = cloud.wait(lambda c: c.alerts(kind="fall"))[0]
        hall.wait(lambda heard: "fall band-0001 1" in heard)
        story = Terminal(daemon).story(raised["id"])
        happened = [line["type"] for line in story if line["type"] == "sounded" or line.get("reason") == "confirmed"]
        assert happened[:2] == ["decided", "sounded"]


def test_an_action_that_hangs_is_ended_and_its_story_and_its_fault_say_so_until_it_works(hall: Hall) -> None:
    hung, mended = hall.folder / "hung", hall.folder / "mended"
    siren = f"test -e {mended} || {{ echo $$ > {hung}; sleep 600; }}; {hall.siren}"
    with Cloud(hall.broker) as cloud, hall.daemon(siren=siren) as daemon:
        connected(daemon)
        wait_for(lambda: daemon.log(fault="local_alert_failed", where="local_alert"), 10)  # before anybody presses
        with hall.acting() as acting:
            wait_for(lambda: daemon.log(event="fault over", where="local_alert"), 10)
            hall.press(1)
            (fault,) = wait_for(lambda: daemon.log(fault="local_alert_failed", where="local_alert:siren"), 20)
            assert fault["what"] == "not done within 2 s, and ended"
            assert "station-gateway act siren" in fault["cure"]
            wait_for(lambda: not Path(f"/proc/{hung.read_text().strip()}").exists(), 10)
            alert = cloud.alerts(kind="sos")[0]["id"]
            code, out = Terminal(daemon)("alerts", "show", alert)
            assert (code, "told by siren: FAILED, not done within 2 s, and ended" in out) == (0, True)
            mended.touch()
            wait_for(lambda: daemon.log(event="fault over", where="local_alert:siren"), 20)
            assert acting.said[-1].endswith("}")
            assert Terminal(daemon)("act", "siren")[0] == 0
            assert "trial 1" in hall.heard
