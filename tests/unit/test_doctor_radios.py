"""bluetoothd and its adapters as they are asked: a real bus, with what answers there or does not; rfkill's files."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.doctor import radios
from gateway.doctor.facts import Adapter, Blocked, Trouble
from gateway.doctor.radios import blocked, bluetoothd_version
from tests.simulators.bluez import Bluez, Bus


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    with Bus(tmp_path) as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


def asked(who: str, **simulated: bool) -> Adapter | Trouble:
    async def run() -> Adapter | Trouble:
        async with Bluez(**simulated):
            return await radios.adapter(who)

    return asyncio.run(run())


@pytest.mark.usefixtures("bus")
@pytest.mark.parametrize("who", ["hci0", "00:1A:7D:DA:71:13"])
@pytest.mark.parametrize("powered", [True, False])
def test_an_adapter_is_found_by_name_or_address_and_nothing_is_changed(who: str, *, powered: bool) -> None:
    wanted = Adapter("hci0", "001a7dda7113", powered, scanning=False, blocked=Blocked.NO, bluetoothd="5.66")
    assert asked(who, powered=powered) == wanted


@pytest.mark.usefixtures("bus")
def test_an_adapter_that_is_not_there_and_a_bus_without_bluetoothd() -> None:
    found = asked("hci7")
    assert isinstance(found, Trouble)
    assert (found.fault, "hci0" in found.what) == ("no_adapter", True)
    alone = asyncio.run(radios.adapter("hci0"))
    assert isinstance(alone, Trouble)
    assert alone.fault == "no_bluetoothd"


def test_a_box_without_a_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    found = asyncio.run(radios.adapter("hci0"))
    assert isinstance(found, Trouble)
    assert found.fault == "no_dbus"


@pytest.mark.parametrize(
    ("presented", "version"),
    [("usb:v1D6Bp0246d0542", "5.66"), ("usb:v1D6Bp0246d054F", "5.79"), ("bluetooth:v000Fp1200d1436", None), ("", None)],
)
def test_bluetoothd_says_its_version_by_how_it_presents_itself(presented: str, version: str | None) -> None:
    assert bluetoothd_version(presented) == version


@pytest.mark.parametrize(
    ("soft", "hard", "found"), [("0", "0", Blocked.NO), ("1", "0", Blocked.SOFT), ("1", "1", Blocked.HARD)]
)
def test_rfkill_is_read_below_the_adapter(tmp_path: Path, soft: str, hard: str, found: Blocked) -> None:
    switch = tmp_path / "class/bluetooth/hci0/rfkill3"
    switch.mkdir(parents=True)
    (switch / "soft").write_text(f"{soft}\n")
    (switch / "hard").write_text(f"{hard}\n")
    assert (blocked("hci0", tmp_path), blocked("hci1", tmp_path)) == (found, Blocked.NO)
