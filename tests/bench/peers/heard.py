"""What comes out at the far end of either gateway, kept as it came and read afterwards."""

import threading
import time
from collections import Counter
from typing import NamedTuple, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for

STEPS = b'"steps":'
KEEPS = "log_dest none\nautosave_on_changes false\nautosave_interval 0"
"""The broker saves its sessions as it stops: a gateway that is back before the far end must not count as losing."""


class Reading(NamedTuple):
    """All that one packet says of one wearable. `steps` numbers a wearable's readings."""

    device: str
    steps: int


class Came(NamedTuple):
    at: int
    """In wall nanoseconds."""
    topic: str
    payload: bytes


class Heard:
    """Its session outlives the broker's outages; each way out reads its own messages."""

    def __init__(self, broker: Mosquitto, topics: list[str]) -> None:
        self.readings = 0
        """Counted, not read: this shares two cores with what is measured."""
        self.came: list[Came] = []
        self.client = Client(CallbackAPIVersion.VERSION2, "far-end", clean_session=False)
        self.client.max_queued_messages_set(0)
        self._broker, self._topics = broker, topics
        self._subscribed = threading.Event()
        self.client.on_connect = lambda client, *_: client.subscribe([(topic, 1) for topic in topics])
        self.client.on_subscribe = lambda *_: self._subscribed.set()
        self.client.on_message = self._note

    def __enter__(self) -> Self:
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("localhost", self._broker.port)
        self.client.loop_start()
        assert self._subscribed.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def away(self) -> None:
        """The far end is gone, its broker with it."""
        self._subscribed.clear()
        self._broker.stop()

    def back(self) -> None:
        self._broker.start()
        assert self._subscribed.wait(10)

    def forget(self) -> None:
        self.came.clear()
        self.readings = 0

    def quiet(self, seconds: float, most: float) -> None:
        """Until no reading has come for so long."""
        seen, since = -1, time.monotonic()

        def still() -> bool:
            nonlocal seen, since
            if self.readings != seen:
                seen, since = self.readings, time.monotonic()
            return time.monotonic() - since > seconds

        wait_for(still, most, "an end of what comes")

    def _note(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self.came.append(Came(time.time_ns(), message.topic, bytes(message.payload)))
        self.readings += message.payload.count(STEPS)


class Loss(NamedTuple):
    said: int
    lost: int
    twice: int

    @classmethod
    def of(cls, said: list[Reading], came: Counter[Reading]) -> "Loss":
        twice = sum(came[each] - 1 for each in said if came[each] > 1)
        return cls(len(said), sum(came[each] == 0 for each in said), twice)
