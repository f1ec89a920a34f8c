"""Brokers as they are: with certificates, passwords and access lists, away, deaf, or several of them."""

import os
import time
from datetime import datetime
from pathlib import Path

import pytest

from gateway.cli.street import Code, serial_frame
from tests.support.air import band, burst
from tests.support.certificates import Certificates
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon, faults
from tests.support.line import NOWHERE, Line
from tests.support.mosquitto import Mosquitto
from tests.support.processes import free_port, wait_for
from tests.support.receiver import Receiver

USERS = {"box": "s3cret, with spaces", "desk": "desk"}
ALL_BUT_ALERTS = """
user desk
topic readwrite #
user box
topic readwrite 398/v1/test-01/state
topic readwrite 398/v1/test-01/health
topic readwrite 398/v1/test-01/telemetry
topic readwrite 398/v1/test-01/gap
topic {probe} 398/v1/test-01/probe
topic read 398/v1/test-01/alert/+/ack
topic read 398/v1/test-01/request/#
topic write 398/v1/test-01/response/#
"""
PASSWORD = "  username: box\n  password: {file: password}\n"


def press(receiver: Receiver, number: int = 1) -> None:
    sender = band(number)
    for payload in burst(sender, Code.SOS):
        receiver.write(serial_frame(sender.number, payload))


def with_password(folder: Path, password: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "password").write_text(f"{password}\n")
    return folder


def pressed_at(daemon: Daemon) -> float:
    return datetime.fromisoformat(daemon.log(event="alert", kind="sos")[0]["timestamp"]).timestamp()


def gone_at(daemon: Daemon) -> float:
    return datetime.fromisoformat(daemon.log(event="fault", where="uplink:alert")[0]["timestamp"]).timestamp()


def at_the_end(line: Line, folder: Path, brokers: list[str], receiver: Receiver) -> Daemon:
    """A station at the other end of a line."""
    return Daemon(folder / "box", brokers, more=on(receiver), enter=line.enter)


def on(receiver: Receiver) -> str:
    return f"serial: [{{port: {receiver.path}, name: rx}}]"


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_tls_with_a_client_certificate(tmp_path: Path, receiver: Receiver, version: str) -> None:
    tls = Certificates(tmp_path / "pki")
    mqtt = f"  tls: {{ca: {tls.ca}, certificate: {tls.client}, key: {tls.client_key}}}"
    with (
        Mosquitto(tmp_path, tls=tls) as broker,
        Cloud(broker) as cloud,
        Daemon(tmp_path / "box", [broker.url], version=version, mqtt=mqtt, more=on(receiver)),
    ):
        press(receiver)
        assert cloud.wait(lambda c: c.alerts(kind="sos"))[0]["device"] == "band-0001"
        cloud.wait(lambda c: c.readings())
        assert cloud.breaches == []


@pytest.mark.parametrize(
    ("mqtt", "fault", "told"),
    [
        ("  tls: {{ca: {other.ca}, certificate: {ours.client}, key: {ours.client_key}}}", "broker_certificate", "ca"),
        ("  tls: {{ca: {ours.ca}}}", "broker_closes", "mqtt.tls.certificate"),
    ],
)
def test_a_certificate_that_does_not_fit_is_a_named_fault_and_the_press_waits_on_disk(
    tmp_path: Path, receiver: Receiver, mqtt: str, fault: str, told: str
) -> None:
    ours, other = Certificates(tmp_path / "pki"), Certificates(tmp_path / "other", "other")
    given = mqtt.format(ours=ours, other=other)
    with (
        Mosquitto(tmp_path, tls=ours) as broker,
        Cloud(broker) as cloud,
        Daemon(tmp_path / "box", [broker.url], mqtt=given, more=on(receiver)) as daemon,
    ):
        found = wait_for(lambda: faults(daemon).get(fault), 10, f"{fault}: {daemon.log_text()}")
        assert told in found["cure"]
        press(receiver)
        wait_for(lambda: daemon.log(event="alert", kind="sos"), 5, "the alert is committed")
        daemon.stop()
        fitting = f"tls: {{ca: {ours.ca}, certificate: {ours.client}, key: {ours.client_key}}}"
        daemon.config.write_text(daemon.config.read_text().replace(given.strip(), fitting))
        daemon.restart()
        assert cloud.wait(lambda c: c.alerts(kind="sos"))[0]["device"] == "band-0001"


