"""rf_bridge: 55 ends a frame only where the command's own rule says so."""

import pytest

from drivers.framing import RfBridgeFraming
from tests.support.streams import heard, one_by_one

BRIDGE = RfBridgeFraming(160)
CODE = "aaa424e001400384d0035855"


@pytest.mark.parametrize(
    ("frame", "body"),
    [
        # The layout of the wiki's page 0xA5 (what is sent), with the command of what is heard
        (CODE, "a424e001400384d00358"),
        ("aaa424e001400384d0555555", "a424e001400384d05555"),
        ("aaa455550155038455555555", "a4555501550384555555"),
        # github.com/Portisch/RF-Bridge-EFM8BB1, wiki page 0xA6 and the README of its first release
        ("aaa6040232fa8055", "a6040232fa80"),
        ("aaa60601d0f932115555", "a60601d0f9321155"),
        ("aaa60601d0f932113355", "a60601d0f9321133"),
        ("aaa055", "a0"),
        # wiki page 0xB1, editions of 2018 and 2019, and issues 60 and 121
        (
            "aab10403c001b80bc21c7001011010101001010110101010100110011001011010101023 55".replace(" ", ""),
            "b10403c001b80bc21c7001011010101001010110101010100110011001011010101023",
        ),
        (
            "aab104017c046a0bcc23783818190908181908190909090908190819081818190909091a55",
            "b104017c046a0bcc23783818190908181908190909090908190819081818190909091a",
        ),
        ("aab106079e00dc019a051e0f1e0f1e0123040555", "b106079e00dc019a051e0f1e0f1e01230405"),
        ("aab103009601 0401f4a0919155".replace(" ", ""), "b1030096010401f4a09191"),
        # a time of 0x5555 µs in a bucket is no end
        ("aab1025555 55aa 101055".replace(" ", ""), "b102555555aa1010"),
    ],
)
def test_published_frames_are_read(frame: str, body: str) -> None:
    octets = bytes.fromhex(frame)
    assert heard(BRIDGE, [octets]) == heard(BRIDGE, one_by_one(octets)) == [bytes.fromhex(body)]
    assert BRIDGE.wrap(bytes.fromhex(body)) == octets


def test_one_frame_after_the_other_with_rubbish_between() -> None:
    stream = bytes.fromhex("aaaa" + CODE + "55aa" + "aaa055" + CODE)
    body = bytes.fromhex(CODE)[1:-1]
    expected = [("rubbish", b"\xaa\xaa"), body, ("rubbish", b"\x55\xaa"), b"\xa0", body]
    found = heard(BRIDGE, [stream])
    assert [each for each in found if isinstance(each, bytes)] == [body, b"\xa0", body]
    assert heard(BRIDGE, one_by_one(stream)) == found
    assert len(found) == len(expected)


def test_half_a_code_does_not_swallow_the_next() -> None:
    stream = bytes.fromhex(CODE)[:7] + bytes.fromhex(CODE)
    assert heard(BRIDGE, [stream])[-1] == bytes.fromhex(CODE)[1:-1]


def test_a_recording_without_an_end_is_bounded() -> None:
    stream = b"\xaa\xb1\x02\x01\x00\x02\x00" + b"\x10" * 300 + bytes.fromhex(CODE)
    found = heard(BRIDGE, [stream])
    assert found[0][0] == "oversized"
    assert found[-1] == bytes.fromhex(CODE)[1:-1]
    assert heard(BRIDGE, one_by_one(stream)) == found


@pytest.mark.parametrize(
    ("octets", "sentence"),
    [
        ("0102", "holds no AA with a command of this bridge"),
        ("aaa424e0", "ends too early: 4 bytes are there"),
        (CODE[:-2] + "54", "does not end in 55 where it should"),
        ("aab109", "claims 9 time buckets; there are 1 to 8"),
        ("aaa6f0", "is longer than 160 bytes"),
        ("00" + CODE, ""),
    ],
)
def test_the_bench_is_told_what_is_wrong(octets: str, sentence: str) -> None:
    assert BRIDGE.explain(bytes.fromhex(octets)) == sentence


@pytest.mark.parametrize("body", ["", "a4", "b000", "a60401", "b101010010551155"])
def test_a_body_that_is_no_command_of_the_bridge_is_refused(body: str) -> None:
    with pytest.raises(ValueError, match="a body of"):
        BRIDGE.wrap(bytes.fromhex(body))
