"""What is broken, since when and what cures it: said once, and reported as the contract says."""

import asyncio
from pathlib import Path

import structlog

from gateway.health import Faults, LinkCounters
from gateway.report import Report
from tests.support import contract
from tests.support.drafts import Broker, draft
from tests.support.inside import StillClock, make_wire, open_lane
from tests.support.moments import moment


def broken(faults: Faults) -> list[tuple[str, str]]:
    return [(fault.fault, fault.where) for fault in faults]


def test_a_fault_keeps_its_beginning_and_takes_its_latest_words() -> None:
    clock = StillClock()
    faults = Faults(clock.moment)
    faults.begin("storage", "alert", "full", "free space")
    clock.ms = 60_000
    faults.begin("storage", "alert", "read-only", "see the disk")
    (fault,) = faults
    assert (fault.since, fault.what, fault.cure) == (moment(0), "read-only", "see the disk")
    faults.end("alert")
    faults.begin("storage", "alert", "full", "free space")
    assert [fault.since for fault in faults] == [moment(60_000)]


def test_one_fault_or_all_of_a_place_are_ended_and_other_places_keep_theirs() -> None:
    faults = Faults(StillClock().moment)
    for fault, where in (("a", "x"), ("b", "x"), ("c", "x"), ("a", "y")):
        faults.begin(fault, where, "what", "cure")
    faults.end("x", "a")
    assert broken(faults) == [("b", "x"), ("c", "x"), ("a", "y")]
    faults.end("x")
    assert (broken(faults), len(faults)) == ([("a", "y")], 1)
    faults.end("nowhere")
    assert len(faults) == 1


def test_beginning_and_end_are_one_line_each_however_often_they_are_told() -> None:
    faults = Faults(StillClock().moment)
    with structlog.testing.capture_logs() as lines:
        for _ in range(5):
            faults.begin("a", "x", "what", "cure")
        for _ in range(5):
            faults.end("x")
    assert [(line["event"], line["fault"], line["where"]) for line in lines] == [
        ("fault", "a", "x"), ("fault over", "a", "x")
    ]  # fmt: skip
    assert (lines[0]["what"], lines[0]["cure"]) == ("what", "cure")


def test_health_is_as_the_contract_says_and_counts_what_each_link_and_lane_did(tmp_path: Path) -> None:
    async def run() -> None:
        clock = StillClock()
        wire, faults = make_wire(clock), Faults(clock.moment)
        first, second = LinkCounters(up=True, packets=5, readings=9, events=3), LinkCounters(packets=1, unknown=1)
        first.rejected["checksum"] += 2
        async with open_lane(tmp_path, "alert") as alert, open_lane(tmp_path, "telemetry") as telemetry:
            lanes = {"alert": alert, "telemetry": telemetry}
            report = Report(wire, {"serial:a": first, "ble:hci0": second}, lanes, faults, clock.moment())
            assert report.status() == "6 packets, 9 readings, 3 events, 0 pending, 0 delivered"
            faults.begin("ble_absent", "ble:hci0", "no adapter", "plug one in")
            alert.attach(Broker())
            await alert.commit([draft(), draft()])
            async with asyncio.timeout(5):
                while alert.pending < 2:
                    await asyncio.sleep(0.002)
            clock.ms = 3_700_000
            now = clock.moment()
            told = report.health(clock)
            message = wire.health("01kas0g5m0w3v9rb6h2yj8n4kq", now, told)
            contract.check(message.topic, message.payload)
            assert (told["uptime_s"], told["counters"]["pending"]) == (3700, 2)
            assert [lane["connected"] for lane in told["lanes"].values()] == [True, False]
            assert told["links"]["serial:a"]["rejected"] == {"checksum": 2}
            assert [(fault["where"], fault["since"]) for fault in told["faults"]] == [
                ("ble:hci0", "2026-11-24T00:00:00.000Z")
            ]
            assert report.status().endswith("; 1 faults")

    asyncio.run(run())