def test_a_certificate_that_has_run_out_is_a_named_fault_and_a_renewed_one_is_taken_without_a_restart(
    tmp_path: Path, receiver: Receiver
) -> None:
    tls = Certificates(tmp_path / "pki")
    mqtt = f"  tls: {{ca: {tls.ca}, certificate: {tls.client}, key: {tls.client_key}}}"
    with Mosquitto(tmp_path, tls=tls) as broker, Cloud(broker) as cloud:
        tls.renew_client(days=0)
        with Daemon(tmp_path / "box", [broker.url], mqtt=mqtt, more=on(receiver)) as daemon:
            wait_for(lambda: {"broker_closes", "broker_tls"} & faults(daemon).keys(), 10, daemon.log_text())
            press(receiver)
            wait_for(lambda: daemon.log(event="alert", kind="sos"), 10, "the alert is committed")
            tls.renew_client(days=2)
            assert cloud.wait(lambda c: c.alerts(kind="sos"), 20)[0]["device"] == "band-0001"
            wait_for(lambda: not {"broker_closes", "broker_tls"} & faults(daemon).keys(), 10)


def test_a_name_that_is_not_known_is_a_named_fault_and_the_next_broker_is_tried(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    urls = ["mqtt://no-such-broker.invalid:1883", broker.url]
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", urls, more=on(receiver)) as daemon:
        press(receiver)
        assert cloud.wait(lambda c: c.alerts(kind="sos"), 20)
        told = daemon.log(event="fault", fault="broker_unreachable")[0]
        assert "name servers" in told["cure"]


def test_a_name_server_that_never_answers_is_a_named_fault_and_the_next_broker_is_tried(
    tmp_path: Path, receiver: Receiver
) -> None:
    with (
        Line(names=NOWHERE) as line,
        Mosquitto(tmp_path, address=line.address) as broker,
        Cloud(broker) as cloud,
        at_the_end(line, tmp_path, ["mqtt://broker.example", broker.url_at(line.address)], receiver) as daemon,
    ):
        press(receiver)
        assert cloud.wait(lambda c: c.alerts(kind="sos"), 20)
        assert "name servers" in daemon.log(event="fault", fault="broker_unreachable")[0]["cure"]


def test_a_line_that_falls_silent_under_a_press_is_given_up_within_20_s(tmp_path: Path, receiver: Receiver) -> None:
    """Nothing ends and nothing passes, as behind a router that forgot us; the next broker is on another line."""
    with (
        Line() as line,
        Mosquitto(tmp_path, address=line.address) as first,
        Mosquitto(tmp_path, address=line.address) as second,
        Cloud(second) as cloud,
        at_the_end(line, tmp_path, [each.url_at(line.address) for each in (first, second)], receiver) as daemon,
    ):
        wait_for(lambda: daemon.log(event="connected"), 10)
        line.silence(first.port)
        press(receiver)
        assert cloud.wait(lambda c: c.alerts(kind="sos"), 40)
        assert gone_at(daemon) - pressed_at(daemon) <= 20


def test_a_broker_whose_host_is_gone_is_known_to_be_dead_within_20_s_though_nothing_is_sent(
    tmp_path: Path, receiver: Receiver
) -> None:
    """Half-open: its end was never told. What comes back knows nothing of us, and gets what was pressed meanwhile."""
    with (
        Line() as line,
        Mosquitto(tmp_path, address=line.address) as broker,
        at_the_end(line, tmp_path, [broker.url_at(line.address)], receiver) as daemon,
    ):
        wait_for(lambda: daemon.log(event="connected"), 10)
        line.silence(broker.port)
        silent_at = time.time()
        broker.kill()
        wait_for(lambda: daemon.log(event="fault", where="uplink:alert"), 30, "its end is noticed")
        assert gone_at(daemon) - silent_at <= 20
        press(receiver)
        broker.start()
        line.speak()
        with Cloud(broker) as cloud:
            assert cloud.wait(lambda c: c.alerts(kind="sos"), 20)


def test_an_alert_of_a_silence_of_seconds_is_there_when_the_line_is_back(tmp_path: Path, receiver: Receiver) -> None:
    with (
        Line() as line,
        Mosquitto(tmp_path, address=line.address) as broker,
        Cloud(broker) as cloud,
        at_the_end(line, tmp_path, [broker.url_at(line.address)], receiver) as daemon,
    ):
        cloud.wait(lambda c: c.state())
        line.silence(broker.port)
        press(receiver)
        time.sleep(3.0)
        assert cloud.alerts() == []
        line.speak()
        assert cloud.wait(lambda c: c.alerts(kind="sos"), 10)
        assert len(daemon.log(event="connected")) == 1
        assert len(cloud.alerts(reason="press")) == 1


def test_a_wrong_password_is_a_named_fault_and_is_read_anew(tmp_path: Path, receiver: Receiver) -> None:
    folder = with_password(tmp_path / "box", "wrong")
    with (
        Mosquitto(tmp_path, users=USERS) as broker,
        Cloud(broker, user=("desk", "desk")) as cloud,
        Daemon(folder, [broker.url], mqtt=PASSWORD, more=on(receiver)) as daemon,
    ):
        found = wait_for(lambda: faults(daemon).get("broker_refuses_credentials"), 10, daemon.log_text())
        assert "mqtt.password" in found["cure"]
        press(receiver)
        wait_for(lambda: daemon.log(event="alert", kind="sos"), 5, "ingest goes on")
        with_password(folder, USERS["box"])
        assert cloud.wait(lambda c: c.alerts(kind="sos"))[0]["device"] == "band-0001"
        assert "broker_refuses_credentials" not in faults(daemon)
        assert USERS["box"] not in daemon.log_text()


def test_a_password_from_a_systemd_credential(tmp_path: Path, receiver: Receiver) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "mqtt").write_text(USERS["box"])
    mqtt = "  username: box\n  password: {credential: mqtt}"
    environment = {"CREDENTIALS_DIRECTORY": str(credentials)}
    with (
        Mosquitto(tmp_path, users=USERS) as broker,
        Cloud(broker, user=("desk", "desk")) as cloud,
        Daemon(tmp_path / "box", [broker.url], mqtt=mqtt, more=on(receiver), environment=environment),
    ):
        press(receiver)
        cloud.wait(lambda c: c.alerts(kind="sos"))


