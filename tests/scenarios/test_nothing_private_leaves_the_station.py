"""Promises 7 and 9: pseudonyms alone go out, secrets stay where they are kept, and no file of theirs is touched."""

import json
import re
from pathlib import Path

from gateway.cli.street import Code, serial_frame
from tests.support.air import band, burst
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon
from tests.support.mosquitto import Mosquitto
from tests.support.receiver import Receiver

USERS = {"box": "a long secret", "desk": "desk"}


def test_addresses_and_secrets_stay_in_the_station_and_its_files_as_they_were(
    tmp_path: Path, receiver: Receiver
) -> None:
    secrets = {"password": USERS["box"], "fleet": "a fleet's secret"}
    (tmp_path / "box").mkdir()
    for name, secret in secrets.items():
        (tmp_path / "box" / name).write_text(secret)
    mqtt = "  username: box\n  password: {file: password}"
    more = f"serial: [{{port: {receiver.path}, name: rx}}]\nfleet_key: {{file: fleet}}\nhealth_every: 1s"
    with (
        Mosquitto(tmp_path, users=USERS) as broker,
        Cloud(broker, user=("desk", "desk")) as cloud,
        Daemon(tmp_path / "box", [broker.url], mqtt=mqtt, more=more) as daemon,
    ):
        theirs = {path: path.read_bytes() for path in (tmp_path / "box").glob("*") if path.suffix == ".yaml"}
        stranger = band(99)
        for sender in (band(1), stranger):
            receiver.write(serial_frame(sender.number, burst(sender, Code.SOS)[0]))
        receiver.write(b"rubbish" * 20)
        cloud.wait(lambda c: len(c.alerts(kind="sos")) == 2 and c.readings())
        cloud.request("alerts")
        cloud.request("info")
        cloud.wait(lambda c: len(c.messages("health")) > 1)
        assert daemon.stop() == 0
        said = "".join(seen.topic + json.dumps(seen.body) for seen in cloud.seen).lower()
        for sender in (band(1), stranger):
            number = f"{sender.number:08x}"
            full = sender.address
            shown = {number, full, ":".join(full[at : at + 2] for at in range(0, 12, 2))}
            assert not [form for form in shown if re.search(rf"\b{form}\b", said)]
        for secret in secrets.values():
            assert secret not in said
            assert secret not in daemon.log_text()
        assert {path: path.read_bytes() for path in theirs} == theirs
