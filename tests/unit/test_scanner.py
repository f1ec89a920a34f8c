"""The plain path over Bluetooth: bleak's own scanner on a real bus, with what bluetoothd tells or fails to tell."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.base import Instant, LinkDown, PacketKind, Write
from drivers.ble import scanner
from drivers.ble.scanner import Scanner
from tests.simulators.bluez import Bluez, Bus
from tests.support.listening import SOON_S, Heard, hearing

ADDRESS, COMPANY, UUID = "C0:98:00:01:02:03", 0xFFFF, "0000fcd2-0000-1000-8000-00805f9b34fb"


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    with Bus(tmp_path) as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


def radio(adapter: str = "hci0") -> Scanner:
    known = {(PacketKind.MANUFACTURER, COMPANY), (PacketKind.SERVICE_DATA, UUID)}
    return Scanner(f"ble:{adapter}", adapter, lambda kind, key: (kind, key) in known, lambda: Instant(1_000, 5))


def said(heard: Heard) -> list[tuple[PacketKind, int | str, bytes]]:
    return [(packet.kind, packet.key, packet.payload) for packet in heard.packets]


def down(adapter: str = "hci0") -> LinkDown:
    """How a scan that cannot begin ends."""

    async def run() -> LinkDown:
        with pytest.raises(LinkDown) as told:
            async with hearing(radio(adapter)):
                raise AssertionError("it came up")
        return told.value

    return asyncio.run(run())


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


def test_what_a_device_says_anew_is_heard_and_what_it_repeats_too(bus: Bus) -> None:
    async def run() -> None:
        async with Bluez() as bluez, hearing(radio()) as (heard, _):
            for payload in (b"one", b"two", b"two"):
                bluez.advert(ADDRESS, {COMPANY: payload})
            await heard.until(lambda h: len(h.packets) == 3)
            assert [packet.payload for packet in heard.packets] == [b"one", b"two", b"two"]
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


def test_without_a_bus_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/nowhere")
    told = down()
    assert (told.fault, "systemctl start dbus" in told.cure) == ("no_dbus", True)


def test_without_bluetoothd_it_says_so(bus: Bus) -> None:
    told = down()
    assert (told.fault, "systemctl status bluetooth" in told.cure) == ("radio_failed", True)


def test_an_adapter_that_is_not_there_is_named(bus: Bus) -> None:
    async def run() -> None:
        async with Bluez():
            with pytest.raises(LinkDown) as told:
                async with hearing(radio("hci9")):
                    raise AssertionError("it came up")
            assert (told.value.fault, "hci9" in str(told.value)) == ("radio_failed", True)
            assert "bluetoothctl list" in told.value.cure

    asyncio.run(run())


def test_a_bluetoothd_that_does_not_answer_is_given_up(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanner, "START_S", 0.3)

    async def run() -> None:
        async with Bluez(mute=True):
            with pytest.raises(LinkDown) as told:
                async with hearing(radio()):
                    raise AssertionError("it came up")
            assert (told.value.fault, str(told.value)) == ("radio_failed", "hci0: BlueZ does not answer")

    asyncio.run(run())


def test_the_end_of_bluetoothd_ends_the_link(bus: Bus) -> None:
    async def run() -> None:
        async with Bluez() as bluez, hearing(radio()) as (_, task):
            await bluez.__aexit__()
            with pytest.raises(LinkDown) as told:
                await asyncio.wait_for(task, SOON_S)
            assert (told.value.fault, str(told.value)) == ("radio_gone", "hci0: bluetoothd has stopped")

    asyncio.run(run())


def test_the_end_of_the_bus_ends_the_link(bus: Bus) -> None:
    async def run() -> None:
        async with Bluez(), hearing(radio()) as (_, task):
            bus.__exit__()
            with pytest.raises(LinkDown) as told:
                await asyncio.wait_for(task, SOON_S)
            assert (told.value.fault, str(told.value)) == ("radio_gone", "hci0: the system bus is gone")

    asyncio.run(run())


def test_ending_it_ends_the_scan(bus: Bus) -> None:
    async def run() -> None:
        async with Bluez() as bluez:
            async with hearing(radio()):
                assert bluez.asked == ["SetDiscoveryFilter", "StartDiscovery"]
            assert "StopDiscovery" in bluez.asked

    asyncio.run(run())


def test_it_only_listens() -> None:
    async def run() -> None:
        with pytest.raises(LinkDown) as told:
            await radio().write(Write("ble:hci0", "c09800010203", b"\x02"))
        assert told.value.fault == "ble_write"

    asyncio.run(run())
