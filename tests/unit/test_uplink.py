"""Which broker, and whether to believe it: over real connections to a real Mosquitto."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway import uplink
from gateway.board import Board
from gateway.centre import Centre
from gateway.errors import UplinkDown
from gateway.health import Faults
from gateway.model import Settlement
from gateway.requests import Requests
from gateway.roster import Roster
from gateway.session import AlertUplink
from gateway.sinks.mqtt import Connection
from gateway.sinks.properties import properties
from gateway.sinks.words import Endpoint, Inbound, Login
from gateway.thresholds import CallCentre
from gateway.trials import Trials
from gateway.uplink import Brokers, Carrier, Patience, Proof, Road, Shore, TelemetryUplink
from gateway.wire import CLOUDEVENTS
from tests.support.drafts import draft
from tests.support.inside import Office, StillClock, make_wire, open_lane, open_office
from tests.support.mosquitto import Mosquitto
from tests.support.odd_broker import Does, OddBroker
from tests.support.processes import free_port

FIVE, THREE = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311
CLOCK = StillClock()
WIRE = make_wire(CLOCK)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path_factory.mktemp("broker")) as broker:
        yield broker


def at(broker: Mosquitto) -> Endpoint:
    return Endpoint("127.0.0.1", broker.port, tls=False)


def login(name: str, version: MQTTProtocolVersion = FIVE) -> Login:
    return Login(name, 0, version, 10)


@asynccontextmanager
async def connected(broker: Mosquitto, version: MQTTProtocolVersion) -> AsyncIterator[Connection]:
    link = Connection(at(broker), login("unit", version), None)
    await link.open()
    try:
        yield link
    finally:
        link.close()


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


def proof(link: Connection, faults: Faults, nonce: str = "nonce-1", lane: str = "alert") -> Proof:
    return Proof(lane, link, WIRE, faults, nonce)


def no_faults() -> Faults:
    return Faults(CLOCK.moment)


async def subscribed(link: Connection) -> bool:
    (code,) = await link.subscribe([(WIRE.topics.probe, SubscribeOptions(qos=1))])
    return not code.is_failure


def heard_by(found: Proof, link: Connection, heard: list[Inbound] | None = None) -> Callable[[Inbound], None]:
    def inbound(message: Inbound) -> None:
        if heard is not None:
            heard.append(message)
        found.hear(message)
        link.acknowledge(message)

    return inbound


def test_over_311_nothing_is_believed_before_our_own_probe_came_back(shared: Mosquitto) -> None:
    async def run() -> None:
        async with connected(shared, THREE) as link:
            believed: list[int] = []
            heard: list[Inbound] = []
            found = proof(link, no_faults())
            link.on_inbound = heard_by(found, link, heard)
            for number in range(3):
                found.believe(partial(believed.append, number))
            await subscribed(link)
            others = [("alert", "nonce-2"), ("telemetry", "nonce-1"), ("alert", "")]
            for lane, nonce in others:
                link.publish(WIRE.probe(lane, nonce))
            await until(lambda: len(heard) == len(others))
            assert (found.given, believed) == (False, [])
            seeking = asyncio.create_task(found.seek(lambda: subscribed(link)))
            await until(lambda: found.given)
            seeking.cancel()
            found.believe(partial(believed.append, 3))
            assert believed == [0, 1, 2, 3]

    asyncio.run(run())


def test_over_5_the_broker_s_own_word_is_believed_at_once(shared: Mosquitto) -> None:
    async def run() -> None:
        async with connected(shared, FIVE) as link:
            believed: list[int] = []
            proof(link, no_faults()).believe(partial(believed.append, 1))
            assert believed == [1]

    asyncio.run(run())


def test_a_probe_that_does_not_come_back_is_a_fault_until_it_does(
    shared: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uplink, "PROBE_S", 0.02)

    async def run() -> None:
        async with connected(shared, FIVE) as link:
            faults = no_faults()
            found = proof(link, faults)
            link.on_inbound = heard_by(found, link)
            allowed = False

            async def subscribe() -> bool:
                return allowed and await subscribed(link)

            seeking = asyncio.create_task(found.seek(subscribe))
            await until(lambda: len(faults))
            (fault,) = faults
            assert (fault.fault, fault.where) == ("not_heard_back", "lane:alert")
            assert WIRE.topics.probe in fault.cure
            allowed = True
            await seeking
            assert len(faults) == 0

    asyncio.run(run())


def test_whoever_waits_for_a_subscription_hears_that_the_link_is_lost_and_can_be_cancelled_just_then(
    tmp_path: Path,
) -> None:
    async def run(*, cancelled: bool) -> type[BaseException] | None:
        with Mosquitto(tmp_path / str(cancelled)) as broker:
            async with connected(broker, FIVE) as link:
                broker.freeze(frozen=True)
                asking = asyncio.create_task(link.subscribe([(WIRE.topics.probe, SubscribeOptions(qos=1))]))
                await asyncio.sleep(0)
                link.break_off()
                if cancelled:
                    asking.cancel()
                (answer,) = await asyncio.gather(asking, return_exceptions=True)
                broker.freeze(frozen=False)
                return type(answer)

    assert asyncio.run(run(cancelled=False)) == UplinkDown
    assert asyncio.run(run(cancelled=True)) == asyncio.CancelledError


@pytest.mark.parametrize(("version", "code"), [(FIVE, 0x10), (THREE, 0)])
def test_a_row_leaves_on_the_answer_to_itself_and_over_311_on_the_proof_too(
    shared: Mosquitto, tmp_path: Path, version: MQTTProtocolVersion, code: int
) -> None:
    async def run() -> None:
        answers: list[Settlement] = []
        async with connected(shared, version) as link, open_lane(tmp_path) as lane:
            lane._on_answer = answers.append
            found = proof(link, no_faults())
            link.on_inbound = heard_by(found, link)
            lane.attach(Carrier(lane, link, found, properties(CLOUDEVENTS)))
            await lane.commit([draft("a"), draft("b")])
            if version is THREE:
                await until(lambda: len(found._held) == 2)
                assert (lane.delivered, len(await lane.outbox.read(0, 10))) == (0, 2)
                seeking = asyncio.create_task(found.seek(lambda: subscribed(link)))
                await until(lambda: found.given)
                seeking.cancel()
            await until(lambda: lane.delivered == 2)
            await until(lambda: lane.pending == 0)
            assert [(answer.seq, answer.code) for answer in answers] == ([(1, code), (2, code)] if code else [])

    asyncio.run(run())


@given(st.integers(1, 5), st.integers(0, 12))
def test_the_list_of_brokers_is_walked_in_order_and_begun_again(count: int, steps: int) -> None:
    listed = tuple(Endpoint(f"broker-{number}", 1883, tls=False) for number in range(count))
    brokers = Brokers(listed)
    for _ in range(steps):
        brokers.advance()
    assert brokers.current is listed[steps % count]


def shore(road: Road, login_: Callable[[], Login], faults: Faults) -> Shore:
    return Shore(WIRE, road, login_, CLOCK, faults, Patience())


def alert_uplink(office: Office, brokers: Brokers, at_shore: Shore) -> AlertUplink:
    trials = Trials(Roster(()), office.clock.moment)
    requests = Requests(WIRE, office.desk, trials, lambda: "", {}, lambda: 0, Counter())
    centre = Centre(CallCentre(), office.faults)
    standing = lambda: {"alert": (office.lane.outbox.epoch, 1)}  # noqa: E731
    return AlertUplink(office.lane, brokers, at_shore, requests, standing, centre)


async def failed(work: Awaitable[None]) -> UplinkDown:
    with pytest.raises(UplinkDown) as down:
        await work
    return down.value


def test_a_broker_that_cannot_be_had_gives_way_to_the_next_and_the_telemetry_follows(
    shared: Mosquitto, tmp_path: Path
) -> None:
    async def run() -> None:
        dead, alive = Endpoint("127.0.0.1", free_port(), tls=False), at(shared)
        road, brokers, faults = Road(), Brokers((dead, alive)), no_faults()
        async with open_office(tmp_path) as office, open_lane(tmp_path, "telemetry") as telemetry:
            alert = alert_uplink(office, brokers, shore(road, partial(login, "alert"), faults))
            down = await failed(alert.run(lambda: None))
            assert (down.fault, brokers.current, road.endpoint) == ("broker_unreachable", alive, None)
            following = TelemetryUplink(telemetry, Board(), shore(road, partial(login, "telemetry"), faults), 60)
            follower = asyncio.create_task(following.run(lambda: None))
            keeping = asyncio.create_task(alert.run(lambda: None))
            await until(lambda: office.lane.connected and telemetry.connected)
            assert road.endpoint == alive
            road.move(dead)
            assert str(dead) in str(await failed(follower))
            assert not telemetry.connected
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            assert not office.lane.connected
            assert road.endpoint is None

    asyncio.run(run())


def test_subscriptions_that_a_cluster_refuses_while_it_chooses_a_leader_are_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uplink, "PROBE_S", 0.05)

    async def run(broker: OddBroker) -> None:
        road, faults, endpoint = Road(), no_faults(), Endpoint("127.0.0.1", broker.port, tls=False)
        async with open_office(tmp_path) as office, open_lane(tmp_path, "telemetry") as telemetry:
            alert = alert_uplink(office, Brokers((endpoint,)), shore(road, partial(login, "alert", THREE), faults))
            at_shore = shore(road, partial(login, "telemetry", THREE), faults)
            links = (alert.run(lambda: None), TelemetryUplink(telemetry, Board(), at_shore, 60).run(lambda: None))
            running = [asyncio.create_task(link) for link in links]
            for lane in (office.lane, telemetry):
                await lane.commit([draft("a")])
            await until(lambda: {fault.fault for fault in faults} == {"subscription_refused", "not_heard_back"})
            broker.refusals = 0
            await until(lambda: office.lane.delivered == telemetry.delivered == 1)
            await until(lambda: len(faults) == 0)
            assert broker.connects == 2
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    with OddBroker(lambda _topic, _payload: Does.ACKNOWLEDGE) as broker:
        broker.refusals = 1_000
        asyncio.run(run(broker))


def test_a_secret_that_cannot_be_read_is_a_fault_with_its_file_and_the_next_broker_is_tried(tmp_path: Path) -> None:
    def unreadable() -> Login:
        (tmp_path / "password").read_text()
        return login("never")

    async def run() -> None:
        listed = (Endpoint("127.0.0.1", 1, tls=False), Endpoint("127.0.0.1", 2, tls=False))
        brokers = Brokers(listed)
        async with open_office(tmp_path) as office:
            down = await failed(alert_uplink(office, brokers, shore(Road(), unreadable, no_faults())).run(lambda: None))
        assert (down.fault, brokers.current) == ("credentials_unreadable", listed[1])
        assert str(tmp_path / "password") in str(down)

    asyncio.run(run())


def test_the_follower_stays_while_the_alert_link_is_merely_lost() -> None:
    async def run() -> None:
        here, there = (Endpoint(name, 1883, tls=False) for name in ("here", "there"))
        road = Road()
        opening = asyncio.create_task(road.open())
        await asyncio.sleep(0)
        assert not opening.done()
        road.move(here)
        assert await opening == here
        leaving = asyncio.create_task(road.left(here))
        for endpoint, left in ((None, False), (here, False), (None, False), (there, True)):
            road.move(endpoint)
            for _ in range(3):
                await asyncio.sleep(0)
            assert leaving.done() is left

    asyncio.run(run())
