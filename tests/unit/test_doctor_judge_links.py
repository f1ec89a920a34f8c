"""What is found of the daemon and of what it is joined to: one row for each thing that can be so."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from gateway import contract
from gateway.box import Certificate, Unseen
from gateway.doctor import judge_links
from gateway.doctor.facts import Adapter, Blocked, Port, Trouble, Welcome
from gateway.doctor.findings import Finding, Sign
from gateway.doctor.judge_links import LISTEN_S, MILD
from gateway.doctor.standing import Daemon, Fault, Lane, Link, NoDaemon

NOW = datetime(2026, 11, 25, 8, 30, tzinfo=UTC)
ADAPTER = Adapter("hci0", "001a7dda7113", powered=True, scanning=True, blocked=Blocked.NO, bluetoothd="5.66")
PORT = Port("serial:a", "/dev/a", there=True)
QUIET = Link(up=True, packets=0, readings=0, rejected={}, profiles={})
HEARS = Link(up=True, packets=9, readings=20, rejected={"checksum": 1}, profiles={"398-reference": 8})
LANE = Lane(pending=0, oldest_s=0, set_aside=0)
DAEMON = Daemon(LISTEN_S, {"serial:a": HEARS}, {"alert": LANE, "telemetry": LANE}, ())


@pytest.mark.parametrize(
    ("changes", "used", "sign"),
    [
        ({}, True, Sign.ADAPTER_GOOD),
        ({"scanning": False}, True, Sign.ADAPTER_IDLE),
        ({"scanning": False}, False, Sign.ADAPTER_GOOD),
        ({"powered": False, "scanning": False}, True, Sign.ADAPTER_OFF),
        ({"powered": False, "blocked": Blocked.SOFT}, True, Sign.ADAPTER_BLOCKED),
        ({"powered": False, "blocked": Blocked.HARD}, True, Sign.ADAPTER_SWITCHED_OFF),
    ],
)
def test_an_adapter(changes: dict[str, Any], sign: Sign, *, used: bool) -> None:
    version, found = judge_links.adapter(replace(ADAPTER, **changes), used=used)
    assert (version, found.sign) == (Finding(Sign.BLUETOOTHD_RUNS, found="5.66"), sign)


@pytest.mark.parametrize(
    ("fault", "sign"),
    [
        ("no_dbus", Sign.NO_BUS),
        ("no_bluetoothd", Sign.NO_BLUETOOTHD),
        ("no_adapter", Sign.ADAPTER_ABSENT),
        ("no_permission", Sign.BLUETOOTH_DENIED),
        ("radio_failed", Sign.BLUETOOTH_FAILED),
    ],
)
def test_bluetooth_that_cannot_be_asked(fault: str, sign: Sign) -> None:
    told = judge_links.adapter(Trouble(fault, "what", "cure"), used=False)
    assert list(told) == [Finding(sign, found="what", cure="cure")]


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({}, Finding(Sign.PORT_GOOD, "/dev/a")),
        ({"there": False}, Finding(Sign.PORT_ABSENT, "/dev/a")),
        ({"terminal": False}, Finding(Sign.PORT_NO_TERMINAL, "/dev/a")),
        ({"holders": ("a (1)", "b (2)"), "trouble": "x"}, Finding(Sign.PORT_TAKEN, "/dev/a", "a (1), b (2)")),
        ({"trouble": "Input/output error"}, Finding(Sign.PORT_FAILED, "/dev/a", "Input/output error")),
    ],
)
def test_a_port(changes: dict[str, Any], finding: Finding) -> None:
    assert list(judge_links.port(replace(PORT, **changes))) == [finding]


def test_each_broker_is_told_and_that_none_lets_us_in() -> None:
    good, away = Welcome("mqtt://a:1883"), Trouble("broker_unreachable", "mqtt://b:1883: no", "see")
    told = Finding(Sign.BROKER_UNREACHABLE, found="mqtt://b:1883: no", cure="see")
    assert list(judge_links.brokers([good, away])) == [Finding(Sign.BROKER_GOOD, "mqtt://a:1883"), told]
    assert list(judge_links.brokers([away])) == [told, Finding(Sign.NO_BROKER)]


def test_every_fault_of_a_connection_has_its_sign() -> None:
    source = Path(judge_links.__file__).parents[1].joinpath("sinks/failures.py").read_text(encoding="utf-8")
    for fault in set(re.findall(r'"(broker_\w+|credentials_\w+)"', source)):
        assert len(list(judge_links.brokers([Trouble(fault, "a", "b"), Welcome("c")]))) == 2


@pytest.mark.parametrize(
    ("begins", "ends", "sign"),
    [
        (-1, 31, Sign.CERTIFICATE_GOOD),
        (-1, 30, Sign.CERTIFICATE_ENDS),
        (-1, 1, Sign.CERTIFICATE_ENDS),
        (-2, 0, Sign.CERTIFICATE_ENDED),
        (-9, -3, Sign.CERTIFICATE_ENDED),
        (1, 90, Sign.CERTIFICATE_EARLY),
    ],
)
def test_a_certificate(begins: int, ends: int, sign: Sign) -> None:
    fact = Certificate("mqtt.tls.ca", NOW + timedelta(days=begins), NOW + timedelta(days=ends))
    (found,) = judge_links.certificate(fact, NOW)
    assert (found.sign, found.where) == (sign, "mqtt.tls.ca")


def test_a_certificate_that_cannot_be_read() -> None:
    (found,) = judge_links.certificate(Unseen("mqtt.tls.ca", "it is gone"), NOW)
    assert found == Finding(Sign.CERTIFICATE_UNREADABLE, "mqtt.tls.ca", "it is gone")


def test_a_daemon_that_is_well_and_one_that_is_not_there() -> None:
    assert list(judge_links.daemon(DAEMON)) == [Finding(Sign.DAEMON_RUNS, found="10")]
    assert list(judge_links.daemon(NoDaemon("s", "why"))) == [Finding(Sign.NO_DAEMON, "s", "why")]
    assert list(judge_links.daemon(NoDaemon("s", "why", denied=True))) == [Finding(Sign.DAEMON_DENIED, "s", "why")]


def test_what_the_daemon_complains_of_comes_with_its_own_cure() -> None:
    faults = tuple(Fault(name, "here", "what", "cure") for name in ("clock_unsynced", "nobody_listens"))
    _, mild, grave = judge_links.daemon(replace(DAEMON, faults=faults))
    assert mild == Finding(Sign.DAEMON_WARNS, "here", "clock_unsynced: what", cure="cure")
    assert grave == Finding(Sign.DAEMON_FAULT, "here", "nobody_listens: what", cure="cure")


def test_the_mild_faults_are_faults_that_there_are() -> None:
    page = Path(contract.__file__).with_name("README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(\w+)`", page.split("| fault |", 1)[1].split("\n\n", 1)[0])) >= MILD


@pytest.mark.parametrize(
    ("lane", "pending", "oldest_s", "told"),
    [("alert", 3, 60, True), ("alert", 3, 59, False), ("alert", 0, 60, False), ("telemetry", 3, 9999, False)],
)
def test_alerts_that_wait(lane: str, pending: int, oldest_s: int, *, told: bool) -> None:
    lanes = DAEMON.lanes | {lane: Lane(pending, oldest_s, set_aside=0)}
    found = list(judge_links.daemon(replace(DAEMON, lanes=lanes)))[1:]
    assert found == ([Finding(Sign.ALERTS_WAIT, found="3", more="1")] if told else [])


def test_messages_that_were_set_aside() -> None:
    lanes = DAEMON.lanes | {"influx": replace(LANE, set_aside=2)}
    assert list(judge_links.daemon(replace(DAEMON, lanes=lanes)))[1:] == [Finding(Sign.SET_ASIDE, "influx", "2")]


@pytest.mark.parametrize(
    ("link", "uptime_s", "finding"),
    [
        (HEARS, 1, Finding(Sign.LINK_HEARS, "serial:a", "9")),
        (QUIET, LISTEN_S, Finding(Sign.LINK_SILENT, "serial:a", "10")),
        (QUIET, LISTEN_S - 1, None),
        (replace(QUIET, up=False), LISTEN_S, None),
        (replace(QUIET, packets=4), 1, Finding(Sign.LINK_UNREAD, "serial:a", "4")),
        (replace(QUIET, rejected={"checksum": 5}), 1, Finding(Sign.LINK_UNREAD, "serial:a", "5")),
    ],
)
def test_a_link(link: Link, uptime_s: int, finding: Finding | None) -> None:
    found = list(judge_links.links(replace(DAEMON, links={"serial:a": link}, uptime_s=uptime_s), ()))
    assert found == ([finding] if finding else [])


def test_a_profile_that_has_read_nothing_is_told_once_it_had_the_time() -> None:
    meant = ("398-reference", "pendant")
    assert list(judge_links.links(DAEMON, meant))[1:] == [Finding(Sign.PROFILE_SILENT, "pendant", "10")]
    assert list(judge_links.links(replace(DAEMON, uptime_s=LISTEN_S - 1), meant))[1:] == []
