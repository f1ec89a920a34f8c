"""A radio behind its own interface: each error of BlueZ by name, each rung of recovery, and what is heard meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from structlog.testing import capture_logs

from drivers.base import LinkDown, ScanMode
from drivers.ble import faults
from drivers.ble import radio as radio_module
from drivers.ble.ladder import ABSENT_MS, PACE_MS, STEADY_MS, Cause, Rung
from drivers.ble.radio import Radio
from drivers.ble.scan import PassiveUnsupported
from drivers.ble.station import Options, State
from drivers.profile.connect import Connect
from tests.support.radio import COMPANY, Heard, Machine, Street, radio

BAND, OTHER = "C0:98:00:01:02:03", "C0:98:00:01:02:04"
BEAT = Heard({COMPANY: b"\x98\x03beat"})
BLUEZ, FREEDESKTOP = "org.bluez.Error.", "org.freedesktop.DBus.Error."


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock that decides goes by hand; this one only makes the loop come round."""
    monkeypatch.setattr(radio_module, "TICK_S", 0.002)
    monkeypatch.setattr(radio_module, "OFF_S", 0.0)


class Run:
    """One attempt: what `run` came to."""

    def __init__(self, of: Radio, street: Street) -> None:
        self.up = 0
        self._task = asyncio.create_task(of.run(street, self._is_up))

    def _is_up(self) -> None:
        self.up += 1

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                if self._task.done():
                    self._task.result()
                await asyncio.sleep(0.001)

    async def down(self) -> LinkDown:
        with pytest.raises(LinkDown) as told:
            async with asyncio.timeout(5):
                await asyncio.shield(self._task)
        return told.value

    async def end(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError, LinkDown):  # a test that cares has asked for it by `down`
            await self._task


@asynccontextmanager
async def running(of: Radio, machine: Machine, street: Street) -> AsyncIterator[Run]:
    run = Run(of, street)
    try:
        await run.until(lambda: machine.advertised is not None)
        yield run
    finally:
        await run.end()


async def attempt(of: Radio, street: Street) -> LinkDown:
    return await Run(of, street).down()


def go(work: Awaitable[None]) -> None:
    async def run() -> None:
        await work

    asyncio.run(run())


async def deaf(of: Radio, machine: Machine, street: Street, seconds: int = 30) -> LinkDown:
    """The attempt that hears nothing for so long."""
    run = Run(of, street)
    await run.until(lambda: machine.advertised is not None or run._task.done())
    street.ms += seconds * 1000
    return await run.down()


@pytest.mark.parametrize(
    ("error", "fault", "cause"),
    [
        (BLUEZ + "InProgress", "radio_busy", Cause.FAILED),
        (BLUEZ + "Busy", "radio_busy", Cause.FAILED),
        (BLUEZ + "NotReady", "radio_off", Cause.OFF),
        (BLUEZ + "Failed", "radio_failed", Cause.FAILED),
        (BLUEZ + "Blocked", "radio_blocked", Cause.BLOCKED),
        (BLUEZ + "NotAuthorized", "no_permission", Cause.ELSEWHERE),
        (BLUEZ + "SomethingNew", "radio_failed", Cause.FAILED),
        (FREEDESKTOP + "UnknownObject", "no_adapter", Cause.ABSENT),
        (FREEDESKTOP + "AccessDenied", "no_permission", Cause.ELSEWHERE),
        (FREEDESKTOP + "ServiceUnknown", "no_bluetoothd", Cause.ELSEWHERE),
        (FREEDESKTOP + "NameHasNoOwner", "no_bluetoothd", Cause.ELSEWHERE),
        (FREEDESKTOP + "NoReply", "radio_failed", Cause.FAILED),
    ],
)
def test_each_error_of_bluez_is_a_named_fault_with_a_cure(error: str, fault: str, cause: Cause) -> None:
    async def run() -> None:
        street = Street()
        of, machine = radio(street, Options("hci0", ScanMode.ACTIVE))
        machine.refuses[ScanMode.ACTIVE] = [faults.refused("hci0", error, "it says")]
        told = await attempt(of, street)
        assert isinstance(told, faults.RadioDown)
        assert (told.fault, told.cause) == (fault, cause)
        assert str(told).startswith("hci0: ")
        assert "it says" in str(told)
        assert len(told.cure) > 10
        async with running(of, machine, street):
            assert of.standing.state is State.LISTENING

    go(run())


