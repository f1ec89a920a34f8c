"""`station-gateway decode`: every field with its bytes, what is wrong with those that mean nothing, and all as JSON."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drivers.decoders.catalogue import DECODERS
from tests.support.command import Said, command
from tests.support.receivers import RECEIVER
from tests.support.sealed import KEY, PROFILE, SEALED, payload

SERIAL = "a55a1103020100bd0311000109584861f00c681084b0"
HEARTBEAT = "a55a1100000000000100000000ff0000ff7ffffff443"
PAYLOAD = "0311000109584861f00c6810"
ADVERT = "02010611ffffff9803" + PAYLOAD
MAC = "C0:98:00:01:02:03"
OK = {
    "profile": "398-reference",
    "device": "c09800010203",
    "values": {
        "worn": True,
        "charging": False,
        "moving": True,
        "battery_level": 88,
        "heart_rate": 72,
        "spo2": 97,
        "skin_temperature": 33.12,
        "steps": 4200,
    },
    "occurrences": [{"kind": "sos", "press": None, "repeat_key": "17"}],
    "auth": "none",
    "errors": [],
}
Decode = Callable[..., Said]
Objects = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def decode(capsys: pytest.CaptureFixture[str]) -> Decode:
    return lambda *words: command(capsys, "decode", *words)


@pytest.fixture
def objects(decode: Decode) -> Objects:
    """What `--json` prints; the exit code must fit it."""

    def run(*words: str) -> list[dict[str, Any]]:
        said = decode("--json", *words)
        found = [json.loads(line) for line in said.out.splitlines()]
        assert all(list(each) == list(OK) for each in found)
        told = any(
            each["profile"] and each["auth"] != "failed" and (each["values"] or not each["errors"]) for each in found
        )
        assert said.status == (0 if told else 1), said
        return found

    return run


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder with a profile that a decoder of the tests reads."""
    monkeypatch.setitem(DECODERS, "sealed", SEALED)  # type: ignore[arg-type]
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sealed.yaml").write_text(PROFILE)
    return str(folder)


def test_a_serial_frame_is_shown_field_by_field(decode: Decode) -> None:
    said = decode("--serial", "398-reference", SERIAL)
    lines = [line.split() for line in said.out.splitlines()]
    assert said.status == 0
    assert said.out.startswith("398-reference, serial frame from 00010203, rssi -67 dB[mW]\n")
    assert "in front of the payload: 03020100bd" in said.out
    assert ["1-2", "1100", "counter", "17"] in lines
    assert ["3", "01", "event", "1", "sos"] in lines
    assert ["4", "bit", "0", "09", "worn", "1", "true"] in lines
    assert ["8-9", "f00c", "skin_temperature", "3312", "33.12", "Cel"] in lines
    assert "  occurrence: sos, counter 17, fresh\n" in said.out
    assert "  occurrence: low_battery, not active\n" in said.out


@pytest.mark.parametrize(
    "words",
    [
        ["--serial", "398", SERIAL.upper()],
        ["--serial", "start_length", SERIAL[:8], SERIAL[8:]],
        ["--serial", "auto", "0xa5 0x5A", SERIAL[4:]],
        ["--serial", "398-reference", ":".join(["a5", "5a", SERIAL[4:]])],
        ["--serial", "398-reference", "0x" + SERIAL],
    ],
)
def test_a_serial_line_may_be_written_in_any_way(objects: Objects, words: list[str]) -> None:
    assert objects(*words) == [OK | {"device": "00010203"}]


@pytest.mark.parametrize(
    "words",
    [
        ["--manufacturer", "0xFFFF", "9803" + PAYLOAD],
        ["--manufacturer", "ffff", "98 03", PAYLOAD.upper()],
        ["--advert", ADVERT],
        ["--advert", ADVERT[:10], ADVERT[10:]],
        ["--advert", ADVERT + "000000"],
    ],
)
def test_an_advert_may_be_given_whole_or_as_its_section(objects: Objects, words: list[str]) -> None:
    assert objects(*words) == [OK | {"device": None}]
    assert objects("--address", MAC, *words) == [OK]
    assert objects("--address", MAC.replace(":", "").lower(), *words) == [OK]


