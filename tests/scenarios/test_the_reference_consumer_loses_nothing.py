"""gateway/contract/consumer.py and receive.py as they stand: several, killed in the middle, on a broker that goes."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from gateway.cli.street import Code, serial_frame
from gateway.model import Message
from tests.support.air import band, burst
from tests.support.cloud import Cloud
from tests.support.consumer import Consumer
from tests.support.daemon import Daemon
from tests.support.mosquitto import Mosquitto
from tests.support.paper import PaperStation
from tests.support.processes import wait_for
from tests.support.receiver import Receiver

Publish = Callable[[Message], None]
PRESSED = "SELECT count(*) FROM press"
HEALTH = Message("398/v1/a/health", b"{}")


@pytest.fixture
def publish(broker: Mosquitto) -> Iterator[Publish]:
    """Speaks for the stations of paper, as often as the broker has to be told."""
    client = Client(CallbackAPIVersion.VERSION2)
    client.reconnect_delay_set(1, 1)
    taken: set[int] = set()
    client.on_publish = lambda _client, _userdata, number, *_: taken.add(number)
    client.connect("localhost", broker.port)
    client.loop_start()

    def publish(message: Message) -> None:
        number = client.publish(message.topic, message.payload, 1).mid  # sent again over a broker's end
        wait_for(lambda: number in taken, 20, "the broker takes it")

    yield publish
    client.disconnect()
    client.loop_stop()


def tell_twice(publish: Publish, stations: Iterable[PaperStation], press: int) -> None:
    """Each station tells of the press, and both it and the broker may repeat."""
    for station in stations:
        message = station.alert(f"{station.name}{press}", [(press, 60 * press)])
        publish(message)
        publish(message)
    if press % 2:
        publish(message)  # the broker takes turns: of an even number the same one would always be first


def test_two_consumers_of_which_one_is_killed_lose_nothing_and_tell_nothing_twice(
    tmp_path: Path, broker: Mosquitto, publish: Publish
) -> None:
    """Two stations tell of the same 150 presses, all of it twice, while a consumer is killed and the broker goes."""
    stations = PaperStation("a", "aaaaaaaa"), PaperStation("b", "bbbbbbbb")
    with Consumer(tmp_path, broker, "desks-1") as one, Consumer(tmp_path, broker, "desks-2") as two:
        for press in range(1, 151):
            tell_twice(publish, stations, press)
            if press == 50:
                two.kill()
            elif press == 80:
                two.start()
            elif press == 110:
                broker.stop()
                broker.start()  # Mosquitto 2.0 keeps no shared subscription over its end: consumer.md
                wait_for(lambda: (one.subscriptions, two.subscriptions) == (2, 3), 10, "both are back")
        wait_for(lambda: one.rows(PRESSED) == [(300,)], 30, "every press")
    told = one.told("press") + two.told("press")
    assert one.rows("SELECT count(DISTINCT joined), count(DISTINCT key) FROM press") == [(150, 150)]
    assert (one.told("press") != [], two.told("press") != []) == (True, True)
    assert len(set(told)) == len(told)
    assert len(told) in (149, 150)  # the one it was killed over may be in the store and not on the paper


def test_a_message_that_never_comes_is_missed_and_one_that_says_so_is_not(
    tmp_path: Path, broker: Mosquitto, publish: Publish
) -> None:
    a = PaperStation("a", "aaaaaaaa")
    with Consumer(tmp_path, broker) as consumer:
        publish(a.alert("1", [(1, 0)]))
        a.lose(2)
        publish(a.alert("2", [(2, 0)]))
        a.lose(3)
        publish(a.gap(5, 7))
        for _ in range(3):
            publish(HEALTH)
        wait_for(lambda: consumer.told("missing"), 10)
        publish(a.alert("3", [(3, 0)]))
        wait_for(lambda: len(consumer.told("press")) == 3, 10)
        assert consumer.told("missing") == ["a aaaaaaaa 2-3"]


def test_what_is_no_message_of_a_station_is_told_and_holds_up_nothing(
    tmp_path: Path, broker: Mosquitto, publish: Publish
) -> None:
    a, topic = PaperStation("a", "aaaaaaaa"), "398/v1/a/alert/x"
    with Consumer(tmp_path, broker) as consumer:
        nonsense = b'{"id": "1", "data": {}}', b'{"id": "a-1", "data": {"wearer": [1]}}'
        for payload in (b"", b"\xff", b"[]", b"{", *nonsense):
            publish(Message(topic, payload))
        publish(a.alert("1", [(1, 0)]))
        wait_for(lambda: consumer.told("press"), 10)
        assert len(consumer.told("unreadable")) == 5
        assert consumer.rows(PRESSED) == [(1,)]


def test_a_desk_that_was_away_finds_what_is_open_and_accepts_it(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    """Nothing was kept for it, for it is there for the first time: it asks."""
    more = f"serial: [{{port: {receiver.path}, name: rx}}]"
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
        wait_for(lambda: daemon.log(event="link up"), 5)
        receiver.write(serial_frame(band(1).number, burst(band(1), Code.SOS)[0]))
        (alert,) = cloud.wait(lambda c: c.alerts(kind="sos"))
        topic = f"398/v1/test-01/alert/{alert['id']}"
        with Consumer(tmp_path, broker) as desk:
            (told,) = wait_for(lambda: desk.told("press"), 10)
            assert told.startswith(f"{topic} critical w-0001 sos ")
            desk.accept(topic)
            desk.accept(topic)
            answers = wait_for(lambda: len(found := desk.told("answer")) == 2 and found, 10)
            assert [answer.split()[1] for answer in answers] == ["ok", "error"]
            assert "already_accepted" in answers[1]
        cloud.wait(lambda c: c.alerts(id=alert["id"], state="accepted", by="desk-3"))


def test_two_of_the_smallest_receivers_of_which_one_is_killed_lose_nothing_and_tell_nothing_twice(
    tmp_path: Path, broker: Mosquitto, publish: Publish
) -> None:
    """Of a band that lost power and presses with the same number once more, two presses are told, not four."""
    stations, nonsense = (PaperStation("a", "aaaaaaaa"), PaperStation("b", "bbbbbbbb")), (b"", b"[]", b'{"id": 1}')
    names = "desks-1", "desks-2"
    one, two = (Consumer(tmp_path, broker, name, "receive.py") for name in names)
    with one, two:
        for payload in nonsense:
            publish(Message("398/v1/a/alert/x", payload))
        for press in range(1, 101):
            tell_twice(publish, stations, press)
            if press == 30:
                two.kill()
            elif press == 60:
                two.start()
        for station in stations:
            publish(station.alert(f"{station.name}100", [(100, 6_000), (100, 6_090)]))
        wait_for(lambda: one.rows("SELECT count(*) FROM press") == [(202,)], 30, "every press")
        wait_for(lambda: len(one.told("unreadable") + two.told("unreadable")) == len(nonsense), 10)
    told = one.told("press") + two.told("press")
    assert one.rows("SELECT count(*) FROM message") == [(202,)]
    assert (one.told("press") != [], two.told("press") != []) == (True, True)
    assert len({line.split()[-1] for line in told}) == len(told)
    assert len(told) in (100, 101)  # the one it was killed over may be in the store and not on the paper


def test_the_smallest_receiver_accepts_an_alert(tmp_path: Path, broker: Mosquitto, receiver: Receiver) -> None:
    more = f"serial: [{{port: {receiver.path}, name: rx}}]"
    box, desk = Daemon(tmp_path / "box", [broker.url], more=more), Consumer(tmp_path, broker, file="receive.py")
    with Cloud(broker) as cloud, box, desk:
        wait_for(lambda: box.log(event="link up"), 5)
        receiver.write(serial_frame(band(1).number, burst(band(1), Code.SOS)[0]))
        (told,) = wait_for(lambda: desk.told("press"), 10)
        desk.accept(told.split()[0])
        cloud.wait(lambda c: c.alerts(state="accepted", by="desk-3"))
