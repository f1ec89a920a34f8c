"""The session: the alert link's birth and will, what it is told and asked, and the alert lane's rows."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog
from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway.centre import Centre
from gateway.errors import UplinkDown
from gateway.forward import Lane
from gateway.identity import unique_id
from gateway.model import Message, Moment
from gateway.requests import Call, Requests
from gateway.sinks.mqtt import Connection
from gateway.sinks.properties import properties
from gateway.sinks.words import Endpoint, Inbound
from gateway.supervise import Up
from gateway.uplink import Brokers, Carrier, Proof, Shore, first, gone
from gateway.wire import CLOUDEVENTS, JSON, parse_state

log = structlog.get_logger("uplink")

LEAVE_S = LOOK_S = 1.0
AGAIN_S = 0.5
"""However much is said in our name, we contradict it no more often than this."""
Standing = Callable[[], dict[str, tuple[str, int]]]
"""Each lane's epoch and next seq."""


class AlertUplink:
    """Birth and will, subscriptions, responses, and the alert lane's rows."""

    def __init__(
        self, lane: Lane, brokers: Brokers, shore: Shore, requests: Requests, standing: Standing, centre: Centre
    ) -> None:
        self.session = ""
        self._centre = centre
        self._lane, self._brokers, self._shore, self._requests = lane, brokers, shore, requests
        self._standing = standing
        self._wire = shore.wire
        self._since: Moment = shore.clock.moment()
        self._link: Connection | None = None
        self._proof: Proof | None = None
        self._again: asyncio.TimerHandle | None = None
        self._disputed = False

    async def run(self, up: Up) -> None:
        """At one broker after another; raises UplinkDown where one cannot be had or is lost."""
        while True:
            await self._be_at(self._brokers.current, up)

    async def _be_at(self, endpoint: Endpoint, up: Up) -> None:
        """One connection, from CONNECT to its end; return where there is reason to go to another broker."""
        link, proof = await self._opened(endpoint)
        try:
            self.birth()
            self._lane.attach(Carrier(self._lane, link, proof, properties(CLOUDEVENTS)))
            self._shore.road.move(endpoint)
            up()
            log.info("connected", broker=str(endpoint), session=self.session)
            lost, stalled, back = self._lost(link), self._give_up(link), self._go_back(endpoint)
            await first(self._attend(link, proof), lost, stalled, back, self._mind_centre())
        finally:
            self._lane.detach()
            self._centre.lost()
            self._shore.road.move(None)
            self._link = None
            link.break_off()

    async def _opened(self, endpoint: Endpoint) -> tuple[Connection, Proof]:
        """A new session; where the broker cannot be had, the next one is tried next."""
        clock = self._shore.clock
        self.session, self._since = unique_id(clock.now(), clock.random(10)), clock.moment()
        will = self._wire.offline(self.session, self._since)
        try:
            self._link = link = self._shore.connection(endpoint, will)
            self._proof = proof = self._shore.proof(self._lane.name, link)
            link.on_inbound = self._inbound
            await link.open()
        except UplinkDown:
            self._link = None
            self._brokers.advance()
            raise
        return link, proof

    async def _attend(self, link: Connection, proof: Proof) -> None:
        with suppress(UplinkDown):  # the connection is lost, as `_lost` will tell
            await self._subscribe(link)
        await proof.seek()
        await asyncio.get_running_loop().create_future()

    async def _lost(self, link: Connection) -> None:
        """A connection that ended with rows under way, and had taken none, says nothing good of its broker."""
        reason = await link.lost()
        if self._lane.lost(reason):
            self._brokers.advance()
        raise gone(link.endpoint, reason)

    async def _give_up(self, link: Connection) -> None:
        await self._shore.unanswered(self._lane.name, link)
        self._brokers.advance()

    async def _go_back(self, endpoint: Endpoint) -> None:
        """Return when the first broker works again, and it has been left for long enough."""
        while True:
            await asyncio.sleep(self._shore.patience.return_s)
            if endpoint != self._brokers.first and await self._shore.works(self._brokers.first):
                log.info("back to the first broker", broker=str(self._brokers.first))
                self._brokers.go_back()
                return

    async def _mind_centre(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self._centre.look(self._shore.clock.moment())

    def birth(self) -> None:
        """Say that we are here, with where each lane stands; again when the clock has become right."""
        if self._link is not None:
            message = self._wire.online(self.session, self._since, self._standing())
            self._link.publish(message, retain=True, properties=properties(JSON))

    async def farewell(self) -> None:
        """Say `offline` ourselves, and leave; the session stays for what is sent meanwhile."""
        link, self._link = self._link, None  # from here on nothing that comes in is for us
        if link is None:
            return
        said = asyncio.Event()
        link.publish(self._wire.offline(self.session, self._since), retain=True, done=lambda _code, _reason: said.set())
        try:
            async with asyncio.timeout(LEAVE_S):
                await said.wait()
        except TimeoutError:
            log.warning("left without the broker's word", broker=str(link.endpoint))
        link.close()

    async def _subscribe(self, link: Connection) -> None:
        topics = self._wire.topics
        ours = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)
        theirs = SubscribeOptions(qos=1, retainAsPublished=True, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)
        wanted = [(topics.state, ours), (topics.probe, ours), (topics.acks, theirs), (topics.requests, theirs)]
        if self._centre.topic is not None:
            wanted.append((self._centre.topic, theirs))
        granted = await link.subscribe(wanted)
        self._centre.connected(self._shore.clock.moment())
        refused = [topic for (topic, _), code in zip(wanted, granted, strict=True) if code.is_failure]
        if refused:
            what = f"{link.endpoint}: refuses the subscription to {', '.join(refused)}"
            cure = "allow them in the broker's access list"
            self._shore.faults.begin("subscription_refused", "uplink:alert", what, cure)

    def _inbound(self, inbound: Inbound) -> None:
        link, topics = self._link, self._wire.topics
        if link is None:
            return
        if inbound.topic == topics.probe and self._proof is not None:
            self._proof.hear(inbound)
        elif inbound.topic == self._centre.topic:
            if not inbound.retained:
                self._centre.hear(self._shore.clock.moment())
        elif inbound.topic == topics.state:
            self._mind_state(inbound)
        elif topics.acked(inbound.topic) or topics.verb(inbound.topic):
            self._requests.take(self._call(inbound, link))
            return
        link.acknowledge(inbound)

    def _mind_state(self, inbound: Inbound) -> None:
        """An older session's will may come after our birth: then say again that we are here. So for anything else."""
        state = parse_state(inbound.payload)
        ours = state is not None and (state.session, state.state) == (self.session, "online")
        if ours or inbound.retained:
            return
        if self._again is None:
            self._contradict()
        else:
            self._disputed = True

    def _contradict(self) -> None:
        self.birth()
        self._disputed = False
        self._again = asyncio.get_running_loop().call_later(AGAIN_S, self._calm)

    def _calm(self) -> None:
        self._again = None
        if self._disputed:
            self._contradict()

    def _call(self, inbound: Inbound, link: Connection) -> Call:
        def answer(verb: str, payload: bytes) -> None:
            wanted = inbound.response_topic
            honoured = wanted is not None and wanted.startswith(f"{self._wire.topics.root}/") and _plain(wanted)
            topic = wanted if honoured and wanted is not None else self._wire.topics.response(verb)
            if self._link is not link:
                return  # the connection that asked is gone; the broker gives the message again to the next one
            link.publish(Message(topic, payload), properties=properties(JSON, correlation=inbound.correlation))
            link.acknowledge(inbound)

        return Call(inbound.topic, inbound.payload, inbound.retained, answer, lambda: link.acknowledge(inbound))


def _plain(topic: str) -> bool:
    return not set(topic) & {"+", "#", "\0"}