@pytest.mark.parametrize(
    "uuid",
    ["2a37", "0x2A37", "00002a37", "00002A37-0000-1000-8000-00805F9B34FB", "0" * 4 + "2a3700001000800000805f9b34fb"],
)
def test_a_characteristic_is_known_by_its_uuid_of_any_width(objects: Objects, uuid: str) -> None:
    (found,) = objects("--characteristic", uuid, "06 48", "--address", MAC)
    assert (found["profile"], found["device"]) == ("heart-rate", "c09800010203")
    assert found["values"] == {"heart_rate": 72, "worn": True}


def test_service_data_is_known_by_its_uuid(objects: Objects, site: str) -> None:
    for uuid in ("fcd2", "0xFCD2", "0000fcd2", "0000fcd2-0000-1000-8000-00805f9b34fb"):
        (found,) = objects("--profiles", site, "--service", uuid, payload(1, plain=True))
        assert (found["profile"], found["values"]) == ("sealed", {"battery_level": 88})


def test_a_whole_advert_is_shown_with_its_sections(decode: Decode) -> None:
    said = decode("--advert", "0303 0d18", ADVERT, "0509 42616e64", "05ff01")
    assert said.status == 0
    assert [line.split() for line in said.out.splitlines()[:7]] == [
        ["advert"],
        ["at", "type", "bytes", "what"],
        ["0-3", "0x03", "0d18", "services", "0x180D"],
        ["4-6", "0x01", "06", "flags"],
        ["7-24", "0xFF", "ffff9803" + PAYLOAD, "manufacturer", "data", "of", "company", "0xFFFF"],
        ["25-30", "0x09", "42616e64", "name", "'Band'"],
        ["wrong:", "the", "section", "at", "byte", "31", "claims", "5", "bytes,", "2", "are", "there"],
    ]
    assert "  it is connected to for 0x2A37, 0x2A19\n" in said.out


def test_what_is_wrong_with_an_advert_is_an_error_beside_what_was_read(objects: Objects) -> None:
    assert objects("--address", MAC, "--advert", ADVERT, "05ff01") == [
        OK | {"errors": ["the section at byte 21 claims 5 bytes, 2 are there"]}
    ]


def test_absent_values_are_null_and_absurd_fields_are_errors(objects: Objects, decode: Decode) -> None:
    words = ["--manufacturer", "ffff", "9803010000000165ff65ff7fffffbeef"]
    (found,) = objects(*words)
    assert found["values"] == {
        "worn": True,
        "charging": False,
        "moving": False,
        "skin_temperature": None,
        "steps": None,
    }
    assert [error.split(" is out")[0] for error in found["errors"]] == [
        "absurd: battery", "absurd: heart_rate", "absurd: spo2"
    ]  # fmt: skip
    said = decode(*words).out
    assert "absurd, nothing is read from: battery, heart_rate, spo2\n" in said
    assert "no field reads 12-13: beef\n" in said


def test_the_receiver_itself_is_no_device(objects: Objects, decode: Decode) -> None:
    assert objects("--serial", "398", HEARTBEAT) == [OK | {"device": None, "values": {}, "occurrences": []}]
    assert (
        "398-reference, serial frame of the receiver itself, rssi 0 dB[mW]\n"
        in decode("--serial", "398", HEARTBEAT).out
    )


