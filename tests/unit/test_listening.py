"""What the alert link listens to, at a real Mosquitto: all of it, but no flood; and what it reads at once."""

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway import listening
from gateway.allowance import Allowance
from gateway.health import Faults
from gateway.listening import MOST, Listening
from gateway.model import Message
from gateway.sinks.mqtt import Connection
from gateway.sinks.paced import AT_ONCE
from gateway.sinks.words import Endpoint, Inbound, Login
from tests.support.certificates import Certificates
from tests.support.inside import StillClock, make_wire
from tests.support.mosquitto import Mosquitto
from tests.support.odd_broker import Does, OddBroker

CLOCK = StillClock()
TOPICS = make_wire(CLOCK).topics
REQUEST, ACK = TOPICS.response("ping").replace("response", "request"), f"{TOPICS.alert('a')}/ack"
FIVE, THREE = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311
VERSIONS = [FIVE, THREE]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path_factory.mktemp("broker")) as broker:
        yield broker


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


@asynccontextmanager
async def connected(
    broker: Mosquitto | OddBroker, name: str, version: MQTTProtocolVersion = FIVE
) -> AsyncIterator[Connection]:
    context = None
    if isinstance(broker, Mosquitto) and broker.tls is not None:
        context = ssl.create_default_context(cafile=broker.tls.ca)
        context.load_cert_chain(broker.tls.client, broker.tls.client_key)
    login = Login(name, 0, version, 10, tls=(lambda: context) if context else None)
    link = Connection(Endpoint("localhost", broker.port, tls=context is not None), login, None)
    await link.open()
    try:
        yield link
    finally:
        link.close()


@asynccontextmanager
async def listens(link: Connection, faults: Faults, heard: Counter[str]) -> AsyncIterator[Listening]:
    """Counts in `heard`, by topic, what it is to look at; what it is not, as "flood"."""
    ears = Listening(link, TOPICS, None, faults, lambda: 0)

    def inbound(message: Inbound) -> None:
        heard[message.topic if ears.hears(message) else "flood"] += 1
        link.acknowledge(message)

    link.on_inbound = inbound
    running = asyncio.create_task(ears.run())
    assert await ears.subscribe()
    try:
        yield ears
    finally:
        running.cancel()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_flood_ends_its_own_subscription_for_a_while_and_no_other(
    shared: Mosquitto, monkeypatch: pytest.MonkeyPatch, version: MQTTProtocolVersion
) -> None:
    monkeypatch.setattr(listening, "REST_S", 1.0)
    monkeypatch.setattr(listening, "CALM_S", 0.1)

    async def run() -> None:
        faults, heard = Faults(CLOCK.moment), Counter[str]()
        async with (
            connected(shared, "ears", version) as link,
            connected(shared, "mill") as mill,
            listens(link, faults, heard) as ears,
        ):
            for _ in range(MOST + 500):
                mill.publish(Message(REQUEST, b"{}"))
            await until(lambda: len(faults))
            (fault,) = faults
            assert (fault.fault, fault.where) == ("flooded", "uplink:alert")
            assert TOPICS.requests in fault.what
            assert TOPICS.acks not in fault.what
            mill.publish(Message(ACK, b"{}"))
            await until(lambda: heard[ACK])
            assert heard[REQUEST] == MOST
            ears._allowed[TOPICS.requests] = Allowance(1, 0.0)  # time has passed
            await until(lambda: not len(faults))
            mill.publish(Message(REQUEST, b"{}"))
            await until(lambda: heard[REQUEST] == MOST + 1)

    asyncio.run(run())


def test_a_flood_that_goes_on_is_one_fault_and_ends_each_new_subscription(
    shared: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "REST_S", 0.1)
    monkeypatch.setattr(listening, "CALM_S", 0.2)

    async def run() -> None:
        faults, heard = Faults(CLOCK.moment), Counter[str]()
        async with (
            connected(shared, "ears") as link,
            connected(shared, "mill") as mill,
            listens(link, faults, heard) as ears,
        ):
            ears._allowed[TOPICS.requests] = Allowance(1, 0.0)
            begun = 0
            for _ in range(100):
                mill.publish(Message(REQUEST, b"{}"))
                mill.publish(Message(REQUEST, b"{}"))
                await asyncio.sleep(0.01)
                begun = begun or len(faults)
                assert len(faults) == begun
            assert begun == 1
            assert heard[REQUEST] == 1
            assert 2 < heard["flood"] < 100
            await until(lambda: not len(faults))

    asyncio.run(run())


def test_what_is_refused_after_a_flood_is_asked_for_until_it_is_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "REST_S", 0.05)
    monkeypatch.setattr(listening, "CALM_S", 0.0)

    async def run(broker: OddBroker) -> None:
        faults = Faults(CLOCK.moment)
        async with connected(broker, "ears", THREE) as link, listens(link, faults, Counter[str]()) as ears:
            ears._allowed[TOPICS.requests] = Allowance(1, 0.0)
            broker.refusals = 2
            asked = Inbound(REQUEST, b"{}", False, 1, 1, None, None, 2)
            assert [ears.hears(asked) for _ in range(3)] == [True, False, False]
            await until(lambda: {fault.fault for fault in faults} == {"flooded", "subscription_refused"})
            await until(lambda: not len(faults))
            assert broker.refusals < 0

    with OddBroker(lambda _topic, _payload: Does.ACKNOWLEDGE) as broker:
        asyncio.run(run(broker))


def test_a_few_huge_messages_are_a_flood_as_well(shared: Mosquitto) -> None:
    async def run() -> None:
        heard = Counter[str]()
        async with connected(shared, "ears") as link, listens(link, Faults(CLOCK.moment), heard):
            for _ in range(3):
                link.publish(Message(REQUEST, b"x" * 900_000))
            await until(lambda: heard.total() == 3)
            assert heard == {REQUEST: 1, "flood": 2}

    asyncio.run(run())


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("version", VERSIONS)
def test_no_more_than_a_few_packets_are_read_before_other_work_and_none_is_left(
    tmp_path: Path, version: MQTTProtocolVersion, *, tls: bool
) -> None:
    """paho by itself reads as many as it has publishes under way."""
    turns: list[int] = []
    turn = answered = 0

    def done(_code: int, _reason: str) -> None:
        nonlocal answered
        answered += 1

    async def run() -> None:
        nonlocal turn
        async with connected(broker, "ears", version) as link:

            def inbound(message: Inbound) -> None:
                turns.append(turn)
                link.acknowledge(message)

            link.on_inbound = inbound
            await link.subscribe([("flood", SubscribeOptions(qos=1))])
            for _ in range(1_000):
                link.publish(Message("flood", b"x"), done=done)
            async with asyncio.timeout(20):
                while len(turns) < 1_000 or answered < 1_000:
                    turn += 1
                    await asyncio.sleep(0)

    with Mosquitto(tmp_path, tls=Certificates(tmp_path) if tls else None) as broker:
        asyncio.run(run())
    assert max(Counter(turns).values()) <= AT_ONCE