@pytest.mark.parametrize(
    ("version", "probe", "fault"),
    [("5", "readwrite", "publish_refused"), ("3.1.1", "read", "not_heard_back")],
)
def test_a_denied_alert_stays_pending_until_the_broker_allows_it(
    tmp_path: Path, receiver: Receiver, version: str, probe: str, fault: str
) -> None:
    """Over 3.1.1 Mosquitto answers a denied publish like a good one: there the probe must give it away."""
    folder = with_password(tmp_path / "box", USERS["box"])
    with (
        Mosquitto(tmp_path, users=USERS, acl=ALL_BUT_ALERTS.format(probe=probe)) as broker,
        Cloud(broker, user=("desk", "desk")) as cloud,
        Daemon(folder, [broker.url], version=version, mqtt=PASSWORD, more=on(receiver)) as daemon,
    ):
        wait_for(lambda: daemon.log(event="connected"), 10)
        press(receiver)
        found = wait_for(lambda: faults(daemon).get(fault), 20, fault)
        assert "access list" in found["cure"]
        assert cloud.alerts() == []
        broker.allow("user desk\ntopic readwrite #\nuser box\ntopic readwrite #\n")
        assert cloud.wait(lambda c: c.alerts(kind="sos"), 15)[0]["device"] == "band-0001"
        wait_for(lambda: fault not in faults(daemon), 15, "the fault ends")


def test_the_list_of_brokers_is_walked_and_both_lanes_end_at_the_same_one(tmp_path: Path, receiver: Receiver) -> None:
    dead = f"mqtt://localhost:{free_port()}"
    with Mosquitto(tmp_path) as first, Mosquitto(tmp_path) as second, Cloud(second, name="second") as cloud:
        urls = [dead, first.url, second.url]
        with Daemon(tmp_path / "box", urls, more=on(receiver)) as daemon:
            wait_for(lambda: daemon.log(event="connected", broker=first.url), 10)
            first.stop()
            wait_for(lambda: daemon.log(event="connected", broker=second.url), 10, "the next broker")
            press(receiver)
            assert cloud.wait(lambda c: c.alerts(kind="sos"))
            assert cloud.wait(lambda c: c.readings())
            assert cloud.wait(lambda c: c.health())


def test_nobody_who_listens_is_a_fault_of_its_own(tmp_path: Path, broker: Mosquitto, receiver: Receiver) -> None:
    with Daemon(tmp_path / "box", [broker.url], more=on(receiver)) as daemon:
        wait_for(lambda: daemon.log(event="connected"), 10)
        press(receiver)
        wait_for(lambda: faults(daemon).get("nobody_listens"), 5, "nobody_listens")
        with Cloud(broker) as cloud:
            press(receiver, 2)
            cloud.wait(lambda c: c.alerts(device="band-0002"))
            wait_for(lambda: "nobody_listens" not in faults(daemon), 5, "somebody listens")


def test_no_broker_at_all_and_the_press_survives_until_there_is_one(tmp_path: Path, receiver: Receiver) -> None:
    broker = Mosquitto(tmp_path)
    with Daemon(tmp_path / "box", [broker.url], more=on(receiver)) as daemon:
        press(receiver)
        wait_for(lambda: daemon.log(event="alert", kind="sos"), 5, "the alert is committed")
        assert os.access(daemon.folder / "data" / "alert.db", os.R_OK)
        with broker, Cloud(broker) as cloud:
            assert cloud.wait(lambda c: c.alerts(kind="sos"))[0]["device"] == "band-0001"
