import itertools
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.support.cloud import Cloud
from tests.support.daemon import Daemon
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for
from tests.support.receiver import Receiver

hypothesis.settings.register_profile("untimed", deadline=None)  # a slow machine is no failure
hypothesis.settings.load_profile("untimed")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as mosquitto:
        yield mosquitto


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with Receiver(tmp_path / "receiver") as plugged:
        yield plugged


class Shared:
    """One station for the tests of a module that only need a band of their own."""

    def __init__(self, folder: Path, broker: Mosquitto, receiver: Receiver, cloud: Cloud) -> None:
        self.broker, self.receiver, self.cloud = broker, receiver, cloud
        self._bands = itertools.count(1)

    def next_band(self) -> int:
        return next(self._bands)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    folder = tmp_path_factory.mktemp("shared")
    with Mosquitto(folder) as broker, Receiver(folder / "receiver") as receiver, Cloud(broker) as cloud:
        more = f"serial: [{{port: {receiver.path}, name: rx}}]"
        with Daemon(folder / "box", [broker.url], devices=100, more=more) as daemon:
            cloud.wait(lambda c: c.state().get("state") == "online")
            wait_for(lambda: daemon.log(event="link up", link="serial:rx"), 5)
            yield Shared(folder, broker, receiver, cloud)