def test_what_is_heard_is_told_and_counted() -> None:
    async def run() -> None:
        street = Street()
        of, machine = radio(street)
        async with running(of, machine, street) as attempt_:
            assert attempt_.up == 1
            machine.advert(BAND, BEAT)
            machine.advert(BAND, BEAT)
            off_the_air = Heard({COMPANY: b"\x98\x03beat"}, rssi=-127)  # BlueZ only speaks of it
            machine.advert(OTHER, off_the_air)
            assert [packet.address for packet in street.packets] == ["c09800010203"]
            standing = of.standing
            assert (standing.state, standing.repeated, standing.mode) == (State.HEARS, 1, ScanMode.ACTIVE)
            assert (standing.adapter, standing.address) == ("hci0", "001a7dda7113")
        assert of.standing.state is State.DOWN

    go(run())


def test_an_adapter_that_is_off_is_switched_on() -> None:
    async def run() -> None:
        street = Street()
        of, machine = radio(street)
        machine.powered = False
        async with running(of, machine, street):
            assert machine.done == ["on", "scan active"]

    go(run())


def test_it_is_up_once_however_often_its_scan_begins_anew_and_connections_outlive_that() -> None:
    async def run() -> None:
        street = Street()
        of, machine = radio(street, Options("hci0", ScanMode.PASSIVE))
        machine.passive = False
        wearable = street.wearable(BAND, {"rate": b""})
        street.plans["180d"] = Connect("x", ("rate",), (), None, alerts=False)
        async with running(of, machine, street) as attempt_:
            for _ in range(3):
                machine.advert(BAND, Heard({}, {}, ["180d"]))
                await attempt_.until(lambda: "rate" in wearable.told)
                machine.done.clear()
                street.ms += radio_module.UPWARD_MS
                machine.advert(OTHER, BEAT)
                await attempt_.until(lambda: machine.done == ["stop", "scan active"])
            assert (attempt_.up, wearable.connected, wearable.calls) == (1, 1, 1)
            assert (of.standing.connected, of.standing.waiting) == (1, 0)
        assert (wearable.connected, of.standing.connected) == (0, 0)

    go(run())


def test_what_bleak_tells_of_a_connected_wearable_does_not_count_as_hearing() -> None:
    async def run() -> None:
        street = Street()
        of, machine = radio(street)
        wearable = street.wearable(BAND, {"rate": b""})
        street.plans["180d"] = Connect("x", ("rate",), (), None, alerts=False)
        async with running(of, machine, street) as attempt_:
            machine.advert(BAND, Heard({}, {}, ["180d"]))
            await attempt_.until(lambda: "rate" in wearable.told)
            street.ms += 9_000
            machine.advert(BAND, Heard({}, {}, ["180d"]))  # one of its properties has changed
            assert of.standing.silence_s == 9
            wearable.lost()
            await attempt_.until(lambda: of.standing.connected == 0)
            machine.advert(BAND, Heard({}, {}, ["180d"]))
            assert of.standing.silence_s == 0

    go(run())


def test_what_goes_first_ends_the_link_with_its_name() -> None:
    async def run() -> None:
        for gone in (faults.removed("hci0"), faults.switched_off("hci0"), faults.no_bluetoothd("hci0", "it stopped")):
            street = Street()
            of, machine = radio(street)
            async with running(of, machine, street) as attempt_:
                assert machine.gone is not None
                machine.gone.set_result(gone)
                assert await attempt_.down() is gone
            assert machine.done[-1] == "stop"

    go(run())


def test_auto_scans_actively_and_passively_only_where_that_is_refused() -> None:
    async def run() -> None:
        street = Street()
        of, machine = radio(street)
        machine.refuses[ScanMode.ACTIVE] = [faults.refused("hci0", BLUEZ + "Failed", "")]
        async with running(of, machine, street) as attempt_:
            assert of.standing.mode is ScanMode.PASSIVE
            street.ms += radio_module.UPWARD_MS
            for _ in range(3):
                machine.advert(BAND, BEAT)
            await attempt_.until(lambda: machine.mode is ScanMode.ACTIVE)
            assert machine.done == ["scan passive", "stop", "scan active"]

    go(run())


def test_where_no_mode_works_the_error_of_the_supported_one_is_told() -> None:
    async def run() -> None:
        for mode in (ScanMode.AUTO, ScanMode.PASSIVE):
            street = Street()
            of, machine = radio(street, Options("hci0", mode))
            machine.passive = False
            machine.refuses[ScanMode.ACTIVE] = [faults.refused("hci0", BLUEZ + "InProgress", "")]
            assert (await attempt(of, street)).fault == "radio_busy"

    go(run())


