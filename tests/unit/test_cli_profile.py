"""`station-gateway profile`: a captured frame becomes a profile to go on with, and golden frames are proven."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from drivers.marked import Refused
from drivers.profile.load import load
from drivers.registry import SHIPPED
from tests.support.command import Said, command
from tests.support.profiles import altered

SERIAL = "a55a1103020100bd0311000109584861f00c681084b0"
Profile = Callable[..., Said]


@pytest.fixture
def profile(capsys: pytest.CaptureFixture[str]) -> Profile:
    return lambda *words: command(capsys, "profile", *words)


@pytest.mark.parametrize(
    ("words", "carrier", "octets"),
    [
        (["--manufacturer", "0059", "80bc5a01"], "manufacturer", "80bc5a01"),
        (["--service", "FCD2", "40 5a 01"], "service_data", "405a01"),
        (["--service", "12345678-9abc-def0-1122-334455667788", "01"], "service_data", "01"),
        (["--advert", "020106", "05ff590080bc"], "manufacturer", "80bc"),
        (["--serial", "398-reference", SERIAL], "serial", SERIAL),
        (["--serial", "auto", SERIAL], "serial", SERIAL),
    ],
)
def test_a_skeleton_loads_with_the_captured_frame_as_its_golden_one(
    profile: Profile, tmp_path: Path, words: list[str], carrier: str, octets: str
) -> None:
    path = tmp_path / "new.yaml"
    assert profile("new", "my-band", *words, "--output", str(path)) == (0, "", "")
    made = load(path)
    (golden,) = made.file.golden
    assert (made.name, getattr(golden, carrier).hex(), golden.values) == ("my-band", octets, {})
    assert profile("test", str(path)).out == f"{path}: my-band, 1 of 1 as stated\n  ok     the captured frame\n"


def test_every_byte_is_a_field_and_its_comment_says_what_it_holds(profile: Profile) -> None:
    said = profile("new", "my-band", "--manufacturer", "FFFF", "98 03 41 22")
    assert said.status == 0
    lines = said.out.splitlines()
    assert lines[0].startswith("# A skeleton made from one captured frame: it loads")
    assert [line for line in lines if line.startswith("  byte_")] == [
        "  byte_0: {at: 0}           # 0x98, 152",
        "  byte_1: {at: 1}           # 0x03, 3",
        '  byte_2: {at: 2}           # 0x41, 65, "A"',
        "  byte_3: {at: 3}           # 0x22, 34",
    ]
    assert "manufacturer: {company: 0xFFFF}" in said.out


def test_a_serial_frame_keeps_what_its_receiver_puts_around_the_payload(profile: Profile) -> None:
    made = yaml.safe_load(profile("new", "my-band", "--serial", "398", SERIAL).out)
    known = yaml.safe_load((SHIPPED / "398-reference.yaml").read_text())["serial"]
    assert made["serial"] == {key: known[key] for key in ("framing", "address", "rssi", "payload")}
    assert (made["address_bits"], len(made["fields"])) == (32, 12)
    assert (made["golden"][0]["address"], made["golden"][0]["rssi"]) == ("00010203", -67)


def test_a_line_of_text_becomes_a_pattern_of_its_parts(profile: Profile, tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    assert profile("new", "my-line", "--line", "$B'ND,0C:61:CF:C1:45:2E,12,ok", "--output", str(path)) == (0, "", "")
    made = load(path)
    assert made.file.pattern == r"\$B'ND,(?P<value_1>[^,]*),(?P<value_2>[^,]*),(?P<value_3>[^,]*)"
    assert made.file.golden[0].address == "0c61cfc1452e"
    assert '# "0C:61:CF:C1:45:2E"' in path.read_text()


@pytest.mark.parametrize(
    ("whose", "address"), [("id: 4711", "00001267"), ("id: '000000c3'", "000000c3"), ("tag: A1B2C3D4", "a1b2c3d4")]
)
def test_a_json_line_becomes_paths_to_its_values(profile: Profile, tmp_path: Path, whose: str, address: str) -> None:
    path = tmp_path / "new.yaml"
    told = yaml.safe_load(whose)
    more = {"Battery-OK": 1, "battery_ok": 2, "more": {"a": 1}, "u.v": 3, "on": True}
    line = json.dumps({"model": "Button"} | told | more)
    assert profile("new", "my-json", "--line", line, "--output", str(path)) == (0, "", "")
    made = load(path)
    assert list(made.file.fields) == ["model", *told, "battery_ok", "on"]
    assert made.file.golden[0].address == address
    assert made.read(json.dumps({"model": "Lamp"} | told).encode(), None, None) is None


@pytest.mark.parametrize(
    ("words", "first", "lacking"),
    [
        (["--serial", "auto", "7e0900000102035a0179b7"], "# Fill in `serial` first:", "is refused as"),
        (["--line", "hello,1"], "# Fill in `serial.address` first:", "does not say which device a frame is from"),
        (["--line", "hello"], "# Fill in `serial.address` first:", "reads nothing from its packets"),
        (["--line", '{"a": 1}'], "# Fill in `serial.address` first:", "does not say which device a frame is from"),
    ],
)
def test_what_a_frame_does_not_tell_is_said_in_the_first_line(
    profile: Profile, tmp_path: Path, words: list[str], first: str, lacking: str
) -> None:
    path = tmp_path / "new.yaml"
    said = profile("new", "my-band", *words, "--output", str(path))
    assert said.status == 0
    assert path.read_text().startswith(first)
    assert said.err.startswith(f"written; this is still to be filled in:\n{path}:")
    assert lacking in said.err
    with pytest.raises(Refused):
        load(path)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["new", "My Band", "--line", "x"], "profile: 'My Band' is no name for a profile; write lower-case letters"),
        (["new", "a", "--manufacturer", "FFFF", ""], "profile: no bytes are left to make fields of"),
        (["new", "a", "--advert", "020106"], "profile: no bytes are left to make fields of; give an advert with"),
        (["new", "a"], "one of the arguments --advert --manufacturer --service --serial --line is required"),
        ([], "the following arguments are required: new|test"),
        (["new", "a", "--line", "x", "--output", "/absent/a.yaml"], "/absent/a.yaml: no such file or directory"),
    ],
)
def test_wrong_usage_exits_2_and_says_what_is_right(profile: Profile, words: list[str], sentence: str) -> None:
    said = profile(*words)
    assert (said.status, said.out) == (2, "")
    assert sentence in said.err


def test_a_file_that_is_there_is_not_written_over(profile: Profile, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("precious")
    said = profile("new", "a", "--line", "x", "--output", str(tmp_path / "kept"))
    assert (said.status, said.err) == (
        2,
        f"profile: {tmp_path}/kept: is there already; name another file with --output\n",
    )
    assert (tmp_path / "kept").read_text() == "precious"


def test_the_shipped_profiles_are_as_stated(profile: Profile) -> None:
    said = profile("test")
    assert (said.status, said.err) == (0, "")
    assert "398-reference, 12 of 12 as stated\n  ok     SOS pressed, worn and moving\n" in said.out
    assert "WRONG" not in said.out


def test_a_frame_that_is_read_otherwise_is_told_with_its_line_and_cure(profile: Profile, tmp_path: Path) -> None:
    path = altered(tmp_path, "heart_rate: 48, spo2: 95", "heart_rate: 49, spo2: 96")
    said = profile("test", str(tmp_path))
    assert said.status == 1
    lines = said.out.splitlines()
    assert lines[0] == f"{path}: 398-reference, 11 of 12 as stated"
    (at,) = [number for number, line in enumerate(lines) if "WRONG" in line]
    assert lines[at] == "  WRONG  vitals after power-up, below freezing"
    number = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if "vitals after power-up" in text)
    frame = "golden frame 'vitals after power-up, below freezing'"
    assert lines[at + 1] == (
        f"         {path}:{number}:5: {frame}: heart_rate is stated as 49, decoded as 48; "
        "correct the field that reads it, or the golden frame if that is what is wrong"
    )
    assert "spo2 is stated as 96, decoded as 95" in lines[at + 2]


def test_a_write_that_comes_out_otherwise_is_told_too(profile: Profile, tmp_path: Path) -> None:
    altered(tmp_path, "a55a07030201000080010c04", "a55a07030201000080010c05")
    said = profile("test", str(tmp_path))
    assert said.status == 1
    assert "  WRONG  buzz short to 00010203\n" in said.out


def test_a_file_that_is_no_profile_exits_2_and_the_others_are_proven(profile: Profile, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("profile: a\nabot: b\n")
    (tmp_path / "b.yaml").write_text((SHIPPED / "heart-rate.yaml").read_text())
    said = profile("test", str(tmp_path))
    assert said.status == 2
    assert f"{tmp_path}/a.yaml:2:1: unknown key 'abot'; did you mean 'about'?" in said.out
    assert "heart-rate, 5 of 5 as stated" in said.out
    assert "there is no such file" in profile("test", "/absent.yaml").out
    (tmp_path / "empty").mkdir()
    assert "no profile is in this folder" in profile("test", str(tmp_path / "empty")).err
