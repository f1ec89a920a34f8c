"""Prometheus scrapes a real daemon, and reads what its health says; a daemon that is not scraped carries none of it."""

import subprocess
import sys
import urllib.request
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from gateway.cli.street import Kind, serial_frame
from tests.support.air import band
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon, faults
from tests.support.mosquitto import Mosquitto
from tests.support.processes import free_port, wait_for
from tests.support.receiver import Receiver

Numbers = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scraped(port: int) -> Numbers:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    return {(sample.name, frozenset(sample.labels.items())): sample.value for f in families for sample in f.samples}


def number(found: Numbers, name: str, **labels: str) -> float | None:
    return found.get((f"station_gateway_{name}", frozenset(labels.items())))


def test_what_is_scraped_is_what_health_says(tmp_path: Path, broker: Mosquitto, receiver: Receiver) -> None:
    port = free_port()
    more = f"serial: [{{port: {receiver.path}, name: rx}}, {{port: /dev/absent, name: gone}}]\nhealth_every: 1s\n"
    more += f"metrics: {{port: {port}}}"
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
        wait_for(lambda: daemon.log(event="link up", link="serial:rx"), 5)
        for _ in range(5):
            receiver.write(serial_frame(1, band(1).payload(Kind.HEARTBEAT)))
        receiver.write(b"\xa5\x5a\x06" + bytes(8) + b"\xa5")
        found = wait_for(lambda: (n := scraped(port)) and number(n, "packets_total", link="serial:rx") == 5 and n, 10)
        health = cloud.wait(lambda c: (h := c.health()).get("counters", {}).get("packets") == 5 and h, 10)
        for link, told in health["links"].items():
            assert number(found, "readings_total", link=link) == told["readings"]
            assert number(found, "events_total", link=link) == told["events"]
            assert number(found, "link_up", link=link) == told["up"]
        assert number(found, "decoded_packets_total", link="serial:rx", profile="398-reference") == 5
        assert number(found, "rejected_frames_total", link="serial:rx", reason="checksum") == 1
        assert number(found, "fault", fault="serial_absent", where="serial:gone") == 1
        assert number(found, "disk_free_bytes") is not None
        wait_for(lambda: number(scraped(port), "delivered_total", lane="telemetry"), 10)
        wait_for(lambda: number(scraped(port), "pending_messages", lane="telemetry") == 0, 10)
        found = scraped(port)
        assert not [labels for name, labels in found if {"device", "wearer"} & dict(labels).keys()]
        assert "w-0001" not in str(found)


def test_a_port_that_is_taken_is_a_fault_and_nothing_else_is_disturbed(tmp_path: Path, broker: Mosquitto) -> None:
    more = f"metrics: {{port: {broker.port}}}"
    with Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
        wait_for(lambda: daemon.log(event="connected"), 10)
        assert wait_for(lambda: faults(daemon).get("metrics_absent"), 10)["where"] == "metrics"


def test_a_daemon_without_metrics_carries_none_of_it() -> None:
    asked = "import gateway.cli.run, sys; print(*{'prometheus_client', 'cryptography'} & sys.modules.keys())"
    assert subprocess.check_output([sys.executable, "-c", asked], text=True) == "\n"
