"""What the alert link listens to, and when it stops: a flood of it must not stand before the answers to alerts.

All that a broker tells us on a connection comes in one line, and it hands on whatever anybody sends, faster than we can
read. A flood that is merely ignored still stands before the answers; one that is not subscribed to does not come.
"""

import asyncio
from collections.abc import Callable

from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway.allowance import Allowance
from gateway.health import Faults
from gateway.sinks.mqtt import Connection
from gateway.sinks.words import Inbound
from gateway.topics import Topics

WHERE = "uplink:alert"
MOST, PER_S = 1_000, 100.0
"""KiB begun, of all messages on one subscription: no call centre says so much, and a box that was away hears it all."""
REST_S = 10.0
CALM_S = 1.0
"""A flood that goes on is heard again within this."""


class Listening:
    """Of one connection: the station's state as others tell it, acknowledgements, requests, our own probe, and where
    there is one the `centre`'s heartbeat."""

    def __init__(
        self, link: Connection, topics: Topics, centre: str | None, faults: Faults, now_ms: Callable[[], int]
    ) -> None:
        ours = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)
        theirs = SubscribeOptions(qos=1, retainAsPublished=True, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)
        self._wanted = {topics.state: ours, topics.probe: ours, topics.acks: theirs, topics.requests: theirs}
        if centre is not None:
            self._wanted[centre] = theirs
        self._allowed = {topic: Allowance(MOST, PER_S) for topic in self._wanted if topic != topics.probe}
        self._link, self._topics, self._centre, self._faults, self._now_ms = link, topics, centre, faults, now_ms
        self._wanting = set(self._wanted)
        """What has yet to be granted."""
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

    async def subscribe(self) -> bool:
        """Ask for what has yet to be granted; whether that is all granted now. UplinkDown where the link is lost."""
        wanted = [(topic, self._wanted[topic]) for topic in sorted(self._wanting)]
        granted = await self._link.subscribe(wanted) if wanted else []
        self._wanting -= {topic for (topic, _), code in zip(wanted, granted, strict=True) if not code.is_failure}
        if self._wanting:
            what = f"{self._link.endpoint}: refuses the subscription to {', '.join(sorted(self._wanting))}"
            self._faults.begin("subscription_refused", WHERE, what, "allow them in the broker's access list")
        else:
            self._faults.end(WHERE, "subscription_refused")
        return not self._wanting

    async def run(self) -> None:
        """Listen again after each rest, until cancelled. UplinkDown where the link is lost."""
        while True:
            await self._flooded.wait()
            while self._flooded.is_set():
                self._flooded.clear()
                await self._rest()
            self._faults.end(WHERE, "flooded")

    async def _rest(self) -> None:
        flooded = ", ".join(sorted(self._resting | self._wanting))
        what = f"{self._link.endpoint}: far more than can be meant is sent on {flooded}"
        cure = f"see who publishes there, and allow nobody else to; we listen to it again every {REST_S:g} s"
        self._faults.begin("flooded", WHERE, what, cure)
        await asyncio.sleep(REST_S)
        self._wanting |= self._resting
        self._resting = set()
        if not await self.subscribe():
            self._flooded.set()
        await asyncio.sleep(CALM_S)

    def _subscription(self, topic: str) -> str:
        topics = self._topics
        if topic in (topics.state, topics.probe, self._centre):
            return topic
        return topics.requests if topics.acked(topic) is None else topics.acks
