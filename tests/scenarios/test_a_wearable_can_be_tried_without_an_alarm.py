"""A test window takes one SOS for a test; the next one is real, and so is everything after a restart."""

import json
import subprocess
import sys
from pathlib import Path

from gateway.cli.street import Code, serial_frame
from tests.support.air import band, burst
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon
from tests.support.mosquitto import Mosquitto
from tests.support.receiver import Receiver


def test_the_first_sos_in_a_window_is_a_test_and_the_next_one_is_real(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    sender = band(1)

    def press(code: Code = Code.SOS) -> None:
        for payload in burst(sender, code):
            receiver.write(serial_frame(sender.number, payload))

    def told(cloud: Cloud) -> list[tuple[str, bool, str]]:
        return [(data["kind"], data["test"], data["severity"]) for data in cloud.alerts(reason="press")]

    more = f"serial: [{{port: {receiver.path}, name: rx}}]"
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
        session = cloud.wait(lambda c: c.state().get("session"))
        opened = cloud.request("test-window", session=session, by="desk-3", device="band-0001", minutes=1)
        assert opened["result"]["device"] == "band-0001"
        press(Code.FALL)
        cloud.wait(lambda c: len(told(c)) == 1)
        press()
        cloud.wait(lambda c: len(told(c)) == 2)
        press()
        cloud.wait(lambda c: len(told(c)) == 3)
        assert told(cloud) == [("fall", False, "critical"), ("sos", True, "technical"), ("sos", False, "critical")]
        (test,) = cloud.alerts(kind="sos", test=True)
        assert cloud.answer("ack", cloud.acknowledge(test["id"]))["result"]["state"] == "accepted"
        story = terminal(daemon, "alerts", "show", test["id"])["story"]
        assert {"type": "tested", "by": "desk-3"} in [line["what"] for line in story]

        assert terminal(daemon, "devices", "test", "band-0001")["device"] == "band-0001"
        daemon.kill()
        daemon.restart()
        press()
        cloud.wait(lambda c: len(told(c)) == 4)
        assert told(cloud)[-1] == ("sos", False, "critical")
        late = cloud.request("test-window", session=session, by="desk-3", device="band-0001")
        assert late["error"]["code"] == "stale"
        windows = [line["event"] for line in daemon.log(device="band-0001") if "window" in line["event"]]
        assert windows == ["test window opened", "test window used", "test window opened"]
        assert cloud.breaches == []


def terminal(daemon: Daemon, *words: str) -> dict[str, object]:
    command = [sys.executable, "-m", "gateway.cli.main", *words, "--json", "--config", str(daemon.config)]
    told: dict[str, object] = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=30).stdout)
    return told
