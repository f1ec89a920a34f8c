"""What both lanes' links share: which broker, the proof that it really passes messages on, rows under way."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway.board import Board
from gateway.clock import Clock
from gateway.errors import UplinkDown
from gateway.forward import Lane
from gateway.health import Faults
from gateway.identity import unique_id
from gateway.model import Message, Settlement
from gateway.rows import Row
from gateway.sinks.mqtt import Connection
from gateway.sinks.properties import properties
from gateway.sinks.words import Endpoint, Inbound, Login
from gateway.supervise import Up
from gateway.wire import CLOUDEVENTS, JSON, Wire

PROBE_S = 10.0
FIRST_REFUSAL = 0x80


class Brokers:
    """The list of brokers, and the one that is tried now."""

    def __init__(self, endpoints: tuple[Endpoint, ...]) -> None:
        self._endpoints = endpoints
        self._at = 0

    @property
    def current(self) -> Endpoint:
        return self._endpoints[self._at]

    def advance(self) -> None:
        self._at = (self._at + 1) % len(self._endpoints)


class Proof:
    """Whether a connection hears its own probe. Over MQTT 3.1.1 a denied publish is answered like a good one,
    so until the proof is there no row is believed to have arrived."""

    def __init__(self, lane: str, link: Connection, wire: Wire, faults: Faults, nonce: str) -> None:
        self.given = False
        self._lane = lane
        self._link = link
        self._message = wire.probe(lane, nonce)
        self._faults = faults
        self._held: list[Callable[[], None]] = []

    def believe(self, settle: Callable[[], None]) -> None:
        """Settle now, or once the proof is there."""
        if self.given or self._link.five:
            settle()
        else:
            self._held.append(settle)

    def hear(self, inbound: Inbound) -> None:
        if inbound.payload != self._message.payload or self.given:
            return
        self.given = True
        self._faults.end(f"uplink:{self._lane}", "not_heard_back")
        held, self._held = self._held, []
        for settle in held:
            settle()

    async def seek(self) -> None:
        """Probe until heard; a fault from the first time it is not."""
        while not self.given:
            self._link.publish(self._message)
            await asyncio.sleep(PROBE_S)
            if not self.given:
                what = f"{self._link.endpoint}: takes our messages but does not give back the probe"
                cure = f"let this client publish to and subscribe to {self._message.topic} in the broker's access list"
                self._faults.begin("not_heard_back", f"uplink:{self._lane}", what, cure)


class Carrier:
    """Rows of a lane over one connection, each settled by its own PUBACK."""

    def __init__(self, lane: Lane, link: Connection, proof: Proof, properties: Properties) -> None:
        self._lane = lane
        self._link = link
        self._proof = proof
        self._properties = properties

    def send(self, row: Row) -> None:
        def done(code: int, reason: str) -> None:
            settlement = Settlement(row.seq, code < FIRST_REFUSAL, code, reason)
            self._proof.believe(lambda: self._lane.settled(settlement))

        self._link.publish(Message(row.topic, row.payload), properties=self._properties, done=done)


class Road:
    """Where the alert link is now, for the telemetry link to follow."""

    def __init__(self) -> None:
        self.endpoint: Endpoint | None = None
        self._changed = asyncio.Event()

    def move(self, endpoint: Endpoint | None) -> None:
        if endpoint != self.endpoint:
            self.endpoint = endpoint
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()

    async def open(self) -> Endpoint:
        while self.endpoint is None:
            await self._changed.wait()
        return self.endpoint

    async def left(self, endpoint: Endpoint) -> None:
        """Return when the alert link is up somewhere else; its mere loss is no reason to go."""
        while self.endpoint in (None, endpoint):
            await self._changed.wait()


@dataclass(frozen=True, slots=True)
class Shore:
    """What every link needs to set out: `login` reads the secrets anew and raises OSError where it cannot."""

    wire: Wire
    road: Road
    login: Callable[[], Login]
    clock: Clock
    faults: Faults

    def connection(self, endpoint: Endpoint, will: Message | None = None) -> Connection:
        """A connection yet to be opened; UplinkDown where a secret cannot be read."""
        try:
            return Connection(endpoint, self.login(), will)
        except OSError as error:
            what = f"{endpoint}: {error.filename}: {error.strerror}"
            cure = "put the file in place, readable for the gateway's user"
            raise UplinkDown("credentials_unreadable", what, cure) from error

    def proof(self, lane: str, link: Connection) -> Proof:
        nonce = unique_id(self.clock.now(), self.clock.random(10))
        return Proof(lane, link, self.wire, self.faults, nonce)


class TelemetryUplink:
    """The telemetry lane's rows and the board's retained topics, to wherever the alert link is."""

    def __init__(self, lane: Lane, board: Board, shore: Shore, expiry_s: int) -> None:
        self._lane, self._board, self._shore = lane, board, shore
        self._properties = properties(CLOUDEVENTS, expiry_s=expiry_s)

    async def run(self, up: Up) -> None:
        endpoint = await self._shore.road.open()
        link = self._shore.connection(endpoint)
        proof = self._shore.proof(self._lane.name, link)

        def inbound(message: Inbound) -> None:
            proof.hear(message)
            link.acknowledge(message)

        link.on_inbound = inbound
        await link.open()
        try:
            self._lane.attach(Carrier(self._lane, link, proof, self._properties))
            self._board.attach(_Poster(link))
            up()
            await link.subscribe([(self._shore.wire.topics.probe, SubscribeOptions(qos=1))])
            await self._stay(link, endpoint, proof)
        finally:
            self._lane.detach()
            self._board.detach()
            link.close()

    async def _stay(self, link: Connection, endpoint: Endpoint, proof: Proof) -> None:
        seeking = asyncio.create_task(proof.seek())
        lost = asyncio.create_task(link.lost())
        left = asyncio.create_task(self._shore.road.left(endpoint))
        try:
            await asyncio.wait({seeking, lost, left}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({lost, left}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (seeking, lost, left):
                task.cancel()
        reason = lost.result() if lost.done() and not lost.cancelled() else "the alert link is elsewhere"
        raise UplinkDown("broker_unreachable", f"{endpoint}: connection lost ({reason})", "wait; it is tried again")


class _Poster:
    def __init__(self, link: Connection) -> None:
        self._link = link
        self._properties = properties(JSON)

    def post(self, message: Message, done: Callable[[], None]) -> None:
        self._link.publish(message, retain=True, properties=self._properties, done=lambda _code, _reason: done())