def test_passive_where_it_is_not_supported_is_a_named_fault_and_the_radio_hears_all_the_same() -> None:
    async def run() -> None:
        street = Street()
        of, machine = radio(street, Options("hci0", ScanMode.PASSIVE))
        machine.passive = False
        async with running(of, machine, street) as attempt_:
            assert (attempt_.up, machine.mode) == (1, ScanMode.ACTIVE)
            assert list(street.faults.now) == [("passive_unsupported", "ble:hci0 scan")]
            machine.passive = True
            street.ms += radio_module.UPWARD_MS
            machine.advert(BAND, BEAT)
            await attempt_.until(lambda: machine.mode is ScanMode.PASSIVE)
            assert not street.faults.now
        assert PassiveUnsupported("hci0").fault == "passive_unsupported"

    go(run())


def test_another_radio_that_hears_is_a_witness_and_every_rung_is_climbed() -> None:
    async def run() -> None:
        street = Street()
        of, machine = radio(street)
        other, its = radio(street, name="ble:hci1")
        async with running(other, its, street):
            run_ = Run(of, street)
            await run_.until(lambda: machine.advertised is not None)
            for number in range(40):
                street.ms += 500
                machine.advert(BAND, Heard({COMPANY: bytes([number])}))
                its.advert(BAND, Heard({COMPANY: bytes([number])}))
            street.ms += 9_000
            its.advert(BAND, BEAT)
            await asyncio.sleep(0.01)
            street.ms += 2_000
            told = await run_.down()
            assert (told.fault, "although ble:hci1 hears" in str(told)) == ("radio_deaf", True)
            machine.done.clear()
            for _ in range(5):
                its.advert(BAND, BEAT)
                run_ = Run(of, street)
                await run_.until(lambda: machine.advertised is not None)
                its.advert(BAND, BEAT)
                street.ms += 8_000
                its.advert(BAND, BEAT)
                street.ms += 4_000
                assert (await run_.down()).fault == "radio_deaf"
                assert run_.up == 0  # it is not up before it hears
            steps = [step for step in machine.done if not step.startswith(("scan", "stop"))]
            assert steps == ["off", "on", "unblock hci0", "power hci0", "rebind hci0"]
            assert of.standing.rungs == {"restart": 1, "power": 1, "unblock": 1, "controller": 1, "rebind": 1}
            run_ = Run(of, street)
            await run_.until(lambda: machine.advertised is not None)
            machine.advert(BAND, BEAT)
            await run_.until(lambda: run_.up == 1)
            await run_.end()

    go(run())


def test_a_radio_that_never_heard_anything_is_deaf_beside_one_that_hears() -> None:
    async def run() -> None:
        street = Street()
        of, machine = radio(street)
        other, its = radio(street, name="ble:hci1")
        async with running(other, its, street):
            run_ = Run(of, street)
            await run_.until(lambda: machine.advertised is not None)
            street.ms += 24_000
            its.advert(BAND, BEAT)
            await asyncio.sleep(0.01)
            street.ms += 2_000
            its.advert(BAND, BEAT)
            assert (await run_.down()).fault == "radio_deaf"

    go(run())


def test_a_radio_that_stays_deaf_is_not_called_quiet_and_not_up() -> None:
    async def run() -> None:
        street = Street()
        of, machine = radio(street, Options("hci0", beacons=(OTHER,)))
        ups = 0
        for _ in range(8):
            run_ = Run(of, street)
            await run_.until(lambda: machine.advertised is not None)
            assert of.standing.state is State.LISTENING
            street.ms += 26_000
            assert (await run_.down()).fault == "radio_deaf"
            ups += run_.up
        assert set(of.standing.rungs.values()) == {1}
        assert ups == 1  # before it was known to be deaf

    go(run())


def test_each_rung_is_logged_with_what_is_wrong_and_its_cure() -> None:
    async def run() -> None:
        street = Street()
        of, machine = radio(street, Options("hci0", beacons=(OTHER,)))
        with capture_logs() as logged:
            for _ in range(6):
                await deaf(of, machine, street, 26)
        climbed = [line for line in logged if line["event"] == "radio recovery"]
        assert [line["rung"] for line in climbed] == list(Rung)
        witness = f" although the station beacon {OTHER} is always there"
        assert {line["cause"].partition(",")[2] for line in climbed} == {witness}
        assert all("reset step by step" in line["cure"] for line in climbed)

    go(run())


def test_silence_without_a_witness_climbs_once_is_quiet_and_raises_nothing() -> None:
    async def run() -> None:
        street = Street()
        of, machine = radio(street)
        for _ in range(5):
            assert (await deaf(of, machine, street, 100)).fault == "radio_silent"
        assert (await deaf(of, machine, street, 100)).fault == "radio_silent"
        rungs = dict(of.standing.rungs)
        assert set(rungs.values()) == {1}
        async with running(of, machine, street) as attempt_:
            street.ms += 200_000
            await asyncio.sleep(0.02)
            assert (of.standing.state, attempt_.up) == (State.QUIET, 1)
            assert of.standing.rungs == rungs
            street.ms += 3_600_000
            assert (await attempt_.down()).fault == "radio_silent"
        async with running(of, machine, street):
            assert of.standing.rungs["restart"] == 2

    go(run())


