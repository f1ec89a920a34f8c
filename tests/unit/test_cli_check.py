"""`station-gateway check`: in a process of its own, for its exit code and what stands on which stream count."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.profiles import NAMES

SHIPPED = Path(__file__).parents[2] / "config"
GOOD = """\
station: xinhua-03
mqtt: {brokers: [mqtts://platform.example]}
fleet_key: {file: key}
local_alert: {actions: [{name: lamp, mqtt: {topic: lamp}}]}
"""
DEVICES = (
    'devices:\n  - {id: band-0001, address: "C0:98:00:01:02:03"}\n  - {id: band-0002, address: "C0:98:00:01:02:04"}\n'
)
LOOK = "look at this line and the one above: indentation, colons, quotes"
Check = Callable[[str], tuple[int, str, list[str]]]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Check a file of the station's folder: exit code, output, and the lines of what is wrong without the folder."""
    (tmp_path / "gateway.yaml").write_text(GOOD)
    (tmp_path / "devices.yaml").write_text(DEVICES)
    (tmp_path / "key").write_text("s3cret\n")
    bound = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []

    def run(name: str = "gateway.yaml") -> tuple[int, str, list[str]]:
        command = [*bound, sys.executable, "-m", "gateway.cli.main", "check", str(tmp_path / name)]
        told = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        summary, mistakes = (text.replace(f"{tmp_path}/", "") for text in (told.stdout, told.stderr))
        return told.returncode, summary, mistakes.splitlines()

    return run


def test_a_good_configuration_is_one_line(check: Check, tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text(GOOD + "serial: [{port: /dev/serial/by-id/a}]\nbluetooth: [{}]\n")
    links = "links serial:a, ble:hci0"
    summary = f"gateway.yaml: good. Station xinhua-03, 2 devices, {links}, profiles {', '.join(NAMES)}\n"
    assert check("gateway.yaml") == (0, summary, [])


def test_a_warning_is_told_apart_and_stops_nothing(check: Check, tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text(GOOD.replace("mqtts", "mqtt"))
    told = "mqtt://platform.example is not encrypted; use mqtts:// for a broker that is not on this box"
    code, summary, warnings = check("gateway.yaml")
    assert (code, warnings) == (0, [f"gateway.yaml: warning: {told}"])
    assert summary.startswith("gateway.yaml: good. ")


def test_a_program_that_is_not_there_is_warned_of_with_its_place(check: Check, tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text(GOOD.replace("mqtt: {topic: lamp}", "command: {run: [/nowhere/ring]}"))
    code, summary, warnings = check("gateway.yaml")
    cure = "put it in place, executable for the user station-gateway-act, or correct the path"
    assert (code, warnings) == (0, [f"gateway.yaml:4:54: warning: /nowhere/ring is no program; {cure}"])
    assert summary.startswith("gateway.yaml: good. ")


def test_every_mistake_of_every_file_is_told_and_nothing_is_called_good(check: Check, tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text(GOOD.replace("xinhua-03", "Xin Hua") + "fleet_kee: {}\n")
    (tmp_path / "devices.yaml").write_text("devices: [{id: a}]\n")
    code, summary, mistakes = check("gateway.yaml")
    assert (code, summary) == (2, "")
    assert [line.split(":")[:3] for line in mistakes] == [
        ["gateway.yaml", "1", "10"], ["gateway.yaml", "5", "1"], ["devices.yaml", "1", "11"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("absent.yaml", "absent.yaml:1:1: there is no such file; create it, or correct the path"),
        ("gateway.yaml/x", "gateway.yaml/x:1:1: there is no such file; create it, or correct the path"),
        ("folder", "folder:1:1: this is a folder, not a file; name the file in it"),
        ("locked", "locked:1:1: cannot be read (Permission denied); make it readable for this user"),
        ("latin-1", "latin-1:2:13: not UTF-8 (a byte 0xe9); save the file as UTF-8"),
        ("utf-16", "utf-16:1:1: not UTF-8 (a byte 0xff); save the file as UTF-8"),
        (
            "torn",
            f"torn:1:11: not YAML: mapping values are not allowed in this context; {LOOK}",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_told_why(check: Check, tmp_path: Path, name: str, told: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "locked").touch(mode=0o000)
    (tmp_path / "latin-1").write_bytes("# Tea room\nstation: café\n".encode("latin-1"))
    (tmp_path / "utf-16").write_bytes("station: a".encode("utf-16"))
    (tmp_path / "torn").write_text("station: a: b\n")
    assert check(name) == (2, "", [told])


def test_an_empty_file_is_told_what_belongs_into_it(check: Check, tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text("")
    code, summary, mistakes = check("gateway.yaml")
    assert (code, summary) == (2, "")
    assert [line.split("; add ")[1].split(":")[0] for line in mistakes] == ["station", "mqtt"]


@pytest.mark.parametrize("mode", [0o000, None])
def test_a_roster_that_cannot_be_read_is_told_as_the_roster(check: Check, tmp_path: Path, mode: int | None) -> None:
    if mode is None:
        (tmp_path / "devices.yaml").unlink()
    else:
        (tmp_path / "devices.yaml").chmod(mode)
    (code, summary, (told,)) = check("gateway.yaml")
    assert (code, summary) == (2, "")
    assert told.startswith("devices.yaml:1:1: ")


def test_a_data_folder_that_is_a_file_is_told(check: Check, tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text(GOOD + "data: key\n")
    assert check("gateway.yaml") == (
        2, "", ["gateway.yaml:5:7: key is not a folder; name a folder; it is made where there is none"]
    )  # fmt: skip


def test_a_path_with_a_zero_byte_is_told_and_nothing_falls_over(check: Check, tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text(GOOD + 'roster: "a\\0b"\nprofiles: "a\\0b"\n')
    code, _, mistakes = check("gateway.yaml")
    assert (code, [line.split(": ")[1].split()[0] for line in mistakes]) == (2, ["roster", "profiles"])


def test_the_shipped_configuration_is_good(check: Check) -> None:
    assert check(str(SHIPPED / "gateway.yaml"))[0] == 0


def test_a_data_folder_that_cannot_be_seen_is_no_mistake(check: Check, tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir(mode=0)
    (tmp_path / "gateway.yaml").write_text(f"{GOOD}data: shut/data\n")
    code, summary, warnings = check("gateway.yaml")
    assert (code, summary.split()[1], warnings) == (0, "good.", [])
