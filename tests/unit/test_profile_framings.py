"""Framings as a profile states them: what each is compiled to, and each mistake with what would be right."""

from pathlib import Path

import pytest

from drivers.checksum import CHECKSUMS
from drivers.framing import (
    BracketedFraming,
    Check,
    CobsFraming,
    EscapedFraming,
    Esp3Framing,
    FixedFraming,
    Framing,
    LoginFraming,
    RfBridgeFraming,
    SeveralFramings,
    Tail,
    complemented,
)
from drivers.marked import Refused
from drivers.profile.framings import FramingShape, framing
from drivers.profile.load import load
from tests.support.profiles import SHIPPED

TEXT = SHIPPED.read_text()
BEGIN, END = TEXT.index("    start_length:\n"), TEXT.index("  address: {at: 0")
CRC = Check(CHECKSUMS["CRC-16/IBM-SDLC"], 1, "big")
LENGTH = "start_length: {start: 'a55a', length: {at: 2, counts: body}, longest: 64"


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (
            {"fixed": {"start": "02", "size": 9, "checksum": {"name": "CRC-16/X-25", "covers_from": 1}, "end": "03"}},
            FixedFraming(b"\x02", 9, Tail(CRC, b"\x03")),
        ),
        ({"slip": {"longest": 40}}, EscapedFraming(0xC0, 0xDB, {0xDC: 0xC0, 0xDD: 0xDB}, None, 40)),
        ({"cobs": {"longest": 40}}, CobsFraming(None, 40)),
        ({"hdlc": {"xor": 0x20, "longest": 40}}, EscapedFraming(0x7E, 0x7D, complemented(0x20), None, 40)),
        (
            {"hdlc": {"flag": "e7", "escape": "e6", "codes": {"01": "e6", "02": "e7"}, "longest": 40}},
            EscapedFraming(0xE7, 0xE6, {1: 0xE6, 2: 0xE7}, None, 40),
        ),
        ({"bracketed": {"longest": 90, "slack": 8}}, BracketedFraming(90, 8)),
        ({"esp3": {}}, Esp3Framing(512)),
        ({"rf_bridge": {}}, RfBridgeFraming(160)),
        (
            {"esp3": {}, "login": {"begins": "01", "at": 1, "size": 8}},
            LoginFraming(Esp3Framing(512), b"\x01", 1, 8),
        ),
    ],
)
def test_each_way_is_compiled(shape: dict[str, object], expected: Framing) -> None:
    assert framing(FramingShape.model_validate(shape), "big") == expected


def test_several_beginnings_are_one_framing() -> None:
    shape = {"start": "78", "length": {"at": 1, "counts": "body"}, "longest": 40}
    shape |= {"also": [{"start": "79", "length": {"at": 1, "type": "u16", "counts": "body"}}]}
    compiled = framing(FramingShape.model_validate({"start_length": shape}), "big")
    assert isinstance(compiled, SeveralFramings)
    assert compiled.starts == (b"x", b"y")


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ("fixed: {size: 30}", "nothing tells a frame from rubbish; add start:, checksum: or end:"),
        ("fixed: {start: '02', size: 17}", "this profile's frames take 18 bytes; write 18 or more"),
        ("slip: {longest: 16}", "this profile's frames take 17 bytes; write 17 or more"),
        ("cobs: {longest: 18, checksum: {name: sum16}}", "this profile's frames take 19 bytes; write 19 or more"),
        ("hdlc: {longest: 40}", "either xor or codes says how bytes are escaped; write xor: 0x20, or codes:"),
        ("hdlc: {longest: 40, xor: 0x20, codes: {'01': '7d'}}", "either xor or codes says how bytes are escaped"),
        ("hdlc: {longest: 40, xor: 0x20, escape: '7e'}", "the escape is the flag; write another byte"),
        ("hdlc: {longest: 40, codes: {'01': '7d'}}", 'no code stands for 7e; add one, such as "01": "7e"'),
        ("hdlc: {longest: 40, xor: 0x20, flag: '7e7e'}", "framing.hdlc.flag"),
        (LENGTH + ", also: [{start: 'a5', length: {at: 0, counts: body}}]}", "also.0.length.at"),
        (LENGTH + ", also: [{start: 'a5a5a5', length: {at: 2, counts: body}}]}", "in the start bytes; write at: 3"),
        (LENGTH + ", also: [{start: 'a55a01', length: {at: 3, counts: body}}]}", "already; put the longer first"),
        ("start_length: {start: 'a5', length: {at: 1, counts: body}, end: '0d0a', longest: 20}", "write 21 or more"),
        ("esp3: {}\n    rf_bridge: {}", "exactly one way of framing is needed; write one of start_length, fixed, line"),
        ("login: {begins: '01', at: 1, size: 8}", "exactly one way of framing is needed"),
        ("bracketed: {longest: 9000}", "4096"),
    ],
)
def test_a_mistake_is_told_with_its_cure(tmp_path: Path, stated: str, words: str) -> None:
    path = tmp_path / "altered.yaml"
    path.write_text(TEXT[:BEGIN] + f"    {stated}\n" + TEXT[END:])
    with pytest.raises(Refused) as refused:
        load(path)
    told = [problem for problem in refused.value.problems if words in str(problem)]
    assert told, str(refused.value)
    assert told[0].mark.line - 1 >= TEXT[:BEGIN].count("\n") - 1
    assert told[0].cure