def test_several_frames_are_told_and_the_rubbish_between_is_passed_over(decode: Decode) -> None:
    words = ["--serial", "398", "ff" + SERIAL + "0102" + HEARTBEAT]
    said = decode(*words)
    assert [line for line in said.out.splitlines() if not line.startswith(" ")] == [
        "serial line: rubbish: holds no start a55a: ff",
        "398-reference, serial frame from 00010203, rssi -67 dB[mW]",
        "serial line: rubbish: holds no start a55a: 0102",
        "398-reference, serial frame of the receiver itself, rssi 0 dB[mW]",
    ]
    told = decode("--json", *words)
    assert [json.loads(line)["device"] for line in told.out.splitlines()] == ["00010203", None]
    assert told.err.count("passed over, rubbish") == 2


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (SERIAL[:-1] + "1", "checksum: CRC-16/IBM-3740 is 84b1, expected 84b0"),
        (SERIAL[:-2], "incomplete: claims 22 bytes, 21 are there"),
        ("a55af0" + "00" * 20, "oversized: claims 245 bytes, more than the 64 of the longest frame"),
        ("a55a1003020100bd0311000109584861f00c681204", "too_short"),
        ("a55a01035d1e", "too_short"),
        ("00", "holds no start a55a"),
        ("00a5", "holds no start a55a"),
    ],
)
def test_a_broken_frame_says_what_is_wrong_and_yields_nothing(
    decode: Decode, objects: Objects, octets: str, words: str
) -> None:
    said = decode("--serial", "398-reference", octets)
    assert said.status == 1
    assert words in said.out
    assert "occurrence" not in said.out
    (found,) = objects("--serial", "398-reference", octets)
    assert (found["values"], found["occurrences"], found["auth"], found["device"]) == ({}, [], "none", None)
    assert words in " ".join(found["errors"])


def test_what_nothing_knows_is_told_with_who_sent_it(objects: Objects, decode: Decode) -> None:
    assert objects("--manufacturer", "abcd", "0102", "--address", MAC) == [
        {
            "profile": None,
            "device": "c09800010203",
            "values": {},
            "occurrences": [],
            "auth": "none",
            "errors": ["manufacturer data of company 0xABCD: no profile looks at it"],
        }
    ]
    assert decode("--manufacturer", "abcd", "0102").out.splitlines()[-1] == "nothing recognised"
    assert objects("--advert", "020106", "--address", MAC)[0]["errors"] == ["no section that a profile could read"]


def test_it_says_why_other_profiles_are_not_the_one(decode: Decode, tmp_path: Path) -> None:
    text = (
        "profile: {0}\nabout: a\nsource: b\nfields: {{key: {{at: 0}}}}\n"
        "bluetooth: {{manufacturer: {{company: 0xFFFF{1}}}}}\n"
        'golden: [{{name: any, payload: "01"}}]\n'
    )
    (tmp_path / "a.yaml").write_text(text.format("other", ', prefix: "80bc"'))
    (tmp_path / "b.yaml").write_text(text.format("wide", ""))
    said = decode("--profiles", str(tmp_path), "--manufacturer", "FFFF", "9803" + PAYLOAD)
    assert "  not other: wants 80bc in front, there is 9803\n" in said.out
    assert "  not wide: would read it too; another goes first\n" in said.out
    said = decode("--profiles", str(tmp_path), "--profile", "other", "--manufacturer", "FFFF", "9803" + PAYLOAD)
    assert (said.status, said.out.splitlines()[-1]) == (1, "nothing recognised")
    cut = "9803" + PAYLOAD[:-2]
    said = decode("--profiles", str(tmp_path), "--manufacturer", "FFFF", cut)
    title = "398-reference, manufacturer data of company 0xFFFF"
    assert said.out.startswith(f"{title}: too_short: it ends before its last field: {cut}\n")


def test_a_section_by_itself_may_be_of_a_device_of_any_name(objects: Objects, tmp_path: Path) -> None:
    (tmp_path / "named.yaml").write_text(
        "profile: named\nabout: a\nsource: b\nfields: {level: {at: 0, metric: battery_level}}\n"
        'bluetooth: {service_data: {uuid: "8801"}, name: "Blue-"}\n'
        'golden: [{name: any, payload: "58", values: {battery_level: 88}}]\n'
    )
    alone = ["--profiles", str(tmp_path)]
    assert objects(*alone, "--service", "8801", "58")[0]["values"] == {"battery_level": 88}
    assert objects(*alone, "--advert", "04160188 58 0609 426c75652d")[0]["values"] == {"battery_level": 88}
    for name in ("", "0609 526f74652d"):
        assert objects(*alone, "--advert", "04160188 58", name)[0]["profile"] is None


