"""The InfluxDB lane writes what its file holds, once each, whatever the database answers; and it holds up nobody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.clock import Clock
from gateway.config import Config
from gateway.disk import Disk
from gateway.errors import DatabaseBusy, UplinkDown
from gateway.health import Faults
from gateway.influx import InfluxLane, open_influx
from gateway.model import Gap, GapCause, Sample, Wearable
from tests.support.database import HANG, Answer, StandIn
from tests.support.inside import StillClock
from tests.support.lines import Point
from tests.support.moments import moment

BAND = Wearable("00010203", "band-0001", "w-7f3a")
REFUSAL = Answer(422, {}, b'{"message":"field type conflict"}')


class It:
    """A lane with the database that it writes to."""

    def __init__(self, opened: InfluxLane, server: StandIn, faults: Faults, elsewhere: list[Gap]) -> None:
        self.lane, self.telemetry, self.uplink = opened.lane, opened.telemetry, opened.uplink
        self.server, self.faults, self.elsewhere = server, faults, elsewhere
        self.ups = 0

    async def keep(self, *steps: int) -> None:
        """A row for each."""
        for each in steps:
            self.telemetry.add(Sample(BAND, moment(each), {"steps": each}))
            await self.telemetry.commit()

    async def run(self) -> None:
        def up() -> None:
            self.ups += 1
            self.faults.end("uplink:influx")

        await self.uplink.run(up)

    async def run_until_empty(self) -> None:
        running = asyncio.create_task(self.run())
        emptied = asyncio.create_task(self.lane.emptied())
        await asyncio.wait({running, emptied}, return_when=asyncio.FIRST_COMPLETED, timeout=10)
        assert not running.done(), running.exception()
        assert emptied.done()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    def steps(self) -> list[float]:
        return [float(point.fields["steps"]) for point in self.server.points() if "steps" in point.fields]

    def gaps(self) -> list[Point]:
        return [point for point in self.server.points() if point.measurement == "gap"]


def configured(folder: Path, url: str, **more: object) -> Config:
    (folder / "token").write_text("s3cret")
    influx = {"url": url, "org": "datong", "bucket": "stations", "token": {"file": folder / "token"}, **more}
    return Config.model_validate(
        {"station": "test-01", "data": folder, "mqtt": {"brokers": ["mqtt://localhost"]}, "influx": influx}
    )


@asynccontextmanager
async def opened(folder: Path, server: StandIn, clock: Clock | None = None, **more: object) -> AsyncIterator[It]:
    config = configured(folder, server.url, **more)
    assert config.influx is not None
    clock = clock or StillClock()
    faults, elsewhere = Faults(clock.moment), list[Gap]()

    async def otherwise(gap: Gap) -> None:
        elsewhere.append(gap)

    found = await open_influx(config, config.influx, clock, faults, Disk(folder), otherwise)
    try:
        yield It(found, server, faults, elsewhere)
    finally:
        await found.lane.close()


def test_rows_are_written_in_their_order_and_leave_the_file(tmp_path: Path) -> None:
    async def run() -> None:
        with StandIn() as server:
            async with opened(tmp_path, server) as it:
                await it.keep(*range(40))
                await it.run_until_empty()
                assert (it.steps(), it.ups, len(it.faults)) == (list(range(40)), 1, 0)
            async with opened(tmp_path, server) as it:
                assert it.lane.pending == 0

    asyncio.run(run())


@pytest.mark.parametrize("status", [401, 404, 500])
def test_a_row_that_is_not_taken_stays_first_and_the_run_ends_with_the_reason(tmp_path: Path, status: int) -> None:
    async def run() -> None:
        with StandIn() as server:
            server.answer = Answer(status)
            async with opened(tmp_path, server) as it:
                await it.keep(1, 2, 3)
                with pytest.raises(UplinkDown, match=str(status)):
                    await it.run()
                assert (it.ups, it.lane.connected, len(server.asked)) == (0, False, 1)
                server.answer = Answer()
                await it.run_until_empty()
                assert it.steps() == [1, 2, 3]

    asyncio.run(run())


def test_the_pause_that_it_asks_for_is_kept_once(tmp_path: Path) -> None:
    async def run() -> None:
        with StandIn() as server:
            server.answer = Answer(429, {"Retry-After": "1"})
            async with opened(tmp_path, server) as it:
                await it.keep(1)
                with pytest.raises(DatabaseBusy):
                    await it.run()
                server.answer = Answer()
                await it.run_until_empty()
                first, second = (asked["at"] for asked in server.asked)
                assert second - first >= 1.0
                assert it.uplink._rest_s == 0.0

    asyncio.run(run())


def test_what_it_will_never_take_is_set_aside_with_a_point_that_names_the_row(tmp_path: Path) -> None:
    async def run() -> None:
        with StandIn() as server:
            server.judge = lambda points: REFUSAL if points[0].fields.get("steps") == 2 else Answer()
            async with opened(tmp_path, server) as it:
                await it.keep(1, 2, 3)
                await it.run_until_empty()
                assert it.steps() == [1, 3]
                (gap,) = it.gaps()
                assert gap.tags == {"cause": "refused", "lane": "influx", "station": "test-01"}
                assert (gap.fields["first"], gap.fields["last"], gap.fields["count"]) == (2, 2, 1)
                assert it.elsewhere == []
                assert len(it.faults) == 0  # it took the next one

    asyncio.run(run())


def test_a_gap_that_it_will_not_take_either_goes_elsewhere_and_makes_no_other(tmp_path: Path) -> None:
    async def run() -> None:
        with StandIn() as server:
            server.answer = REFUSAL
            async with opened(tmp_path, server) as it:
                await it.keep(1)
                await it.run_until_empty()
                (gap,) = it.elsewhere
                assert (gap.lane, gap.cause, gap.first) == ("influx", GapCause.REFUSED, 2)
                assert [fault.fault for fault in it.faults] == ["influx_rejects"]
            async with opened(tmp_path, server) as it:
                assert it.lane.pending == 0

    asyncio.run(run())


def test_a_refused_row_is_told_of_while_the_disk_takes_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        with StandIn() as server:
            server.judge = lambda points: REFUSAL if points[0].measurement != "gap" else Answer()
            async with opened(tmp_path, server) as it:
                await it.keep(1)
                disk = it.lane.outbox._rows._disk
                assert disk is not None
                disk._db.execute("PRAGMA query_only = 1")
                await it.run_until_empty()
                (gap,) = it.gaps()
                assert (gap.tags["cause"], gap.fields["first"], it.elsewhere) == ("refused", 1, [])
                assert it.lane.outbox.trouble is not None
                disk._db.execute("PRAGMA query_only = 0")
            async with opened(tmp_path, server) as it:
                assert it.lane.pending == 0

    asyncio.run(run())


def test_one_that_never_answers_is_left_after_the_timeout_and_tried_again(tmp_path: Path) -> None:
    async def run() -> None:
        with StandIn() as server:
            server.answer = HANG
            async with opened(tmp_path, server, timeout="100ms") as it:
                await it.keep(1)
                with pytest.raises(UplinkDown) as down:
                    await it.run()
                assert down.value.fault == "influx_unreachable"
                server.answer = Answer()
                await it.run_until_empty()
                assert it.steps() == [1]

    asyncio.run(run())


def test_the_end_does_not_wait_for_a_database_that_never_answers(tmp_path: Path) -> None:
    async def run() -> None:
        with StandIn() as server:
            server.answer = HANG
            async with opened(tmp_path, server, timeout="5min") as it:
                await it.keep(1)
                running = asyncio.create_task(it.run())
                while not server.asked:
                    await asyncio.sleep(0.01)
                running.cancel()
                async with asyncio.timeout(5):
                    await asyncio.gather(running, return_exceptions=True)
                assert (it.lane.pending, it.lane.connected) == (1, False)

    asyncio.run(run())


def test_a_token_that_cannot_be_read_is_a_fault_and_read_anew_the_next_time(tmp_path: Path) -> None:
    async def run() -> None:
        with StandIn() as server:
            async with opened(tmp_path, server) as it:
                await it.keep(1)
                (tmp_path / "token").unlink()
                with pytest.raises(UplinkDown, match="token: No such file") as down:
                    await it.run()
                assert down.value.fault == "credentials_unreadable"
                (tmp_path / "token").write_text("another")
                await it.run_until_empty()
                assert server.asked[-1]["token"] == "Token another"

    asyncio.run(run())


def test_beyond_its_cap_the_oldest_go_and_a_point_says_which(tmp_path: Path) -> None:
    async def run() -> None:
        with StandIn() as server:
            async with opened(tmp_path, server, cap="1MiB") as it:
                for round_ in range(60):
                    for number in range(400):  # each of a wearable of its own: nothing to be thinned
                        who = Wearable(f"{number:08x}", f"band-{number:04}", "w-7f3a")
                        it.telemetry.add(Sample(who, moment(round_ * 60_000), {"steps": round_}))
                    await it.telemetry.commit()
                await it.run_until_empty()
                assert (tmp_path / "influx.db").exists()
                assert {gap.tags["cause"] for gap in it.gaps()} == {"shed"}
                missing = set(range(60)) - {int(step) for step in it.steps()}
                assert missing
                assert sum(int(gap.fields["count"]) for gap in it.gaps()) == len(missing)
                assert max(missing) < min(set(range(60)) - missing)

    asyncio.run(run())


def test_beyond_its_cap_a_minute_keeps_its_lowest_highest_and_last_and_a_point_says_so(tmp_path: Path) -> None:
    async def run() -> None:
        with StandIn() as server:
            async with opened(tmp_path, server, cap="1MiB") as it:
                for round_ in range(60):
                    for number in range(400):
                        it.telemetry.add(Sample(BAND, moment(round_ * 1_000 + number), {"steps": (round_ - 30) ** 2}))
                    await it.telemetry.commit()
                await it.run_until_empty()
                assert {gap.tags["cause"] for gap in it.gaps()} == {"thinned"}
                assert {0, 900, 29**2} <= set(it.steps())
                assert len(it.steps()) < 60 * 400 // 2

    asyncio.run(run())


def test_after_a_crash_a_point_says_that_readings_may_be_missing(tmp_path: Path) -> None:
    async def run() -> None:
        with StandIn() as server:
            async with opened(tmp_path, server) as it:
                rows = it.lane.outbox._rows
                assert rows._disk is not None
                rows.close = rows._disk.abandon  # type: ignore[method-assign]
            async with opened(tmp_path, server) as it:
                await it.run_until_empty()
                assert [gap.tags["cause"] for gap in it.gaps()] == ["crash"]

    asyncio.run(run())


def test_a_file_that_cannot_be_had_costs_no_reading(tmp_path: Path) -> None:
    async def run() -> None:
        (tmp_path / "influx.db").mkdir()
        with StandIn() as server:
            async with opened(tmp_path, server) as it:
                await it.keep(1, 2)
                await it.run_until_empty()
                assert it.steps() == [1, 2]
                assert "influx.db" in str(it.lane.outbox.trouble)

    asyncio.run(run())
