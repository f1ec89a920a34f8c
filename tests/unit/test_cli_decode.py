"""`station-gateway decode`: every field with its bytes, and what is wrong with bytes that mean nothing."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.cli import decode

SERIAL = "a55a1103020100bd0311000109584861f00c681084b0"
PAYLOAD = "0311000109584861f00c6810"
Decode = Callable[..., tuple[int, str, str]]


@pytest.fixture
def decoded(capsys: pytest.CaptureFixture[str]) -> Decode:
    """Run the command; its exit status, output and errors."""

    def run(*words: str) -> tuple[int, str, str]:
        parser = argparse.ArgumentParser()
        decode.configure(parser)
        alone = [] if "--profile" in words or "--profiles" in words else ["--profile", "398-reference"]
        status = decode.run(parser.parse_args([*words, *alone]))
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def test_a_serial_frame_is_shown_field_by_field(decoded: Decode) -> None:
    status, out, _ = decoded(SERIAL)
    lines = [line.split() for line in out.splitlines()]
    assert status == 0
    assert out.startswith("398-reference, serial frame from 00010203, rssi -67 dB[mW]\n")
    assert ["1-2", "1100", "counter", "17"] in lines
    assert ["3", "01", "event", "1", "sos"] in lines
    assert ["4", "bit", "0", "09", "worn", "1", "true"] in lines
    assert ["6", "48", "heart_rate", "72", "72", "/min"] in lines
    assert ["8-9", "f00c", "skin_temperature", "3312", "33.12", "Cel"] in lines
    assert "  occurrence: sos, counter 17, fresh\n" in out
    assert "  occurrence: low_battery, not active\n" in out


@pytest.mark.parametrize("words", [[SERIAL.upper()], [SERIAL[:8], SERIAL[8:]], [":".join(["a5", "5a", SERIAL[4:]])]])
def test_spaces_colons_and_case_do_not_matter(decoded: Decode, words: list[str]) -> None:
    assert decoded(*words)[:2] == decoded(SERIAL)[:2]


def test_an_advert_and_a_bare_payload_say_the_same(decoded: Decode) -> None:
    status, advert, _ = decoded("9803" + PAYLOAD)
    assert (status, advert.splitlines()[0]) == (0, "398-reference, manufacturer of company 0xFFFF")
    status, bare, _ = decoded(PAYLOAD)
    assert (status, bare.splitlines()[0]) == (0, "398-reference, bare payload")
    assert advert.splitlines()[1:] == bare.splitlines()[1:]


def test_absent_absurd_and_later_bytes_are_named(decoded: Decode) -> None:
    _, out, _ = decoded("010000000165ff65ff7fffffbeef")
    lines = [line.split() for line in out.splitlines()]
    assert ["5", "65", "battery", "101", "absurd:", "out", "of", "bounds"] in lines
    assert ["10-11", "ffff", "steps", "65535", "absent"] in lines
    assert "  absurd, nothing is read from: battery, heart_rate, spo2\n" in out
    assert "  passed over: beef\n" in out


def test_several_frames_and_the_rubbish_between_are_all_shown(decoded: Decode) -> None:
    heartbeat = "a55a1100000000000100000000ff0000ff7ffffff443"
    status, out, _ = decoded(SERIAL + "0102" + heartbeat)
    assert status == 0
    assert [line for line in out.splitlines() if line.startswith("398")] == [
        "398-reference, serial frame from 00010203, rssi -67 dB[mW]",
        "398-reference, serial frame: rubbish: 0102",
        "398-reference, serial frame of the receiver itself, rssi 0 dB[mW]",
    ]


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (SERIAL[:-1] + "1", "checksum: CRC-16/IBM-3740 is 84b1, expected 84b0"),
        (SERIAL[:-2], "claims 22 bytes, 21 are there"),
        ("a55af0" + "00" * 20, "oversized: claims 245 bytes, more than the 64 of the longest frame"),
        ("a55a1003020100bd0311000109584861f00c681204", "too_short: 11 bytes of payload, at least 12 are needed"),
        ("a55a0103e1c1", "nothing recognised"),
        ("980301", "too_short: 1 bytes of payload"),
        ("00", "too_short: 1 bytes of payload"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_decoded(decoded: Decode, octets: str, words: str) -> None:
    status, out, _ = decoded(octets)
    assert status == 1
    assert words in out
    assert "occurrence" not in out


def test_a_quarantine_is_read_line_by_line(decoded: Decode, tmp_path: Path) -> None:
    path = tmp_path / "quarantine.jsonl"
    line = '{"at":"2026-11-23T08:00:00.000Z","link":"serial:lobby","reason":"checksum","hex":"%s"}\n'
    path.write_text(line % (SERIAL[:-1] + "1") + "not JSON\n" + line % "zz")
    status, out, err = decoded("--file", str(path))
    assert status == 1
    assert "2026-11-23T08:00:00.000Z serial:lobby checksum: a55a11" in out
    assert "expected 84b0" in out
    assert [each.split(": ")[:2] for each in err.splitlines()] == [
        [f"{path}:2", "no quarantine line"],
        [f"{path}:3", "no quarantine line"],
    ]
    path.write_text(line % SERIAL)
    assert decoded("--file", str(path))[0] == 0


def test_a_quarantined_body_of_a_serial_frame_is_read_as_one(decoded: Decode, tmp_path: Path) -> None:
    path = tmp_path / "quarantine.jsonl"
    line = {"at": "", "link": "serial:lobby", "reason": "absurd battery", "hex": "03020100bd" + PAYLOAD}
    path.write_text(json.dumps(line))
    status, out, _ = decoded("--file", str(path))
    assert status == 0
    assert "398-reference, serial frame from 00010203, rssi -67 dB[mW]\n" in out


def test_site_profiles_and_one_profile_alone_can_be_asked_for(decoded: Decode, tmp_path: Path) -> None:
    (tmp_path / "button.yaml").write_text(
        "profile: button\nabout: a\nsource: b\nfields: {key: {at: 0}}\n"
        "occurrences: [{field: key, behaviour: edge, means: button}]\n"
        'bluetooth: {service_data: {uuid: "fcd2", prefix: "40"}}\n'
        'golden: [{name: pressed, payload: "01", occurrences: [{kind: button}]}]\n'
    )
    status, out, _ = decoded("--profiles", str(tmp_path), "--profile", "button", "4001")
    assert status == 0
    assert out.startswith("button, service data of 0000fcd2-0000-1000-8000-00805f9b34fb\n")
    assert "  occurrence: button\n" in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "decode: give either bytes in hex, such as 03 11 00 01, or --file FILE\n"),
        (["00", "--file", "x"], "decode: give either bytes in hex, such as 03 11 00 01, or --file FILE\n"),
        (["0x1"], "'0x1' is no hex string of whole bytes; write two digits (0-9, a-f) for each byte\n"),
        (["hello"], "'hello' is no hex string of whole bytes"),
        (["00", "--profile", "389"], "no profile is called '389'; there are: 398-reference"),
        (["--file", "/absent/q.jsonl"], "/absent/q.jsonl: No such file or directory; name a quarantine.jsonl"),
        (["00", "--profiles", "/absent"], "/absent:1:1: no profiles: No such file or directory"),
    ],
)
def test_wrong_usage_exits_2_and_says_why(decoded: Decode, words: list[str], sentence: str) -> None:
    status, out, err = decoded(*words)
    assert (status, out) == (2, "")
    assert sentence in err