def test_a_key_proves_the_sender_and_another_key_yields_nothing(
    objects: Objects, decode: Decode, site: str, tmp_path: Path
) -> None:
    words = ["--profiles", site, "--service", "fcd2", payload(7, pressed=True)]
    (tmp_path / "key").write_text(f"{KEY.upper()}\n")
    for key in (["--key", KEY], ["--key-file", str(tmp_path / "key")]):
        (found,) = objects(*words, *key)
        assert (found["auth"], found["values"], found["errors"]) == ("ok", {"battery_level": 88}, [])
        assert found["occurrences"] == [{"kind": "button", "press": "single", "repeat_key": "7"}]
    (found,) = objects(*words, "--key", "2c")
    assert (found["profile"], found["auth"], found["values"], found["occurrences"]) == ("sealed", "failed", {}, [])
    assert found["errors"][0].startswith("decryption: ")
    (found,) = objects(*words)
    assert (found["auth"], found["errors"][0].split(":")[0]) == ("none", "no_key")
    (found,) = objects(*words[:3], "fcd2", payload(7, plain=True), "--key", KEY)
    assert (found["auth"], found["values"]) == ("downgraded", {"battery_level": 88})
    said = decode(*words, "--key", KEY)
    assert "  auth: ok, number 7\n" in said.out
    assert ["3", "01", "pressed", "1"] in [line.split() for line in said.out.splitlines()]


def test_the_key_is_only_the_named_senders(objects: Objects, site: str, tmp_path: Path) -> None:
    line = '{"kind":"service_data","key":"0000fcd2-0000-1000-8000-00805f9b34fb","address":"%s","payload":"%s"}\n'
    (tmp_path / "c.jsonl").write_text(line % ("c09800010203", payload(1)) + line % ("c09800010204", payload(1)))
    found = objects("--profiles", site, "--key", KEY, "--address", MAC, str(tmp_path / "c.jsonl"))
    assert [each["auth"] for each in found] == ["ok", "none"]
    found = objects("--profiles", site, "--key", KEY, str(tmp_path / "c.jsonl"))
    assert [each["auth"] for each in found] == ["ok", "ok"]


def test_a_number_that_does_not_rise_within_a_file_is_a_replay(objects: Objects, site: str, tmp_path: Path) -> None:
    line = '{"kind":"service_data","key":"0000fcd2-0000-1000-8000-00805f9b34fb","address":"%s","payload":"%s"}\n'
    heard = [("c09800010203", 5), ("c09800010203", 6), ("c09800010203", 6), ("c09800010203", 5), ("c09800010204", 5)]
    (tmp_path / "c.jsonl").write_text("".join(line % (who, payload(number)) for who, number in heard))
    found = objects("--profiles", site, "--key", KEY, str(tmp_path / "c.jsonl"))
    assert [each["auth"] for each in found] == ["ok", "ok", "replayed", "replayed", "ok"]
    found = objects("--profiles", site, "--key", KEY, str(tmp_path / "c.jsonl"), str(tmp_path / "c.jsonl"))
    assert [each["auth"] for each in found[5:]] == ["replayed"] * 5


def test_the_sections_of_one_advert_are_one_object(objects: Objects, site: str) -> None:
    advert = f"{ADVERT} 0916d2fc {payload(3)}"
    (found,) = objects("--profiles", site, "--key", KEY, "--address", MAC, "--advert", advert)
    assert (found["profile"], found["auth"], found["device"]) == ("398-reference", "none", "c09800010203")
    assert found["values"]["heart_rate"] == 72
    (found,) = objects(
        "--profiles", site, "--key", "00", "--address", MAC, "--advert", f"0916d2fc {payload(3)}", ADVERT
    )
    assert (found["profile"], found["auth"], len(found["errors"])) == ("398-reference", "none", 1)
    assert found["occurrences"] == OK["occurrences"]


