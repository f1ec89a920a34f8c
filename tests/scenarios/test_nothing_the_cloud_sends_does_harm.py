"""Promise 6 against the network: whatever is sent on what we subscribe to, the radio is heard, the disk stays as it is,
and no alert changes that was not named."""

import json
import random
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from gateway.cli.street import Code, serial_frame
from tests.support.air import band, burst
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for
from tests.support.receiver import Receiver
from tests.support.vandal import Vandal, text

SEED = 20_261_125
MESSAGES = 1_000
BASE = "398/v1/test-01"
LOG_MAX = 32 * 1024
UUID = 36
"""Characters of the ids of the platform's own requests."""


def press(receiver: Receiver, number: int) -> None:
    for payload in burst(band(number), Code.SOS):
        receiver.write(serial_frame(number, payload))


def hostile(chance: random.Random, alert: str) -> tuple[str, bytes]:
    """A topic that the station subscribes to, and bytes; an alert is named only where nothing may come of it."""
    verbs = [
        "request/ping",
        "request/info",
        "request/alerts",
        "request/test-window",
        "request/",
        "request/%s",
        f"alert/{'x' * 500}/ack",
    ]
    below = chance.choice([*verbs, "alert//ack", "alert/\u00e9/ack", f"alert/{alert}/ack", "state", "probe"])
    rubbish = chance.randbytes(chance.choice([0, 1, 30, 5_000]))
    words = {"v": 1, "id": "q", "action": "clear", "by": "x" * chance.choice([0, 70]), "args": {"a": [None] * 50}}
    said = [json.dumps(words).encode(), json.dumps(words | {"v": chance.random()}).encode()]
    if below not in ("state", "probe"):  # the platform of the test reads these as well
        said += [rubbish, b"[" * 2_000, b'{"v":1e999,"id":"q"}', b'{"v":1,"id":"q","id":"r","args":{"minutes":-1e400}}']
    return f"{BASE}/{below}", chance.choice(said)


def test_a_storm_of_rubbish_and_requests_changes_nothing_and_a_press_gets_through(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    chance, more = random.Random(SEED), f"serial: [{{port: {receiver.path}, name: rx}}]\nhealth_every: 1s"
    data = tmp_path / "box" / "data"
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
        wait_for(lambda: daemon.log(event="connected"), 10)
        press(receiver, 1)
        alert = cloud.wait(lambda c: c.alerts(device="band-0001"))[0]["id"]
        before, logged = files(data), len(daemon.log_text())
        vandal = Client(CallbackAPIVersion.VERSION2, "vandal", protocol=MQTTProtocolVersion.MQTTv5)
        vandal.max_queued_messages_set(0)
        vandal.connect("localhost", broker.port)
        vandal.loop_start()
        sent = [vandal.publish(*hostile(chance, alert), qos=1) for _ in range(MESSAGES)]
        press(receiver, 2)
        cloud.wait(lambda c: c.alerts(device="band-0002"), 20, f"a press in the midst of it, seed {SEED}")
        for each in sent:
            each.wait_for_publish(30)
        vandal.disconnect()
        vandal.loop_stop()
        cloud.wait(lambda c: sum(c.health()["requests"].values()) > MESSAGES // 2, 30, "all of it is counted")
        print(f"{MESSAGES} messages, seed {SEED}: {cloud.health()['requests']}")
        assert cloud.health()["requests"]["flood"] > 0
        assert {each["state"] for each in cloud.alerts()} == {"raised"}
        assert files(data) - before <= 256 * 1024
        assert len(daemon.log_text()) - logged <= LOG_MAX
        cloud.acknowledge(alert)
        cloud.wait(lambda c: c.alerts(id=alert, state="accepted"), 30, "an acknowledgement after it")
        wait_for(lambda: cloud.state().get("session") == daemon.log(event="connected")[0]["session"], 5)
        assert len(daemon.log(event="connected")) == 1


def property_of(kind: int, *parts: bytes) -> bytes:
    return bytes([kind]) + b"".join(map(text, parts))


BOM = "\ufeff".encode()
POISON = {
    "a byte order mark nobody asked for": property_of(0x26, BOM, b"x"),
    "a byte order mark for a type": property_of(0x03, BOM),
    "a byte order mark in the answer's topic": property_of(0x08, b"398/v1/" + BOM),
    "no such format of the payload": b"\x01\x09",
    "an answer's topic deeper than any broker takes": property_of(0x08, b"398/v1/" + b"/" * 400),
    "an answer's topic as long as there can be": property_of(0x08, b"398/v1/" + b"x" * 65_000),
    "an answer's topic for many": property_of(0x08, b"398/v1/desk/#"),
    "an answer's topic of another's": property_of(0x08, b"elsewhere/desk"),
    "no answer's topic": property_of(0x08, b""),
    "a request for the answer": property_of(0x08, b"398/v1/test-01/request/ping"),
    "an acknowledgement for the answer": property_of(0x08, b"398/v1/test-01/alert/x/ack"),
    "the greatest correlation": property_of(0x09, b"c" * 65_535),
    "very many properties": property_of(0x26, b"a", b"b") * 20_000,
}


def test_no_message_costs_the_station_its_connection_and_all_that_can_be_is_answered(
    tmp_path: Path, broker: Mosquitto
) -> None:
    """A message that ended the connection would come again with each new one."""
    with (
        Cloud(broker, hears="response/+") as cloud,  # its client would not survive what is asked
        Daemon(tmp_path / "box", [broker.url]) as daemon,
        Vandal(broker.port) as vandal,
    ):
        wait_for(lambda: daemon.log(event="connected"), 10)
        topics = ["request/ping", "request/\ufeff", "alert/none/ack", "state", "probe"]
        vandal.publish(f"{BASE}/request/{'x' * 65_500}".encode(), b'{"v":1,"id":"long"}')
        for name, properties in POISON.items():
            for topic in topics:
                vandal.publish(f"{BASE}/{topic}".encode(), json.dumps({"v": 1, "id": name}).encode(), properties)
            assert cloud.request("ping")["status"] == "ok", name
        assert len(daemon.log(event="connected")) == 1
        assert "Exception" not in daemon.log_text()
        here = {name for name in POISON if not name.endswith("for the answer")}
        for verb, more in (("ping", {"a request for the answer"}), ("unknown", {"long"})):
            told = [seen.body for seen in cloud.messages(f"response/{verb}")]
            assert {body["id"] for body in told if len(body["id"]) != UUID} == here | more
        seen = next(seen for seen in cloud.messages("response/ping") if seen.body["id"] == "the greatest correlation")
        assert seen.correlation == b"c" * 65_535


def files(folder: Path) -> int:
    """Bytes in a folder's files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
