"""bleak's own scanner on a real bus, with what bluetoothd tells or fails to tell."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.base import Instant, LinkDown, PacketKind, ScanMode, Write
from drivers.ble import bluez as bluez_module
from drivers.ble import radio as radio_module
from drivers.ble import rfkill, scan
from drivers.ble.bluez import bluez
from drivers.ble.radio import Radio
from drivers.ble.station import Options, State, Station
from tests.simulators.bluez import Bluez, Bus
from tests.support.listening import SOON_S, Heard, hearing
from tests.support.radio import Words

ADDRESS, COMPANY, UUID = "C0:98:00:01:02:03", 0xFFFF, "0000fcd2-0000-1000-8000-00805f9b34fb"
ADAPTER = "00:1A:7D:DA:71:13"


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    with Bus(tmp_path) as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


def radio(adapter: str = "hci0", mode: ScanMode = ScanMode.AUTO, words: Words | None = None) -> Radio:
    known = {(PacketKind.MANUFACTURER, COMPANY), (PacketKind.SERVICE_DATA, UUID)}
    station = Station(
        knows=lambda kind, key, _: (kind, key) in known,
        connect=lambda _: None,
        patterns=((0xFF, b"\xff\xff\x98\x03"),),
        registered=lambda _: True,
        clock=lambda: Instant(1_000, 5),
        faults=words or Words(),
    )
    return Radio("ble:hci0", Options(adapter, mode), station)


def said(heard: Heard) -> list[tuple[PacketKind, int | str, bytes]]:
    return [(packet.kind, packet.key, packet.payload) for packet in heard.packets]


async def down(of: Radio) -> LinkDown:
    """How a scan that cannot begin ends."""
    with pytest.raises(LinkDown) as told:
        async with hearing(of):
            raise AssertionError("it came up")
    return told.value


async def ended(task: "asyncio.Task[None]") -> LinkDown:
    with pytest.raises(LinkDown) as told:
        await asyncio.wait_for(task, SOON_S)
    return told.value


def test_every_section_that_a_profile_knows_becomes_a_packet(bus: Bus) -> None:
    async def run() -> None:
        async with Bluez() as bluez, hearing(radio()) as (heard, _):
            bluez.advert(ADDRESS, {COMPANY: b"\x98\x03one", 0x004C: b"a phone"}, {UUID: b"two"}, rssi=-71)
            await heard.until(lambda h: len(h.packets) == 2)
            assert said(heard) == [
                (PacketKind.MANUFACTURER, COMPANY, b"\x98\x03one"), (PacketKind.SERVICE_DATA, UUID, b"two")
            ]  # fmt: skip
            first = heard.packets[0]
            assert (first.link, first.address, first.rssi) == ("ble:hci0", "c09800010203", -71)
            assert first.received == Instant(1_000, 5)

    asyncio.run(run())


def test_what_a_device_says_anew_is_heard_and_repetitions_are_counted(bus: Bus) -> None:
    async def run() -> None:
        of = radio()
        async with Bluez() as bluez, hearing(of) as (heard, _):
            for payload in (b"one", b"two", b"two", b"three"):
                bluez.advert(ADDRESS, {COMPANY: payload})
            await heard.until(lambda h: len(h.packets) == 3)
            assert [packet.payload for packet in heard.packets] == [b"one", b"two", b"three"]
            assert (of.standing.repeated, of.standing.state) == (1, State.HEARS)
            assert bluez.filters["DuplicateData"] is True

    asyncio.run(run())


def test_devices_that_no_profile_knows_are_passed_over(bus: Bus) -> None:
    async def run() -> None:
        async with Bluez() as bluez, hearing(radio()) as (heard, _):
            bluez.advert("11:22:33:44:55:66", {0x004C: b"a phone"})
            bluez.advert(ADDRESS, {COMPANY: b"one"})
            await heard.until(lambda h: bool(h.packets))
            assert [packet.address for packet in heard.packets] == ["c09800010203"]

    asyncio.run(run())


def test_an_adapter_is_found_by_its_address_under_whatever_name(bus: Bus) -> None:
    async def run() -> None:
        of = radio(ADAPTER)
        async with Bluez() as bluez:
            bluez.adapter = "hci4"
            async with hearing(of) as (heard, task):
                assert of.standing.adapter == "hci4"
                bluez.unplug()
                told = await ended(task)
                assert (told.fault, str(told)) == ("no_adapter", f"{ADAPTER}: the adapter was removed")
            bluez.plug("hci1")
            async with hearing(of) as (heard, _):
                bluez.advert(ADDRESS, {COMPANY: b"one"})
                await heard.until(lambda h: bool(h.packets))
                assert of.standing.adapter == "hci1"

    asyncio.run(run())


def test_an_adapter_that_is_off_is_switched_on_and_one_switched_off_ends_the_link(bus: Bus) -> None:
    async def run() -> None:
        of = radio()
        async with Bluez(powered=False) as bluez:
            async with hearing(of) as (_, task):
                assert bluez.asked[0] == "Powered=True"
                bluez.switch(on=False)
                assert (await ended(task)).fault == "radio_off"
            async with hearing(of):
                assert bluez.asked.count("StartDiscovery") == 2

    asyncio.run(run())


def test_it_lets_bluetoothd_bond_with_wearables_that_have_no_keys(bus: Bus) -> None:
    async def run() -> None:
        async with Bluez() as bluez, hearing(radio()):
            assert bluez.agents == ["NoInputNoOutput"]

    asyncio.run(run())


def test_without_a_bus_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/nowhere")
    told = asyncio.run(down(radio()))
    assert (told.fault, "systemctl start dbus" in told.cure) == ("no_dbus", True)


def test_without_bluetoothd_it_says_so_and_hears_once_that_is_there(bus: Bus) -> None:
    async def run() -> None:
        of = radio()
        told = await down(of)
        assert (told.fault, "enable --now bluetooth" in told.cure) == ("no_bluetoothd", True)
        async with Bluez() as bluez, hearing(of) as (heard, _):
            bluez.advert(ADDRESS, {COMPANY: b"one"})
            await heard.until(lambda h: bool(h.packets))

    asyncio.run(run())


def test_an_adapter_that_is_not_there_is_named_and_so_are_those_that_are(bus: Bus) -> None:
    async def run() -> None:
        async with Bluez():
            told = await down(radio("hci9"))
            assert told.fault == "no_adapter"
            assert str(told).startswith("hci9: ")
            assert "hci0 (001a7dda7113)" in str(told)
            assert "bluetoothctl list" in told.cure

    asyncio.run(run())


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        ("org.bluez.Error.InProgress", "radio_busy"),
        ("org.bluez.Error.NotReady", "radio_off"),
        ("org.bluez.Error.Failed", "radio_failed"),
        ("org.freedesktop.DBus.Error.UnknownObject", "no_adapter"),
        ("org.freedesktop.DBus.Error.AccessDenied", "no_permission"),
    ],
)
def test_what_bluez_refuses_has_its_name(bus: Bus, error: str, fault: str) -> None:
    async def run() -> None:
        async with Bluez() as bluez:
            bluez.refuse["StartDiscovery"] = error
            told = await down(radio())
            assert (told.fault, "refused by the test" in str(told)) == (fault, True)

    asyncio.run(run())


def test_a_blocked_adapter_is_named(bus: Bus) -> None:
    async def run() -> None:
        async with Bluez(powered=False) as bluez:
            bluez.refuse["Powered"] = "org.bluez.Error.Blocked"
            told = await down(radio())
            assert (told.fault, "rfkill" in told.cure) == ("radio_blocked", True)

    asyncio.run(run())


@pytest.mark.parametrize(("soft", "fault"), [("1", "radio_blocked"), ("0", "radio_failed")])
def test_a_block_of_which_bluetoothd_only_says_that_it_failed_is_known_from_rfkill(
    bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, soft: str, fault: str
) -> None:
    switch = tmp_path / "rfkill/rfkill0"
    switch.mkdir(parents=True)
    (switch / "name").write_text("hci0\n")
    (switch / "soft").write_text(f"{soft}\n")
    monkeypatch.setattr(rfkill, "SWITCHES", switch.parent)

    async def run() -> None:
        async with Bluez(powered=False) as bluez:
            bluez.refuse["Powered"] = "org.bluez.Error.Failed"
            assert (await down(radio())).fault == fault

    asyncio.run(run())


def test_a_stock_bluetoothd_has_no_passive_scan_and_that_is_said(bus: Bus) -> None:
    async def run() -> None:
        words = Words()
        of = radio(mode=ScanMode.PASSIVE, words=words)
        async with Bluez() as bluez, hearing(of) as (heard, _):
            assert of.standing.mode is ScanMode.ACTIVE
            assert list(words.now) == [("passive_unsupported", "ble:hci0 scan")]
            bluez.advert(ADDRESS, {COMPANY: b"one"})
            await heard.until(lambda h: bool(h.packets))

    asyncio.run(run())


def test_a_passive_scan_where_bluetoothd_has_one(bus: Bus) -> None:
    async def run() -> None:
        of = radio(mode=ScanMode.PASSIVE)
        async with Bluez(passive=True) as bluez, hearing(of) as (heard, _):
            assert of.standing.mode is ScanMode.PASSIVE
            assert bluez.asked == ["RegisterMonitor"]
            bluez.advert(ADDRESS, {COMPANY: b"one"})
            await heard.until(lambda h: bool(h.packets))

    asyncio.run(run())


def test_auto_falls_back_to_a_passive_scan(bus: Bus) -> None:
    async def run() -> None:
        of = radio()
        async with Bluez(passive=True) as bluez:
            bluez.refuse["StartDiscovery"] = "org.bluez.Error.InProgress"
            async with hearing(of):
                assert of.standing.mode is ScanMode.PASSIVE

    asyncio.run(run())


def test_a_bluetoothd_that_does_not_answer_is_given_up(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "START_S", 0.3)

    async def run() -> None:
        async with Bluez(mute=True):
            told = await down(radio())
            assert (told.fault, str(told)) == ("radio_failed", "hci0: BlueZ does not answer")

    asyncio.run(run())


def test_the_end_of_bluetoothd_ends_the_link(bus: Bus) -> None:
    async def run() -> None:
        async with Bluez() as bluez, hearing(radio()) as (_, task):
            await bluez.__aexit__()
            told = await ended(task)
            assert (told.fault, str(told)) == ("no_bluetoothd", "hci0: bluetoothd has stopped")

    asyncio.run(run())


def test_the_end_of_the_bus_ends_the_link(bus: Bus) -> None:
    async def run() -> None:
        async with Bluez(), hearing(radio()) as (_, task):
            bus.__exit__()
            told = await ended(task)
            assert (told.fault, "hci0: the system bus is gone" in str(told)) == ("no_dbus", True)

    asyncio.run(run())


def test_ending_it_ends_the_scan(bus: Bus) -> None:
    async def run() -> None:
        async with Bluez() as bluez:
            async with hearing(radio()):
                assert bluez.asked == ["SetDiscoveryFilter", "StartDiscovery"]
            assert "StopDiscovery" in bluez.asked

    asyncio.run(run())


def test_a_bluetoothd_that_has_stopped_scanning_bears_witness(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(radio_module, "TICK_S", 0.01)

    async def run() -> None:
        of = radio()
        async with Bluez() as bluez, hearing(of) as (_, task):
            bluez.stop_discovering()
            of.hearing.last_ms -= 26_000
            told = await ended(task)
            assert (told.fault, "BlueZ says" in str(told)) == ("radio_deaf", True)

    asyncio.run(run())


def test_a_subscription_whose_characteristic_has_gone_is_not_in_force(bus: Bus) -> None:
    async def run() -> None:
        async with Bluez(), bluez("hci0") as asked:
            assert not await asked.notifying("/org/bluez/hci0/dev_C0_98_00_01_02_03/service0001/char0002")

    asyncio.run(run())


def test_a_bus_that_does_not_answer_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bluez_module, "ANSWER_S", 0.1)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/mute")

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def run() -> None:
        async with await asyncio.start_unix_server(mute, tmp_path / "mute"):
            told = await down(radio())
            assert (told.fault, str(told)) == ("no_dbus", "hci0: the system bus does not answer")

    asyncio.run(run())


def test_a_write_to_what_was_never_heard_is_refused() -> None:
    with pytest.raises(LinkDown) as told:
        asyncio.run(radio().write(Write("ble:hci0", "c09800010203", b"\x02", UUID)))
    assert told.value.fault == "ble_write"
