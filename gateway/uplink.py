"""What both lanes' links share: which broker, the proof that it really passes messages on, rows under way."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import msgspec
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
TRIAL_S = 10.0
FIRST_REFUSAL = 0x80


class Patience(msgspec.Struct, frozen=True):
    """Seconds: how long a broker may leave us without an acknowledgement, and how long we stay with one that is not
    the first before the first is tried again."""

    ack_s: float = 20.0
    return_s: float = 600.0


class Brokers:
    """The list of brokers, and the one that is tried now."""

    def __init__(self, endpoints: tuple[Endpoint, ...]) -> None:
        self._endpoints = endpoints
        self._at = 0

    @property
    def current(self) -> Endpoint:
        return self._endpoints[self._at]

    @property
    def first(self) -> Endpoint:
        return self._endpoints[0]

    def advance(self) -> None:
        self._at = (self._at + 1) % len(self._endpoints)

    def go_back(self) -> None:
        self._at = 0


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
        self._link.unsubscribe(self._message.topic)  # whoever else speaks there is not for us
        self._faults.end(f"lane:{self._lane}", "not_heard_back")
        held, self._held = self._held, []
        for settle in held:
            settle()

    async def seek(self, subscribe: Callable[[], Coroutine[Any, Any, bool]]) -> None:
        """Subscribe and probe until all is granted and the probe is heard; a fault from the first time it is not.

        A cluster that has just lost a node refuses subscriptions for a while, so what is refused is asked for again.
        """
        where, granted = f"lane:{self._lane}", False
        while not (granted and self.given):
            granted = granted or await _granted(subscribe)
            self._link.publish(self._message, done=lambda _code, _reason: self._faults.end(where, "not_acknowledged"))
            await asyncio.sleep(PROBE_S)
            if not self.given:
                what = f"{self._link.endpoint}: takes our messages but does not give back the probe"
                cure = f"let this client publish to and subscribe to {self._message.topic} in the broker's access list"
                self._faults.begin("not_heard_back", where, what, cure)


async def _granted(subscribe: Callable[[], Coroutine[Any, Any, bool]]) -> bool:
    try:
        async with asyncio.timeout(PROBE_S):
            return await subscribe()
    except (TimeoutError, UplinkDown):
        return False  # not answered, or the connection is lost, as whoever waits for that will tell


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
    patience: Patience

    def connection(self, endpoint: Endpoint, will: Message | None = None, *, trial: bool = False) -> Connection:
        """A connection yet to be opened; UplinkDown where a secret cannot be read."""
        try:
            login = self.login()
        except OSError as error:
            what = f"{endpoint}: {error.filename}: {error.strerror}"
            cure = "put the file in place, readable for the gateway's user"
            raise UplinkDown("credentials_unreadable", what, cure) from error
        if trial:
            login = msgspec.structs.replace(login, client_id=f"{login.client_id}-trial", keep_session_s=0)
        return Connection(endpoint, login, will)

    def proof(self, lane: str, link: Connection) -> Proof:
        return Proof(lane, link, self.wire, self.faults, self._nonce())

    async def unanswered(self, lane: str, link: Connection) -> None:
        """Return when a broker that still answers pings has left us without a PUBACK for too long: a named fault."""
        await link.stalled(self.patience.ack_s)
        what = f"{link.endpoint}: acknowledged nothing for {self.patience.ack_s:g} s"
        cure = "see the broker's log and its disk; the next of mqtt.brokers is tried"
        self.faults.begin("not_acknowledged", f"lane:{lane}", what, cure)

    async def works(self, endpoint: Endpoint) -> bool:
        """Whether a broker lets us in and gives back what we say: tried by another name, beside the link that works."""
        probe, heard = self.wire.probe("alert", self._nonce()), asyncio.Event()

        def inbound(message: Inbound) -> None:
            link.acknowledge(message)
            if message.payload == probe.payload:
                heard.set()

        try:
            link = self.connection(endpoint, trial=True)
            link.on_inbound = inbound
            await link.open()
        except UplinkDown:
            return False
        try:
            async with asyncio.timeout(TRIAL_S):
                await link.subscribe([(probe.topic, SubscribeOptions(qos=1))])
                link.publish(probe)
                await heard.wait()
        except (TimeoutError, UplinkDown):
            return False
        finally:
            link.close()
        return True

    def _nonce(self) -> str:
        return unique_id(self.clock.now(), self.clock.random(10))


async def first(*works: Coroutine[Any, Any, None]) -> None:
    """Do all of it until the first has ended, as that one ends; the others are cancelled."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def gone(endpoint: Endpoint, reason: str) -> UplinkDown:
    return UplinkDown("broker_unreachable", f"{endpoint}: connection lost ({reason})", "wait; it is tried again")


class TelemetryUplink:
    """The telemetry lane's rows and the board's retained topics, to wherever the alert link is."""

    def __init__(self, lane: Lane, board: Board, shore: Shore, expiry_s: int) -> None:
        self._lane, self._board, self._shore = lane, board, shore
        self._properties = properties(CLOUDEVENTS, expiry_s=expiry_s)

    async def run(self, up: Up) -> None:
        """At one broker after another; raises UplinkDown where one cannot be had or is lost."""
        while True:
            await self._be_at(await self._shore.road.open(), up)

    async def _be_at(self, endpoint: Endpoint, up: Up) -> None:
        """Return where there is reason to go elsewhere, or to come anew."""
        shore, link = self._shore, self._shore.connection(endpoint)
        proof = shore.proof(self._lane.name, link)

        def inbound(message: Inbound) -> None:
            proof.hear(message)
            link.acknowledge(message)

        link.on_inbound = inbound
        await link.open()
        try:
            self._lane.attach(Carrier(self._lane, link, proof, self._properties))
            self._board.attach(_Poster(link))
            up()
            stalled, left = shore.unanswered(self._lane.name, link), shore.road.left(endpoint)
            await first(self._prove(link, proof), self._lost(link), stalled, left)
        finally:
            self._lane.detach()
            self._board.detach()
            link.close()

    async def _prove(self, link: Connection, proof: Proof) -> None:
        async def subscribe() -> bool:
            (code,) = await link.subscribe([(self._shore.wire.topics.probe, SubscribeOptions(qos=1))])
            return not code.is_failure

        await proof.seek(subscribe)
        await asyncio.get_running_loop().create_future()

    async def _lost(self, link: Connection) -> None:
        reason = await link.lost()
        self._lane.lost(reason)
        raise gone(link.endpoint, reason)


class _Poster:
    def __init__(self, link: Connection) -> None:
        self._link = link
        self._properties = properties(JSON)

    def post(self, message: Message, done: Callable[[], None]) -> None:
        self._link.publish(message, retain=True, properties=self._properties, done=lambda _code, _reason: done())
