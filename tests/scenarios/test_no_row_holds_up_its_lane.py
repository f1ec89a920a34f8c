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


def but(does: Does | int, *words: bytes) -> Callable[[str, bytes], Does | int]:
    """Everything is taken but a row that has all of these words in it."""

    def rule(topic: str, payload: bytes) -> Does | int:
        ours = topic.endswith("/telemetry") or "/alert/" in topic
        return does if ours and all(word in payload for word in words) else Does.ACKNOWLEDGE

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


@pytest.mark.parametrize(("version", "does"), [("5", 0x99), ("5", Does.HANG_UP), ("3.1.1", Does.HANG_UP)])
def test_a_poison_reading_is_set_aside_with_a_gap_and_the_others_pass(
    tmp_path: Path, receiver: Receiver, version: str, does: Does | int
) -> None:
    with (
        OddBroker(but(does, b"band-0002")) as broker,
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
