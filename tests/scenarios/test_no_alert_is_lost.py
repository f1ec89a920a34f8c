"""Promises 1 and 2: whatever is killed, every press arrives as one alert, and what may be missing is said."""

import random
import time

import pytest

from gateway.cli.street import Code, Kind, serial_frame
from tests.support.air import Air, band, over_serial
from tests.support.cloud import Cloud
from tests.support.crash import STEPS
from tests.support.daemon import Daemon
from tests.support.kills import AT_RANDOM, lives
from tests.support.processes import wait_for

PRESSES = 200
PACE = 4.0
"""Presses are on the air 2.5 s instead of 10 s, heartbeats come every 0.5 s; the daemon's restart is not compressed."""


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_two_hundred_presses_over_kills_and_a_broker_that_comes_and_goes(tmp_path, broker, receiver, version):
    chance = random.Random(20_261_124)
    more = f"serial: [{{port: {receiver.path}, name: rx}}]\nalerts: {{hold: 1s}}"
    daemon = Daemon(tmp_path / "box", [broker.url], devices=PRESSES, version=version, more=more)
    cloud = Cloud(broker)
    kills = outages = 0

    def heard(frame: bytes) -> None:
        receiver.write(frame, seconds=0.0)

    with daemon, cloud, Air(PRESSES, over_serial(heard), pace=PACE) as air:
        wait_for(lambda: daemon.log(event="link up"), 5)
        cloud.wait(lambda c: len({reading["device"] for reading in c.readings()}) == PRESSES, 20, "baselines")
        waiting = list(range(1, PRESSES + 1))
        chance.shuffle(waiting)
        while waiting:
            for _ in range(min(len(waiting), chance.randint(1, 12))):
                air.press(waiting.pop())
            time.sleep(chance.uniform(0.0, 0.4))
            if chance.random() < 0.5:
                daemon.kill()
                kills += 1
                time.sleep(chance.uniform(0.0, 0.3))
                daemon.start()
            if chance.random() < 0.2:
                broker.stop()  # killed, Mosquitto itself would lose what it had already acknowledged to us
                outages += 1
                time.sleep(chance.uniform(0.0, 1.0))
                broker.start()

        def devices(c: Cloud) -> set[str]:
            return {alert["device"] for alert in c.alerts(kind="sos")}

        try:
            cloud.wait(lambda c: len(devices(c)) == PRESSES, 60)
        finally:
            missing = {f"band-{n:04}" for n in range(1, PRESSES + 1)} - devices(cloud)
            print(f"{PRESSES} presses, {kills} kills, {outages} outages, missing {sorted(missing)}, seed 20261124")
    raised = cloud.alerts(kind="sos", reason="press")
    assert {alert["press_count"] for alert in raised} == {1}
    assert len({alert["id"] for alert in cloud.alerts(kind="sos")}) == PRESSES
    assert cloud.breaches == []
    assert min(kills, outages) >= 2


def test_whatever_step_of_the_road_a_kill_falls_on_every_press_is_one_alert_and_no_message_is_missing(tmp_path):
    toll = lives(tmp_path, [*STEPS, AT_RANDOM], seed=20_261_125)
    assert toll.whole, str(toll)


def test_a_station_that_forgets_what_it_had_committed_is_found_out(tmp_path):
    assert lives(tmp_path, ["committed", "before publish"], seed=20_261_125, forgetful=True).lost


def test_a_crash_leaves_a_gap_for_the_open_telemetry_group_and_a_clean_stop_none(tmp_path, broker, receiver):
    more = f"serial: [{{port: {receiver.path}, name: rx}}]"
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
        daemon.stop()
        daemon.restart()
        wait_for(lambda: len(daemon.log(event="connected")) == 2, 5)
        assert cloud.gaps() == []
        daemon.kill()
        daemon.restart()
        gap = cloud.wait(lambda c: c.gaps())[0]
        assert (gap["lane"], gap["cause"], gap["first"], gap["last"], gap["count"]) == (
            "telemetry", "crash", None, None, None
        )  # fmt: skip
        assert cloud.breaches == []


def test_numbers_have_no_holes_and_state_tells_where_each_lane_stands(tmp_path, broker, receiver):
    more = f"serial: [{{port: {receiver.path}, name: rx}}]\ntelemetry: {{commit_every: 50ms}}"
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
        wait_for(lambda: daemon.log(event="link up"), 5)
        for round_ in range(6):
            receiver.write(serial_frame(band(1).number, band(1, steps=round_).payload(Kind.VITALS)))
            cloud.wait(lambda c, n=round_: len(c.readings()) > n)
        daemon.stop()
        daemon.restart()
        cloud.wait(lambda c: c.state().get("state") == "online" and c.state()["lanes"]["telemetry"]["next"] > 6)
        numbers = [int(seen.body["sequence"]) for seen in cloud.messages("telemetry")]
        assert numbers == list(range(1, len(numbers) + 1))
        assert cloud.state()["lanes"]["telemetry"]["next"] == len(numbers) + 1


def test_what_was_heard_just_before_a_clean_stop_is_delivered(tmp_path, broker, receiver):
    more = f"serial: [{{port: {receiver.path}, name: rx}}]\ntelemetry: {{commit_every: 60s}}"
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
        wait_for(lambda: daemon.log(event="link up"), 5)
        sender = band(3)
        sender.press(Code.SOS, 0.0)
        receiver.write(serial_frame(sender.number, sender.payload(Kind.EVENT)))
        cloud.wait(lambda c: c.alerts(kind="sos"))
        began = time.monotonic()
        assert daemon.stop() == 0
        assert time.monotonic() - began < 5
        daemon.restart()
        cloud.wait(lambda c: c.readings())
        assert cloud.gaps() == []