def test_a_value_counts_before_its_absence_in_another_section(objects: Objects, site: str) -> None:
    empty = f"0916d2fc {payload(3, battery=255)}"
    for advert in (f"{ADVERT} {empty}", f"{empty} {ADVERT}"):
        (found,) = objects("--profiles", site, "--key", KEY, "--advert", advert)
        assert found["values"]["battery_level"] == 88
    (found,) = objects("--profiles", site, "--key", KEY, "--advert", empty)
    assert found["values"] == {"battery_level": None}


def test_a_line_of_text_is_read_without_its_end(objects: Objects, tmp_path: Path) -> None:
    (tmp_path / "text.yaml").write_text(
        "profile: text\nabout: a\nsource: b\npattern: 'T=(?P<who>[0-9a-f]{8}),(?P<level>[0-9]+)'\n"
        "fields:\n  who: {group: who}\n  level: {group: level, type: decimal, metric: battery_level}\n"
        'serial: {framing: {line: {end: "0d0a", longest: 40}}, address: {field: who}}\n'
        'golden: [{name: any, line: "T=00010203,88", address: "00010203", values: {battery_level: 88}}]\n'
    )
    wanted = OK | {"profile": "text", "device": "00010203", "values": {"battery_level": 88}, "occurrences": []}
    for line in ("T=00010203,88", "T=00010203,88\r\n"):
        assert objects("--profiles", str(tmp_path), "--line", line) == [wanted]
    (found,) = objects("--profiles", str(tmp_path), "--line", "T=none")
    assert "text: wants other values in it" in found["errors"][0]
    (found,) = objects("--profiles", str(tmp_path), "--line", "z" * 50)
    assert found["profile"] is None


def test_a_line_that_passes_an_advert_on_says_what_the_advert_says(
    decode: Decode, objects: Objects, tmp_path: Path
) -> None:
    (tmp_path / "receiver.yaml").write_text(RECEIVER)
    line = ["--profiles", str(tmp_path), "--line"]
    assert objects(*line, f"ADV C09800010203 -61 {ADVERT}") == [OK]
    nothing = OK | {"profile": None, "values": {}, "occurrences": []}
    for advert, why in (
        ("", "no section that a profile could read"),
        ("05ffcdab0102", "manufacturer data of company 0xABCD: no profile looks at it"),
    ):
        assert objects(*line, f"ADV C09800010203 -61 {advert}") == [nothing | {"errors": [why]}]
    (found,) = objects(*line, "ADV C09800010203 -61 020")
    assert (found["profile"], found["errors"]) == ("receiver", ["relayed_advert"])
    said = decode(*line, f"ADV C09800010203 -61 {ADVERT}").out.splitlines()
    assert [each for each in said if not each.startswith(" ")] == [
        "receiver, serial frame from c09800010203, rssi -61 dB[mW]",
        "advert",
        "398-reference, manufacturer data of company 0xFFFF from c09800010203, rssi -61 dB[mW]",
    ]


def test_a_capture_is_read_line_by_line_and_an_adverts_sections_together(objects: Objects, tmp_path: Path) -> None:
    path = tmp_path / "capture.jsonl"
    line = {"t": 0.5, "kind": "manufacturer", "key": 0xFFFF, "address": MAC, "rssi": -60, "payload": "9803" + PAYLOAD}
    frame = {"kind": "frame", "key": "398-reference", "payload": SERIAL[6:-4]}
    other = line | {"key": 0xABCD, "payload": "0102"}
    path.write_text("\n".join(json.dumps(each) for each in (line, other, line | {"t": 0.7}, frame)))
    assert objects(str(path)) == [OK, OK, OK | {"device": "00010203"}]


