"""A lane opens whatever its file has been through, deletes nothing, and says what may have been lost."""

import asyncio
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from gateway.forward import Lane, Window
from gateway.health import Faults
from gateway.lanes import NO_MATCHING_SUBSCRIBERS, Opened, Plan, open_store, start_lane, thinned
from gateway.model import Draft, GapCause, Sample, Settlement, Wearable
from gateway.rows import Row
from gateway.store import Store
from tests.support import contract
from tests.support.drafts import Broker, draft, on_disk
from tests.support.inside import StillClock, make_wire
from tests.support.moments import moment

ALERT = Plan("alert", Window(), must_be_heard=True)
TELEMETRY = Plan("telemetry", Window(), grouped=True)


def opened(folder: Path, plan: Plan) -> Opened:
    return open_store(folder, plan, StillClock())


async def started(folder: Path, plan: Plan, faults: Faults | None = None) -> Lane:
    clock = StillClock()
    faults = Faults(clock.moment) if faults is None else faults
    return await start_lane(opened(folder, plan), plan, make_wire(clock), clock, faults)


async def seqs(lane: Lane) -> list[int]:
    return [row.seq for row in await lane.outbox.read(0, 10_000)]


async def gaps(lane: Lane) -> list[dict[str, Any]]:
    """The gap messages in the file, held against the contract."""
    rows = [row for row in await lane.outbox.read(0, 10_000) if row.topic.endswith("/gap")]
    for row in rows:
        contract.check(row.topic, row.payload)
    return [json.loads(row.payload)["data"] for row in rows]


def filled(folder: Path, plan: Plan, rows: int = 400) -> Store:
    store = Store(folder / f"{plan.name}.db", "0dd0ba11")
    store.write([draft("x" * 500) for _ in range(rows)], [], [], 0)
    return store