def test_a_radio_is_quiet_though_its_reset_took_it_away_for_a_moment() -> None:
    async def run() -> None:
        street = Street()
        of, machine = radio(street)
        for _ in range(6):
            await deaf(of, machine, street, 100)
        async with running(of, machine, street):
            assert of.standing.state is State.QUIET
        machine.present = [faults.absent("hci0", ())]
        assert (await attempt(of, street)).fault == "no_adapter"
        async with running(of, machine, street):
            assert of.standing.state is State.QUIET

    go(run())


def test_a_station_beacon_is_a_witness_and_its_own_silence_is_not_deafness() -> None:
    async def run() -> None:
        street = Street()
        of, machine = radio(street, Options("hci0", beacons=(OTHER,)))
        assert "the station beacon C0:98:00:01:02:04" in str(await deaf(of, machine, street, 26))
        async with running(of, machine, street) as attempt_:
            street.ms += radio_module.BEACON_MS
            machine.advert(BAND, BEAT)
            await attempt_.until(lambda: bool(street.faults.now))
            assert list(street.faults.now) == [("beacon_missing", f"ble:hci0 beacon {OTHER}")]
            machine.advert(OTHER, BEAT)
            await attempt_.until(lambda: not street.faults.now)

    go(run())


def test_the_time_for_which_a_beacon_is_missing_begins_anew_with_each_scan() -> None:
    async def run() -> None:
        street = Street()
        of, machine = radio(street, Options("hci0", beacons=(OTHER,)))
        street.ms += 10 * radio_module.BEACON_MS  # there was no bluetoothd
        async with running(of, machine, street):
            machine.advert(BAND, BEAT)
            await asyncio.sleep(0.02)
            assert not street.faults.now

    go(run())


def test_a_bluez_that_has_stopped_scanning_is_a_witness() -> None:
    async def run() -> None:
        street = Street()
        of, machine = radio(street)
        machine.scans = False
        assert "BlueZ says" in str(await deaf(of, machine, street, 26))

    go(run())


def test_a_blocked_adapter_is_unblocked_by_the_reset_unit() -> None:
    async def run() -> None:
        street = Street()
        of, machine = radio(street)
        machine.powered, street.blocked = False, True
        assert (await attempt(of, street)).fault == "radio_blocked"
        street.blocked = False
        async with running(of, machine, street):
            assert machine.done == ["on", "unblock None", "on", "scan active"] or "unblock hci0" in machine.done

    go(run())


def test_an_adapter_that_stays_away_is_bound_anew_and_one_that_returns_elsewhere_is_used() -> None:
    async def run() -> None:
        street = Street()
        of, machine = radio(street, Options("00:1A:7D:DA:71:13"))
        async with running(of, machine, street):
            pass
        machine.done.clear()
        machine.present = [faults.absent("00:1A:7D:DA:71:13", ())] * 3
        for _ in range(3):
            told = await attempt(of, street)
            assert (told.fault, "none at all" in str(told)) == ("no_adapter", True)
            street.ms += ABSENT_MS // 2
        assert machine.done == ["rebind hci0"]
        machine.name = "hci3"
        async with running(of, machine, street):
            assert of.standing.adapter == "hci3"

    go(run())


def test_a_bluetoothd_that_is_away_is_waited_for_without_any_rung() -> None:
    async def run() -> None:
        street = Street()
        of, machine = radio(street)
        machine.present = [faults.no_bluetoothd("hci0", "bluetoothd does not run")] * 20
        for _ in range(20):
            assert (await attempt(of, street)).fault == "no_bluetoothd"
            street.ms += PACE_MS
        async with running(of, machine, street) as attempt_:
            assert (attempt_.up, of.standing.rungs) == (1, {})

    go(run())


def test_a_reset_unit_that_is_not_there_does_not_end_the_climb() -> None:
    async def run() -> None:
        street = Street()
        of, machine = radio(street)
        machine.answer = radio_module.reset.Answer(ok=False, why="it is not there")
        machine.refuses[ScanMode.ACTIVE] = [faults.refused("hci0", BLUEZ + "Failed", "")] * 60
        machine.passive = False
        for _ in range(60):
            assert (await attempt(of, street)).fault == "radio_failed"
            street.ms += 1_000
        assert sum(of.standing.rungs.values()) == 5
        async with running(of, machine, street):
            machine.advert(BAND, BEAT)
            street.ms += STEADY_MS
            assert of.standing.mode is ScanMode.ACTIVE

    go(run())
