"""Promise 3: a broker that acknowledges nothing is left, and a row that it will not have is passed by the others."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.cli.street import Code, Kind, serial_frame
from tests.support.air import band, burst
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon, faults
from tests.support.mosquitto import Mosquitto
from tests.support.odd_broker import Does, OddBroker
from tests.support.processes import wait_for
from tests.support.receiver import Receiver
from tests.support.terminal import Terminal

IMPATIENT = "  ack_timeout: 1s\n"
VERSIONS = pytest.mark.parametrize("version", ["5", "3.1.1"])


def press(receiver: Receiver, number: int) -> None:
    for payload in burst(band(number), Code.SOS):
        receiver.write(serial_frame(number, payload))


def on(receiver: Receiver) -> str:
    return f"serial: [{{port: {receiver.path}, name: rx}}]\ntelemetry: {{batch: 1, commit_every: 50ms}}"


def takes_all(_topic: str, _payload: bytes) -> Does:
    return Does.ACKNOWLEDGE


def takes_nothing(_topic: str, _payload: bytes) -> Does:
    return Does.NOTHING


def but(does: Does | int, below: str, word: bytes) -> Callable[[str, bytes], Does | int]:
    """Everything is taken but rows on such topics that have this word in them."""

    def rule(topic: str, payload: bytes) -> Does | int:
        return does if f"/{below}" in topic and word in payload else Does.ACKNOWLEDGE

    return rule


@VERSIONS
def test_a_broker_that_acknowledges_nothing_is_left_for_the_next(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver, version: str
) -> None:
    with (
        Cloud(broker) as cloud,
        OddBroker(takes_nothing) as deaf,
        Daemon(tmp_path / "box", [deaf.url, broker.url], version=version, mqtt=IMPATIENT, more=on(receiver)) as daemon,
    ):
        wait_for(lambda: daemon.log(event="connected", broker=deaf.url), 5)
        press(receiver, 1)
        assert cloud.wait(lambda c: c.alerts(kind="sos"))[0]["device"] == "band-0001"
        assert cloud.wait(lambda c: c.readings())
        told = daemon.log(event="fault", fault="not_acknowledged", where="lane:alert")
        assert deaf.url in told[0]["what"]
        wait_for(lambda: "not_acknowledged" not in faults(daemon), 5, "the next one acknowledges")


@VERSIONS
def test_with_one_broker_only_the_fault_stands_until_it_acknowledges(
    tmp_path: Path, receiver: Receiver, version: str
) -> None:
    with (
        OddBroker(takes_nothing) as deaf,
        Daemon(tmp_path / "box", [deaf.url], version=version, mqtt=IMPATIENT, more=on(receiver)) as daemon,
    ):
        press(receiver, 1)
        wait_for(lambda: deaf.connects >= 6, 10, "it is tried again and again, by both lanes")
        assert len(daemon.log(event="fault", fault="not_acknowledged", where="lane:alert")) == 1
        assert "not_acknowledged" in faults(daemon)
        deaf.rule = takes_all
        wait_for(lambda: "not_acknowledged" not in faults(daemon), 5)
        wait_for(lambda: any(b"sos" in payload for payload in deaf.payloads("alert/")), 5, "the press")


@pytest.mark.parametrize(("version", "does"), [("5", 0x99), ("3.1.1", Does.HANG_UP)])
def test_a_poison_reading_is_set_aside_with_a_gap_and_the_others_pass(
    tmp_path: Path, receiver: Receiver, version: str, does: Does | int
) -> None:
    with (
        OddBroker(but(does, "telemetry", b"band-0002")) as broker,
        Daemon(tmp_path / "box", [broker.url], version=version, more=on(receiver)) as daemon,
    ):
        wait_for(lambda: daemon.log(event="connected"), 5)
        for number in (1, 2, 3, 4):
            receiver.write(serial_frame(number, band(number).payload(Kind.VITALS)))
        steps = itertools.count(1)

        def gap() -> list[bytes]:
            receiver.write(serial_frame(1, band(1, steps=next(steps)).payload(Kind.VITALS)), seconds=0.05)
            return broker.payloads("gap")

        (told,) = [json.loads(payload)["data"] for payload in wait_for(gap, 60, "the gap")]
        assert (told["lane"], told["cause"], told["count"], told["first"]) == ("telemetry", "refused", 1, told["last"])
        passed = b"".join(broker.payloads("telemetry"))
        assert all(f"band-{number:04}".encode() in passed for number in (1, 3, 4))
        assert b"band-0002" not in passed

        terminal, ident = Terminal(daemon), f"{told['epoch']}-{told['first']}"
        lane = terminal.json("outbox", "list")["lanes"][1]
        assert [(row["id"], row["state"]) for row in lane["rows"]] == [(ident, "set_aside")]
        assert terminal("outbox", "retry", "5f0c9a12-1")[0] == 1
        daemon.kill()
        code, out = terminal("outbox", "list")
        assert (code, ident in out, "set aside" in out) == (3, True, True)
        code, out = terminal("outbox", "export", "telemetry")
        assert (code, '\\"device\\":\\"band-0002\\"' in out) == (3, True)
        broker.rule = takes_all
        daemon.restart()
        wait_for(lambda: daemon.log(event="connected"), 5)
        assert terminal("outbox", "retry", ident) == (0, f"{ident}: is tried again now\n")
        wait_for(lambda: b"band-0002" in b"".join(broker.payloads("telemetry")), 5)
        wait_for(lambda: not terminal.json("outbox", "list")["lanes"][1]["rows"], 5, "it is not kept any longer")


@pytest.mark.parametrize("does", [0x87, Does.HANG_UP])
def test_a_refused_alert_stays_and_is_named_and_the_others_pass(
    tmp_path: Path, receiver: Receiver, does: Does | int
) -> None:
    with (
        OddBroker(but(does, "alert/", b"band-0002")) as broker,
        Daemon(tmp_path / "box", [broker.url], more=on(receiver)) as daemon,
    ):
        wait_for(lambda: daemon.log(event="connected"), 5)
        for number in (1, 2, 3, 4):
            press(receiver, number)

        def passed() -> set[str]:
            alerts = [json.loads(payload)["data"] for payload in broker.payloads("alert/")]
            return {alert["device"] for alert in alerts}

        wait_for(lambda: passed() == {"band-0001", "band-0003", "band-0004"}, 20)
        assert "outbox list" in wait_for(lambda: faults(daemon).get("publish_refused"), 5, "the fault")["cure"]
        terminal = Terminal(daemon)
        (row,) = terminal.json("outbox", "list")["lanes"][0]["rows"]
        assert row["state"] == "refused"
        assert terminal("outbox", "retry", row["id"]) == (0, f"{row['id']}: is tried again now\n")
        broker.rule = takes_all
        assert terminal("outbox", "retry", "all")[0] == 0
        wait_for(lambda: "band-0002" in passed(), 10)
        wait_for(lambda: "publish_refused" not in faults(daemon), 5)


def test_after_a_while_the_first_broker_is_returned_to_once_it_works(tmp_path: Path, receiver: Receiver) -> None:
    settings = "  ack_timeout: 1s\n  return_after: 1s\n"
    with (
        OddBroker(takes_nothing) as first,
        OddBroker(takes_all) as second,
        Daemon(tmp_path / "box", [first.url, second.url], mqtt=settings, more=on(receiver)) as daemon,
    ):
        press(receiver, 1)
        wait_for(lambda: daemon.log(event="connected", broker=second.url), 10)
        wait_for(lambda: second.payloads("alert/"), 5)
        tried = first.connects
        wait_for(lambda: first.connects > tried, 10, "the first one is tried beside it")
        assert len(daemon.log(event="connected", broker=first.url)) == 1
        first.rule = takes_all
        wait_for(lambda: len(daemon.log(event="connected", broker=first.url)) == 2, 20, "back")
        press(receiver, 2)
        wait_for(lambda: b"band-0002" in b"".join(first.payloads("alert/")), 5)
        wait_for(lambda: first.payloads("telemetry"), 5, "the telemetry follows")
