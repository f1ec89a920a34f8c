"""Promise 4: copies of one press are one alert, over receivers and over restarts."""

import os
from contextlib import ExitStack

from gateway.cli.street import Code, Kind, advert_line, serial_frame
from tests.support.air import band
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon
from tests.support.processes import wait_for
from tests.support.receiver import Receiver


def two_receivers_and_a_radio(tmp_path):
    fifo = tmp_path / "adverts"
    os.mkfifo(fifo)
    ports = f"serial: [{{port: {tmp_path}/a, name: a}}, {{port: {tmp_path}/b, name: b}}]\n"
    return fifo, f"{ports}replay: [{{file: {fifo}, name: air}}]"


def test_three_links_and_a_kill_in_the_middle_are_one_alert(tmp_path, broker):
    fifo, more = two_receivers_and_a_radio(tmp_path)
    sender = band(1)
    with ExitStack() as opened:
        a, b = (opened.enter_context(Receiver(tmp_path / name)) for name in "ab")
        cloud = opened.enter_context(Cloud(broker))
        daemon = opened.enter_context(Daemon(tmp_path / "box", [broker.url], more=more))
        air = opened.enter_context(fifo.open("r+b", buffering=0))

        def on_the_air(copies: int) -> None:
            frame = serial_frame(sender.number, sender.payload(Kind.EVENT))
            for _ in range(copies):
                a.write(frame)
                b.write(frame)
                air.write(advert_line(sender.address, sender.payload(Kind.EVENT)))

        wait_for(lambda: len(daemon.log(event="link up")) == 3, 5)
        sender.press(Code.SOS, 0.0)
        on_the_air(15)
        cloud.wait(lambda c: c.alerts(kind="sos"))
        daemon.kill()
        daemon.restart()
        wait_for(lambda: len(daemon.log(event="link up")) == 6, 5)
        on_the_air(15)
        sender.press(Code.SOS, 0.0)
        on_the_air(15)
        cloud.wait(lambda c: c.alerts(press_count=2))
        alerts = cloud.alerts(kind="sos", reason="press")
        assert [alert["press_count"] for alert in alerts] == [1, 2]
        assert len({alert["id"] for alert in alerts}) == 1
        listed = {heard["link"] for heard in cloud.request("alerts")["result"]["alerts"][0]["heard_by"]}
        assert listed == {"serial:a", "serial:b", "replay:air"}
        assert cloud.breaches == []


def test_a_press_while_the_box_was_down_is_raised_late_and_once(tmp_path, broker, receiver):
    more = f"serial: [{{port: {receiver.path}, name: rx}}]"
    sender = band(1)
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
        wait_for(lambda: daemon.log(event="link up"), 5)
        receiver.write(serial_frame(sender.number, sender.payload(Kind.HEARTBEAT)))
        cloud.wait(lambda c: c.readings())
        daemon.kill()
        sender.press(Code.SOS, 0.0)
        daemon.restart()
        wait_for(lambda: len(daemon.log(event="link up")) == 2, 5)
        for _ in range(20):
            receiver.write(serial_frame(sender.number, sender.payload(Kind.HEARTBEAT)))
        alert = cloud.wait(lambda c: c.alerts(kind="sos"))[0]
        assert alert["late"] is True
        cloud.wait(lambda c: len(c.readings()) > 5)
        assert [a["press_count"] for a in cloud.alerts(reason="press")] == [1]


def test_strangers_raise_twenty_alerts_and_one_flood_that_counts_the_rest(tmp_path, broker, receiver):
    more = f"serial: [{{port: {receiver.path}, name: rx}}]"
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
        wait_for(lambda: daemon.log(event="link up"), 5)
        for number in range(5_000, 5_300):
            stranger = band(number)
            stranger.press(Code.SOS, 0.0)
            receiver.write(serial_frame(stranger.number, stranger.payload(Kind.EVENT)))
        registered = band(2)
        registered.press(Code.SOS, 0.0)
        receiver.write(serial_frame(registered.number, registered.payload(Kind.EVENT)))
        cloud.wait(lambda c: c.alerts(device="band-0002"))
        assert len(cloud.alerts(kind="sos", registered=False, reason="press")) == 20
        assert len(cloud.alerts(kind="alarm_flood", reason="press")) == 1
        repeated = cloud.wait(lambda c: c.alerts(kind="alarm_flood", reason="repeat"), 15)
        assert repeated[0]["value"] == 280
        assert cloud.breaches == []
