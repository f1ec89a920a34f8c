"""The keys of devices: every mistake at its line, and no word of the file told to anybody."""

from pathlib import Path

import pytest

from drivers.marked import Refused
from gateway.keys import load_keys
from gateway.roster import Device, Roster

KEY, OTHER = "231d39c1d7cc1ab1aee224cd096db932", "00112233445566778899AABBCCDDEEFF"
IDS = {"band-0001", "band-0002"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "device-keys"


def wrong(file: Path, text: str, ids: set[str] | None = IDS) -> list[str]:
    file.write_text(text)
    with pytest.raises(Refused) as refused:
        load_keys(file, ids)
    return [str(problem).removeprefix(f"{file}:") for problem in refused.value.problems]


def test_each_line_is_a_device_and_its_key(file: Path) -> None:
    file.write_text(f"# the bands\n\nband-0001 {KEY}\n  band-0002\t{OTHER}  # beside the door\n")
    assert load_keys(file, IDS) == {"band-0001": bytes.fromhex(KEY), "band-0002": bytes.fromhex(OTHER)}


@pytest.mark.parametrize("text", ["", "\n", "# nobody yet\n"])
def test_a_file_without_keys_is_none(file: Path, text: str) -> None:
    file.write_text(text)
    assert load_keys(file, IDS) == {}


def test_every_mistake_is_told_at_its_place(file: Path) -> None:
    text = f"band-0001 {KEY}\n\nband-0003 {KEY[:-1]}\n  band-0001 {OTHER}\nband-0002\nband-0002 {KEY[:16]} {KEY[16:]}\n"
    assert wrong(file, text) == [
        "3:1: no device of the roster has this id; write it as it stands there, or take it out",
        "3:11: not a key: 31 characters; write its 16 bytes as 32 hex digits",
        "4:3: this device has a key in line 1 already; keep one of them",
        "5:1: not a device's id and its key; write both, with a space between",
        "6:1: not a device's id and its key; write both, with a space between",
    ]


@pytest.mark.parametrize("text", [f"{KEY} band-0001", f"{KEY}{KEY}", f"band-0001 {KEY}0", f"band-0001:{KEY}"])
def test_no_key_is_told_wherever_it_stands(file: Path, text: str) -> None:
    told = "\n".join(wrong(file, text))
    assert KEY not in told
    assert KEY[:8] not in told


def test_without_a_roster_the_keys_themselves_are_still_looked_at(file: Path) -> None:
    assert [problem.split(":")[0] for problem in wrong(file, f"any {KEY}\nother none\n", None)] == ["2"]


def test_the_roster_knows_the_key_by_whatever_address_knows_the_device() -> None:
    devices = (Device(id="band-0001", address="C0:98:00:01:02:03"), Device(id="band-0002", address="00020a01"))
    roster = Roster(devices, {"band-0001": bytes.fromhex(KEY)})
    keys = [roster.key_of(address) for address in ("c09800010203", "00010203", "00020a01", "c19800010203")]
    assert keys == [bytes.fromhex(KEY), bytes.fromhex(KEY), None, None]
    assert Roster(devices).key_of("c09800010203") is None
