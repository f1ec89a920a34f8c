"""An alert passes whatever else has gathered: order is what is shown here, times are the bench's."""

from pathlib import Path

from gateway.cli.street import Code, serial_frame
from tests.bench.street import bands, frames
from tests.support.air import band, burst
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for
from tests.support.receiver import Receiver

BACKLOG = 4_000


def test_an_alert_does_not_wait_behind_the_telemetry_that_an_outage_left(tmp_path: Path, receiver: Receiver) -> None:
    broker = Mosquitto(tmp_path)
    more = f"serial: [{{port: {receiver.path}, name: rx}}]\ntelemetry: {{batch: 1}}"
    with Daemon(tmp_path / "box", [broker.url], devices=101, more=more) as daemon:
        wait_for(lambda: daemon.log(event="link up"), 5)
        vitals = frames(bands(100))
        for _ in range(BACKLOG // len(vitals)):
            receiver.write(b"".join(vitals), seconds=20.0)
        pressed = band(101)
        with broker, Cloud(broker) as cloud:
            cloud.wait(lambda c: c.messages("telemetry"), 20)
            receiver.write(serial_frame(pressed.number, burst(pressed, Code.SOS)[0]))
            cloud.wait(lambda c: c.alerts(wearer="w-0101"), 20)
            cloud.wait(lambda c: len(c.readings()) >= BACKLOG, 60)
            topics = [seen.topic for seen in cloud.messages("") if "specversion" in seen.body]
            at = next(number for number, topic in enumerate(topics) if "/alert/" in topic)
            behind = sum(topic.endswith("/telemetry") for topic in topics[at:])
            assert behind > BACKLOG // 2
