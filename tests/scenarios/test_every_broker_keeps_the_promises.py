"""The promises that depend on the broker, on each that a platform may run: Mosquitto, RabbitMQ and NATS."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.cli.street import Code, serial_frame
from tests.support.air import band, burst
from tests.support.brokers import Nats, Packaged, Rabbit
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon, faults
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for
from tests.support.receiver import Receiver

SLOW_S = 30.0
_stations = itertools.count(1)


@pytest.fixture(scope="module", params=["mosquitto", "mosquitto 3.1.1", "nats", "rabbitmq"])
def on(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Mosquitto | Packaged, str]]:
    """A broker, and the version that the stations speak with it."""
    folder = tmp_path_factory.mktemp("broker")
    made = {"nats": Nats, "rabbitmq": Rabbit}.get(request.param, Mosquitto)
    with made(folder) as broker:
        yield broker, "5" if request.param == "mosquitto" else "3.1.1"


class Station:
    """A box of its own at a broker that others use too, and its cloud."""

    def __init__(self, daemon: Daemon, cloud: Cloud, receiver: Receiver) -> None:
        self.daemon, self.cloud, self.receiver = daemon, cloud, receiver

    def press(self, number: int) -> None:
        for payload in burst(band(number), Code.SOS):
            self.receiver.write(serial_frame(number, payload))

    def alert(self, number: int) -> str:
        """The id of the alert of that band, once the cloud has it."""
        found = self.cloud.wait(lambda c: c.alerts(device=f"band-{number:04}"), SLOW_S, f"alert of band {number}")
        ident: str = found[0]["id"]
        return ident

    def accepted(self, ident: str) -> None:
        self.cloud.wait(lambda c: c.alerts(id=ident, state="accepted"), SLOW_S, "it is told to be accepted")


@contextmanager
def station(folder: Path, receiver: Receiver, on: tuple[Mosquitto | Packaged, str]) -> Iterator[Station]:
    broker, version = on
    name = f"test-{next(_stations):02}"
    more = f"serial: [{{port: {receiver.path}, name: rx}}]"
    with (
        Cloud(broker, name, name=f"cloud-{name}") as cloud,
        Daemon(folder / "box", [broker.url], station=name, version=version, more=more) as daemon,
    ):
        wait_for(lambda: daemon.log(event="connected"), SLOW_S, "connected")
        yield Station(daemon, cloud, receiver)
        assert cloud.breaches == []


def test_a_press_arrives_and_is_accepted_with_health_and_state(
    tmp_path: Path, receiver: Receiver, on: tuple[Mosquitto | Packaged, str]
) -> None:
    with station(tmp_path, receiver, on) as at:
        at.press(1)
        ident = at.alert(1)
        at.cloud.acknowledge(ident)
        at.accepted(ident)
        assert at.cloud.wait(lambda c: c.readings(), SLOW_S)
        assert at.cloud.wait(lambda c: c.health(), SLOW_S)["lanes"]["alert"]["refused"] == 0
        assert at.cloud.state()["state"] == "online"
        assert "not_heard_back" not in faults(at.daemon)


def test_an_acknowledgement_sent_while_the_box_is_away_arrives_and_the_death_is_told(
    tmp_path: Path, receiver: Receiver, on: tuple[Mosquitto | Packaged, str]
) -> None:
    with station(tmp_path, receiver, on) as at:
        at.press(1)
        ident = at.alert(1)
        at.daemon.kill()
        at.cloud.wait(lambda c: c.state()["state"] == "offline", SLOW_S, "the last will")
        at.cloud.acknowledge(ident)
        at.daemon.restart()
        at.accepted(ident)


def test_what_is_pressed_while_the_broker_is_restarted_and_the_box_is_killed_arrives_once(
    tmp_path: Path, receiver: Receiver, on: tuple[Mosquitto | Packaged, str]
) -> None:
    broker, _ = on
    with station(tmp_path, receiver, on) as at:
        at.press(1)
        at.alert(1)
        broker.stop()
        at.press(2)
        wait_for(lambda: len(at.daemon.log(event="alert", reason="press")) == 2, 10, "it is committed")
        at.daemon.kill()
        at.daemon.restart()
        at.press(3)
        wait_for(lambda: len(at.daemon.log(event="alert", reason="press")) == 3, 10, "it is committed")
        broker.start()
        for number in (2, 3):
            at.alert(number)
        assert {data["press_count"] for data in at.cloud.alerts(kind="sos")} == {1}
        assert len({data["id"] for data in at.cloud.alerts(kind="sos")}) == 3
