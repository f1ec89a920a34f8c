"""An alert passes whatever else has gathered: order is what is shown here, times are the bench's."""

import multiprocessing
import time
from contextlib import ExitStack
from pathlib import Path

from gateway.cli.street import Code, serial_frame
from tests.bench.flood import ADVERTS, FAST_BYTES, LINE_BYTES, crowd, noise
from tests.bench.rig import Rig
from tests.bench.street import bands, frames, wire
from tests.support.air import band, burst
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon
from tests.support.line import Line
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


def test_alerts_pass_noise_on_every_line_and_adverts_without_end(tmp_path: Path) -> None:
    with Rig(tmp_path, 120) as rig, Cloud(rig.broker) as cloud, ExitStack() as over:
        for pours in (
            lambda: noise(wire(rig.receiver), LINE_BYTES),
            lambda: noise(wire(rig.noise), FAST_BYTES),
            lambda: crowd(rig, ADVERTS, bands(100)),
        ):
            flood = multiprocessing.get_context("fork").Process(target=pours, daemon=True)
            flood.start()
            over.callback(flood.join)
            over.callback(flood.kill)
        cloud.wait(lambda c: len(c.readings()) > 1_000, 30, "the crowd")
        for number in range(101, 121):
            pressed = band(number)
            for payload in burst(pressed, Code.SOS):  # noise may cut a frame in two, so it comes more than once
                rig.receiver.write(serial_frame(pressed.number, payload))
        wanted = {f"band-{number:04}" for number in range(101, 121)}
        cloud.wait(lambda c: {alert["device"] for alert in c.alerts(kind="sos")} == wanted, 30)


def test_lists_that_are_asked_for_without_end_do_not_fill_a_slow_line(tmp_path: Path, receiver: Receiver) -> None:
    more = f"serial: [{{port: {receiver.path}, name: rx}}]"
    with (
        Line(rate=64_000) as line,
        Mosquitto(tmp_path, address=line.address) as broker,
        Cloud(broker) as cloud,
        Daemon(tmp_path / "box", [broker.url_at(line.address)], devices=11, more=more, enter=line.enter),
    ):
        for number in range(1, 11):
            receiver.write(serial_frame(band(number).number, burst(band(number), Code.SOS)[0]))
        cloud.wait(lambda c: len(c.alerts(reason="press")) == 10, 20)
        for _ in range(20):  # 20 lists of 10 alerts are 18 s of this line
            cloud.publish("request/alerts", b'{"v":1,"id":"one-of-many"}')
            time.sleep(0.05)
        receiver.write(serial_frame(band(11).number, burst(band(11), Code.SOS)[0]))
        cloud.wait(lambda c: c.alerts(device="band-0011"), 20)
        told = [seen.body["status"] for seen in cloud.messages("response/alerts")]
        assert told.count("ok") <= 3, told
