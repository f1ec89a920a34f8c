"""A key that is stuck, or a wearer who presses and presses: every press arrives, marked, and the storm is told once."""

from pathlib import Path

from gateway.cli.street import Code, serial_frame
from tests.support.air import band, burst
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon
from tests.support.mosquitto import Mosquitto
from tests.support.receiver import Receiver


def test_the_seventh_press_of_an_hour_is_marked_also_where_a_crash_lies_between(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    sender = band(1)

    def press(code: Code) -> None:
        for payload in burst(sender, code):
            receiver.write(serial_frame(sender.number, payload))

    def presses(cloud: Cloud) -> list[bool]:
        told = cloud.alerts(device="band-0001", reason="press")
        return [data["storm"] for data in told if data["kind"] != "storm"]

    more = f"serial: [{{port: {receiver.path}, name: rx}}]"
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
        codes = [Code.SOS, Code.SHOPPING, Code.SOS, Code.FALL, Code.SOS, Code.RIDE]
        for count, code in enumerate(codes, 1):
            press(code)
            cloud.wait(lambda c, n=count: len(presses(c)) == n)
        assert presses(cloud) == [False] * 6
        daemon.kill()
        daemon.restart()
        for count in (7, 8):
            press(Code.SOS)
            cloud.wait(lambda c, n=count: len(presses(c)) == n)
        assert presses(cloud)[6:] == [True, True]
        (storm,) = cloud.wait(lambda c: c.alerts(kind="storm"))
        assert (storm["device"], storm["wearer"], storm["severity"]) == ("band-0001", "w-0001", "technical")
        press_count = max(data["press_count"] for data in cloud.alerts(kind="sos"))
        assert press_count == 5
        answer = cloud.answer("ack", cloud.acknowledge(storm["id"], "clear"))
        assert answer["result"]["state"] == "cleared"
        assert cloud.breaches == []
