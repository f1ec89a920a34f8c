"""JT/T 808: alarm bits are levels, answers repeat number and serial number in the terminal's own version."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import BadFrame, Said
from drivers.decoders.jt808 import DECODER, WIRE
from tests.support.wire import happened

OLD = "0200001c001401249917"
NEW = "0200401c0100000000001401249917"
REST = bytes(24).hex()


def said(message: str) -> Said:
    return DECODER.decode(bytes.fromhex(message), None, None)


@pytest.mark.parametrize("head", [OLD, NEW])
@pytest.mark.parametrize(
    ("alarms", "expected"),
    [
        ("00000000", ["sos, not active", "low_battery, not active"]),
        ("00000001", ["sos, active", "low_battery, not active"]),
        ("00000080", ["sos, not active", "low_battery, active"]),
        ("ffffffff", ["sos, active", "low_battery, active"]),
        ("ffffff7e", ["sos, not active", "low_battery, not active"]),
    ],
)
def test_alarm_bits_are_levels_in_either_version(head: str, alarms: str, expected: list[str]) -> None:
    found = said(f"{head}0007{alarms}{REST}")
    assert happened(found) == expected
    assert found.address == "001401249917"


def answered(found: Said) -> str | None:
    """An answer unwrapped."""
    if found.reply is None:
        return None
    (body,) = WIRE.deframer().feed(found.reply)
    assert isinstance(body, bytes)
    return body.hex()


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        (f"{OLD}7e7d00000001{REST}", "80010005001401249917" + "7e7d" + "7e7d" + "0200" + "00"),
        (f"{NEW}000700000001{REST}", "8001400501" + "00000000001401249917" + "0007" + "0007" + "0200" + "00"),
        ("00020000001401249917" + "0009", "80010005001401249917" + "0009" + "0009" + "0002" + "00"),
        ("01000000001401249917" + "0001", "8100000f001401249917" + "0001" + "0001" + "00" + b"001401249917".hex()),
        ("00010005001401249917" + "0001" + "0001820000", None),
    ],
)
def test_an_answer_repeats_what_it_answers(message: str, answer: str | None) -> None:
    assert answered(said(message)) == answer


def test_a_bundle_tells_an_emergency_in_any_of_its_reports() -> None:
    report = "001c{}" + REST
    bundle = "0003" + "01" + report.format("00000000") + report.format("00000001") + report.format("00000080")
    found = said(f"0704{len(bundle) // 2:04x}001401249917" + "0001" + bundle)
    assert happened(found) == ["sos, active", "low_battery, active"]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("0200041c001401249917" + "0007" + "00000001" + REST, "encrypted"),
        (f"{OLD}000700000001{REST[:-2]}", "too_short"),
        ("02000004001401249917" + "0007" + "00000001", "too_short"),
        ("07040006001401249917" + "0007" + "0001" + "00" + "0002" + "ff", "too_short"),
        ("0704" + "0003" + "001401249917" + "0007" + "ffff" + "00", "too_short"),
        ("", "too_short"),
    ],
)
def test_what_cannot_be_a_report_is_refused(message: str, reason: str) -> None:
    with pytest.raises(BadFrame, match=reason):
        said(message)


def test_a_message_in_parts_is_answered_and_nothing_read_from_it() -> None:
    found = said("0200201c001401249917" + "0007" + "00020001" + "00000001" + REST)
    assert (happened(found), answered(found)) == ([], "80010005001401249917" + "0007" + "0007" + "0200" + "00")


@given(st.binary(min_size=6, max_size=6), st.binary(min_size=2, max_size=2))
def test_any_number_is_answered_under_itself(terminal: bytes, serial: bytes) -> None:
    answer = answered(said("00020000" + terminal.hex() + serial.hex()))
    assert answer == "80010005" + terminal.hex() + serial.hex() * 2 + "000200"