def damage(path: Path) -> bytes:
    """Overwrite a part of it, as a dying disk does; what stands there afterwards."""
    octets = bytearray(path.read_bytes())
    octets[len(octets) // 2 : len(octets) // 2 + 8192] = b"\xa5" * 8192
    path.write_bytes(octets)
    return bytes(octets)


@pytest.mark.parametrize("plan", [ALERT, TELEMETRY])
def test_a_new_lane_and_one_that_was_closed_have_no_gap(tmp_path: Path, plan: Plan) -> None:
    first = opened(tmp_path, plan)
    assert first.gaps == []
    first.store.close()
    again = opened(tmp_path, plan)
    assert (again.gaps, again.store.epoch) == ([], first.store.epoch)


def test_after_a_crash_only_the_lane_that_gathers_in_memory_has_a_gap(tmp_path: Path) -> None:
    async def run() -> None:
        for plan, causes in ((ALERT, []), (TELEMETRY, ["crash"])):
            crashed = filled(tmp_path, plan, rows=3)  # collected as the file is opened anew, it would take the log away
            lane = await started(tmp_path, plan)
            told = await gaps(lane)
            assert [(gap["cause"], gap["lane"], gap["epoch"]) for gap in told] == [
                (cause, plan.name, "0dd0ba11") for cause in causes
            ]
            assert await seqs(lane) == list(range(1, 4 + len(causes)))
            await lane.close()
            crashed.abandon()

    asyncio.run(run())


@pytest.mark.parametrize("how", ["rubbish", "in the middle", "cut short"])
def test_a_damaged_file_is_set_aside_whole_and_the_lane_begins_anew_and_says_so(tmp_path: Path, how: str) -> None:
    path = tmp_path / "alert.db"
    filled(tmp_path, ALERT).close()
    match how:
        case "rubbish":
            path.write_bytes(os.urandom(9_000))
        case "in the middle":
            damage(path)
        case "cut short":
            path.write_bytes(path.read_bytes()[:30_000])
    before = path.read_bytes()

    async def run() -> None:
        lane = await started(tmp_path, ALERT)
        (told,) = await gaps(lane)
        assert (told["cause"], told["first"], told["last"]) == ("corrupt", None, None)
        assert told["epoch"] == lane.outbox.epoch != "0dd0ba11"
        rows = await lane.outbox.read(0, 10_000)
        saved = [row.seq for row in rows if row.payload.startswith(f"0dd0ba11-{row.seq} xx".encode())]
        assert len(saved) >= {"rubbish": 0, "in the middle": 380, "cut short": 0}[how]
        assert await seqs(lane) == [*saved, rows[-1].seq]
        await lane.commit([draft("goes on")])
        assert (await lane.outbox.read(0, 10_000))[-1].id == f"{lane.outbox.epoch}-2"
        await lane.close()

    asyncio.run(run())
    (aside,) = tmp_path.glob("alert.db.damaged-*[0-9]")
    assert aside.read_bytes() == before


def test_a_file_damaged_again_and_again_leaves_the_last_of_them_to_be_looked_at(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / "alert.db").write_bytes(bytes([number + 1]) * 9000)
        found = opened(tmp_path, ALERT).store
        assert found is not None
        found.close()
    assert [path.read_bytes()[0] for path in tmp_path.glob("alert.db.damaged-*")] == [3]


def test_what_is_committed_beside_a_damaged_file_survives_a_crash(tmp_path: Path) -> None:
    filled(tmp_path, ALERT).close()
    damage(tmp_path / "alert.db")
    found = opened(tmp_path, ALERT)
    assert [gap.cause for gap in found.gaps] == [GapCause.CORRUPT]
    assert found.store is not None
    found.store.write([draft("after")], [], [], 0)
    rows = found.store.read(0, 1_000)
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for suffix in ("", "-wal"):  # what a killed process leaves behind
        shutil.copy(tmp_path / f"alert.db{suffix}", crashed / f"alert.db{suffix}")
    again = opened(crashed, ALERT)
    assert again.store is not None
    assert (again.gaps, again.store.read(0, 1_000)) == ([], rows)


def test_a_folder_that_takes_no_file_is_said_and_the_lane_is_kept_in_memory(tmp_path: Path) -> None:
    (tmp_path / "alert.db").mkdir()

    async def run() -> None:
        lane = await started(tmp_path, ALERT)
        assert "alert.db" in str(lane.outbox.trouble)
        broker = Broker()
        lane.attach(broker)
        await lane.commit([draft("a")])
        await lane.commit([draft("b")])
        assert [row.id for row in broker.sent] == [f"{lane.outbox.epoch}-1", f"{lane.outbox.epoch}-2"]
        (tmp_path / "alert.db").rmdir()
        await lane.close()

    asyncio.run(run())
    found = opened(tmp_path, ALERT).store
    assert found is not None
    assert [row.payload.split()[1] for row in found.read(0, 10)] == [b"a", b"b"]


def test_a_lane_beyond_its_cap_says_from_where_to_where_it_gave_up(tmp_path: Path) -> None:
    async def run() -> None:
        lane = await started(tmp_path, Plan("telemetry", Window(), cap=1 << 20, grouped=True))
        for _ in range(1_200):
            await lane.commit([draft("x" * 1_000)])
        kept, told = await seqs(lane), await gaps(lane)
        missing = set(range(1, kept[-1] + 1)) - set(kept)
        assert {gap["cause"] for gap in told} == {"shed"}
        assert sum(gap["count"] for gap in told) == len(missing)
        assert missing <= {seq for gap in told for seq in range(gap["first"], gap["last"] + 1)}
        assert {gap["first"] for gap in told} | {gap["last"] for gap in told} <= missing
        await lane.close()

    asyncio.run(run())


def heard(rounds: int) -> list[Sample]:
    """What five wearables say every 2 s: a pulse that goes up and down, and a battery that does not."""
    bands = [Wearable(f"{number:08x}", f"band-{number:04}") for number in range(5)]
    return [
        Sample(who, moment(2_000 * round_), {"heart_rate": 60 + (7 * round_ + number) % 41, "battery_level": 88})
        for round_ in range(rounds)
        for number, who in enumerate(bands)
    ]


def extremes(readings: list[dict[str, Any]]) -> dict[tuple[str, str, str], tuple[float, float]]:
    found: dict[tuple[str, str, str], list[float]] = {}
    for each in readings:
        for metric, value in each["values"].items():
            found.setdefault((each["device"], metric, each["at"][:16]), []).append(value)
    return {whose: (min(values), max(values)) for whose, values in found.items()}


def readings(rows: list[Row]) -> list[dict[str, Any]]:
    return [reading for row in rows for reading in json.loads(row.payload)["data"].get("readings", [])]


def test_a_lane_beyond_its_cap_keeps_what_matters_of_each_minute_and_names_the_rest(tmp_path: Path) -> None:
    async def run() -> None:
        wire, samples = make_wire(StillClock()), heard(2_000)
        lane = await started(tmp_path, Plan("telemetry", Window(), cap=1 << 20, grouped=True))
        for at in range(0, len(samples), 100):
            await lane.commit([wire.telemetry(samples[at : at + 100], moment(0))])
        rows, told = await lane.outbox.read(0, 10_000), await gaps(lane)
        assert on_disk(tmp_path / "telemetry.db") <= 1 << 20
        assert {gap["cause"] for gap in told} == {"thinned"}
        assert len({row.number for row in rows}) + sum(gap["count"] for gap in told) == lane.outbox.standing[1] - 1
        found, spoken = readings(rows), readings(frozen([wire.telemetry(samples, moment(0))]))
        assert len(found) < len(spoken) // 2
        assert all(reading in spoken for reading in found)
        assert extremes(found) == extremes(spoken)
        for row in rows:
            contract.check(row.topic, row.payload)
        await lane.close()

    asyncio.run(run())


def test_what_is_thin_is_shed_from_the_oldest_on_and_what_is_fresh_is_thinned_first(tmp_path: Path) -> None:
    async def run() -> None:
        wire, samples = make_wire(StillClock()), heard(12_000)
        lane = await started(tmp_path, Plan("telemetry", Window(), cap=1 << 20, grouped=True))
        for at in range(0, len(samples), 100):
            await lane.commit([wire.telemetry(samples[at : at + 100], moment(0))])
        rows, told = await lane.outbox.read(0, 10_000), await gaps(lane)
        lost = {cause: sum(gap["count"] for gap in told if gap["cause"] == cause) for cause in ("thinned", "shed")}
        assert lost["thinned"] > lost["shed"] > 0
        assert len({row.number for row in rows}) + sum(lost.values()) == lane.outbox.standing[1] - 1
        oldest = min(reading["at"] for reading in readings(rows))
        as_they_came = 1_800_000  # of it would fill the file
        assert oldest < wire.when(moment(2_000 * 12_000 - 4 * as_they_came))
        found, spoken = extremes(readings(rows)), extremes(readings(frozen([wire.telemetry(samples, moment(0))])))
        assert all(found[whose] == both for whose, both in spoken.items() if whose[2] > oldest[:16])
        await lane.close()

    asyncio.run(run())


def test_rows_of_which_nearly_all_would_stay_and_rows_that_are_not_understood_are_not_thinned() -> None:
    wire = make_wire(StillClock())
    apart = [Sample(Wearable("1", f"band-{number:04}"), moment(0), {"spo2": 97}) for number in range(100)]
    for drafts in ([wire.telemetry(apart, moment(0))], [draft("of another version")]):
        assert thinned(frozen(drafts), wire, moment(0)) is None
    alike = [wire.telemetry(heard(20), moment(0)) for _ in range(3)]
    again = thinned(frozen(alike), wire, moment(0))
    assert again is not None
    assert [len(readings([row])) for row in frozen(again)] == [15]


def frozen(drafts: list[Draft]) -> list[Row]:
    made = enumerate([draft.freeze("aaaa0000", seq) for seq, draft in enumerate(drafts)])
    return [Row(seq, f"aaaa0000-{seq}", None, 0, message.topic, message.payload) for seq, message in made]


@pytest.mark.parametrize(
    ("plan", "code", "fault"),
    [
        (ALERT, 0x87, "publish_refused"),
        (TELEMETRY, 0x87, "publish_refused"),
        (ALERT, NO_MATCHING_SUBSCRIBERS, "nobody_listens"),
        (TELEMETRY, NO_MATCHING_SUBSCRIBERS, None),
    ],
)
def test_what_the_broker_says_of_a_row_is_a_fault_until_it_goes_through(
    tmp_path: Path, plan: Plan, code: int, fault: str | None
) -> None:
    async def run() -> None:
        faults = Faults(StillClock().moment)
        lane = await started(tmp_path, plan, faults)
        broker = Broker()
        lane.attach(broker)
        await lane.commit([draft("a"), draft("b")])
        lane.settled(Settlement(1, code < 0x80, code, "Not authorized"))
        assert [(found.fault, found.where) for found in faults] == (
            [(fault, f"lane:{plan.name}")] if fault else []
        )  # fmt: skip
        lane.settled(Settlement(2, True, 0, "Success"))
        assert len(faults) == (code >= 0x80)  # others pass it, and it is still refused
        await lane.commit([draft("c")])
        lane.sideline.offer(broker.sent[0])
        await asyncio.sleep(0)
        lane.settled(Settlement(1, True, 0, "Success"))
        assert list(faults) == []
        await lane.close()

    asyncio.run(run())
