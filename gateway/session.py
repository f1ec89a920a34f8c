"""The session: the alert link's birth and will, what it is told and asked, and the alert lane's rows."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import structlog

from gateway.centre import Centre
from gateway.errors import UplinkDown
from gateway.forward import Lane
from gateway.identity import unique_id
from gateway.listening import Listening
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
        self._answering = 0
        self._again: asyncio.TimerHandle | None = None
        self._disputed = False

    async def run(self, up: Up) -> None:
        """At one broker after another; raises UplinkDown where one cannot be had or is lost."""
        while True:
            await self._be_at(self._brokers.current, up)

    async def _be_at(self, endpoint: Endpoint, up: Up) -> None:
        """One connection, from CONNECT to its end; return where there is reason to go to another broker."""
        link, proof, listening = await self._opened(endpoint)
        try:
            self.birth()
            self._lane.attach(Carrier(self._lane, link, proof, properties(CLOUDEVENTS)))
            self._shore.road.move(endpoint)
            self._centre.connected(self._shore.clock.moment())
            up()
            log.info("connected", broker=str(endpoint), session=self.session)
            attending = self._listen(listening), self._prove(proof, listening), self._mind_centre()
            await first(*attending, self._lost(link), self._give_up(link), self._go_back(endpoint))
        finally:
            self._lane.detach()
            self._centre.lost()
            self._shore.road.move(None)
            self._link = None
            link.break_off()

    async def _opened(self, endpoint: Endpoint) -> tuple[Connection, Proof, Listening]:
        """A new session; where the broker cannot be had, the next one is tried next."""
        clock, self._answering = self._shore.clock, 0
        self.session, self._since = unique_id(clock.now(), clock.random(10)), clock.moment()
        will = self._wire.offline(self.session, self._since)
        try:
            self._link = link = self._shore.connection(endpoint, will)
            proof = self._shore.proof(self._lane.name, link)
            listening = self._listening(link)
            link.on_inbound = partial(self._inbound, link, proof, listening)
            await link.open()
        except UplinkDown:
            self._link = None
            self._brokers.advance()
            raise
        return link, proof, listening

    def _listening(self, link: Connection) -> Listening:
        clock, centre = self._shore.clock, self._centre.topic
        return Listening(link, self._wire.topics, centre, self._shore.faults, lambda: clock.now().mono_ms)

    async def _listen(self, listening: Listening) -> None:
        with suppress(UplinkDown):  # the connection is lost, as `_lost` will tell
            await listening.run()
        await asyncio.get_running_loop().create_future()

    async def _prove(self, proof: Proof, listening: Listening) -> None:
        await proof.seek(listening.subscribe)
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

    def _inbound(self, link: Connection, proof: Proof, listening: Listening, inbound: Inbound) -> None:
        topics = self._wire.topics
        if self._link is not link:
            return
        if not listening.hears(inbound):
            self._requests.counts["flood"] += 1
        elif inbound.topic == topics.probe:
            proof.hear(inbound)
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
            if self._link is not link:
                return  # the connection that asked is gone; the broker gives the message again to the next one
            topics = self._wire.topics
            topic = topics.wanted(inbound.response_topic) or topics.response(verb)
            link.acknowledge(inbound)  # first: a broker that hangs up at the answer must not ask for it again
            self._answering += len(payload)
            said = properties(JSON, correlation=inbound.correlation)
            link.publish(Message(topic, payload), properties=said, done=lambda _code, _reason: arrived(len(payload)))

        def arrived(size: int) -> None:
            self._answering -= size

        def forget() -> None:
            link.acknowledge(inbound)

        return Call(inbound.topic, inbound.payload, inbound.retained, answer, forget, lambda: self._answering)