def test_a_quarantine_is_read_line_by_line(decode: Decode, objects: Objects, tmp_path: Path) -> None:
    path = tmp_path / "quarantine.jsonl"
    line = '{"at":"2026-11-23T08:00:00.000Z","link":"%s","reason":"checksum","hex":"%s"}\n'
    path.write_text(line % ("serial:lobby", SERIAL[:-1] + "1") + "not JSON\n" + line % ("serial:lobby", "zz"))
    said = decode(str(path))
    assert said.status == 1
    assert f"{path}:1, 2026-11-23T08:00:00.000Z serial:lobby checksum\n" in said.out
    assert "expected 84b0" in said.out
    assert [each.split(": ")[:2] for each in said.err.splitlines()] == [
        [f"{path}:2", "no line of a capture or a quarantine"],
        [f"{path}:3", "no line of a capture or a quarantine"],
    ]
    path.write_text(
        line % ("serial:lobby", SERIAL)
        + (line % ("serial:lobby", SERIAL[6:-4])).replace("checksum", "absurd battery")
        + line % ("ble:hci0", "9803" + PAYLOAD)
        + line % ("ble:hci0", "0102")
    )
    assert [each["device"] for each in objects(str(path))] == ["00010203", "00010203", None, None]
    assert [each["profile"] for each in objects(str(path))] == ["398-reference"] * 3 + [None]
    assert {each["profile"] for each in objects("--profile", "heart-rate", str(path))} == {None}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            [],
            "one of the arguments --advert --manufacturer --service --characteristic --serial --line FILE is required",
        ),
        (["--advert", "00", "x.jsonl"], "'x.jsonl' is not hex"),
        (["--advert", "00", "--line", "x"], "not allowed with argument"),
        (["0311", "00"], "'0311 00' is no file, and bytes are not read without what they are; write --manufacturer ID"),
        (["/absent/q.jsonl"], "/absent/q.jsonl: no such file or directory; name a capture, or a quarantine.jsonl"),
        (["--advert", "0x1"], "'0x1' is not hex; write two digits (0-9, a-f) for each byte"),
        (["--advert", "hello"], "'hello' is not hex"),
        (["--manufacturer", "FFFF"], "nothing stands behind 'FFFF'; write the bytes there, in hex"),
        (["--manufacturer", "1FFFF", "00"], "'1FFFF' is no company ID; write up to four hex digits, such as 0x0059"),
        (["--service", "fcd", "00"], "'fcd' is no UUID; write 4, 8 or 32 hex digits, such as 0xFCD2"),
        (
            ["--serial", "389", "00"],
            "no profile with a serial side is called '389', or framed so; there are: 398-reference",
        ),
        (["--advert", "00", "--profile", "389"], "no profile is called '389'; there are: 398-reference"),
        (["--advert", "00", "--address", "C0:98"], "'C0:98' is no address; write it like C0:98:00:01:02:03"),
        (["--advert", "00", "--profiles", "/absent"], "/absent:1:1: no profiles: No such file or directory"),
        (["--advert", "00", "--key-file", "/absent"], "/absent: no such file or directory; write the key's hex digits"),
        (["--advert", "00", "--key", "0g"], "is not hex"),
    ],
)
def test_wrong_usage_exits_2_and_says_what_is_right(decode: Decode, words: list[str], sentence: str) -> None:
    said = decode(*words)
    assert (said.status, said.out) == (2, "")
    assert sentence in said.err


def test_a_key_file_that_holds_none_is_not_told_back(decode: Decode, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("secret!")
    said = decode("--advert", "00", "--key-file", str(tmp_path / "key"))
    assert said.status == 2
    assert "holds no key in hex" in said.err
    assert "secret" not in said.err


def test_the_help_says_that_a_key_in_an_argument_is_for_the_bench(decode: Decode) -> None:
    assert "for the bench only" in " ".join(decode("--help").out.split())
