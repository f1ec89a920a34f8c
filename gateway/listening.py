"""What the alert link listens to, and when it stops: a flood of it must not stand before the answers to alerts.

All that a broker tells us on a connection comes in one line, and it hands on whatever anybody sends, faster than we can
read. A flood that is merely ignored still stands before the answers; one that is not subscribed to does not come.
"""

import asyncio
from collections.abc import Callable, Iterable

from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway.allowance import Allowance
from gateway.health import Faults
from gateway.sinks.mqtt import Connection
from gateway.sinks.words import Inbound
from gateway.wire import Topics

WHERE = "uplink:alert"
MOST, PER_S = 1_000, 100.0
"""KiB begun, of all messages on one subscription: no call centre says so much, and a box that was away hears it all."""
REST_S = 10.0
CALM_S = 1.0
"""A flood that goes on is heard again within this."""


class Listening:
    """Of one connection: the station's state as others tell it, acknowledgements, requests, and our own probe."""

    def __init__(self, link: Connection, topics: Topics, faults: Faults, now_ms: Callable[[], int]) -> None:
        ours = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)
        theirs = SubscribeOptions(qos=1, retainAsPublished=True, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)
        self._wanted = {topics.state: ours, topics.probe: ours, topics.acks: theirs, topics.requests: theirs}
        self._allowed = {topic: Allowance(MOST, PER_S) for topic in (topics.state, topics.acks, topics.requests)}
        self._link, self._topics, self._faults, self._now_ms = link, topics, faults, now_ms
        self._resting: set[str] = set()
        self._flooded = asyncio.Event()

    def hears(self, inbound: Inbound) -> bool:
        """Whether a message is to be looked at; one that is too much ends its subscription for a while."""
        topic = self._subscription(inbound.topic)
        if topic == self._topics.probe:  # it ends with the first that is ours
            return True
        if topic in self._resting:
            return False
        if self._allowed[topic].take(self._now_ms(), 1 + inbound.size // 1024):
            return True
        self._resting.add(topic)
        self._link.unsubscribe(topic)
        self._flooded.set()
        return False

    async def run(self) -> None:
        """Subscribe, and after each rest again, until cancelled. UplinkDown where the connection is lost."""
        await self._subscribe(self._wanted)
        while True:
            await self._flooded.wait()
            while self._flooded.is_set():
                self._flooded.clear()
                await self._rest()
            self._faults.end(WHERE, "flooded")

    async def _rest(self) -> None:
        what = f"{self._link.endpoint}: far more than can be meant is sent on {', '.join(sorted(self._resting))}"
        cure = f"see who publishes there, and allow nobody else to; we listen to it again every {REST_S:g} s"
        self._faults.begin("flooded", WHERE, what, cure)
        await asyncio.sleep(REST_S)
        resting, self._resting = self._resting, set()
        await self._subscribe(resting)
        await asyncio.sleep(CALM_S)

    async def _subscribe(self, topics: Iterable[str]) -> None:
        wanted = [(topic, self._wanted[topic]) for topic in topics]
        granted = await self._link.subscribe(wanted)
        refused = [topic for (topic, _), code in zip(wanted, granted, strict=True) if code.is_failure]
        if refused:
            what = f"{self._link.endpoint}: refuses the subscription to {', '.join(refused)}"
            self._faults.begin("subscription_refused", WHERE, what, "allow them in the broker's access list")

    def _subscription(self, topic: str) -> str:
        topics = self._topics
        if topic in (topics.state, topics.probe):
            return topic
        return topics.requests if topics.acked(topic) is None else topics.acks
