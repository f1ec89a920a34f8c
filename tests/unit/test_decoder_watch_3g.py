"""The watches' text protocol: alarms are a set of bits, one that cannot be read is a press, answers repeat the head."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import BadFrame, Decoded, Edge, Measurement, Metric, Occurrence, OccurrenceKind, Said
from drivers.decoders.watch_3g import ALARMS, DECODER, WHEREABOUTS
from tests.support import wire

PLACE = "170525,214118,V,0,N,0,E,0,0,0,0,0"


def said(text: str) -> Said:
    return DECODER.decode(text.encode(), None, None)


def happened(text: str) -> list[str]:
    return wire.happened(said(text))


def alarm(status: str) -> list[str]:
    return happened(f"3G*8800000015*AL,{PLACE},22,0,0,{status},0,0,0")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("00010000", ["sos"]),
        ("00010001", ["sos", "low_battery"]),
        ("00030001", ["sos", "low_battery"]),
        ("00300018", ["fall", "taken_off"]),
        ("0001", ["low_battery"]),
        ("00000000", ["button"]),
        ("00000018", ["button"]),
        ("00040000", []),
        ("000C0006", []),
        ("000D0000", ["sos"]),
        ("00400000", ["button, button 22"]),
        ("80410000", ["sos", "button, button 22", "button, button 31"]),
    ],
)
def test_alarm_bits_are_a_set_and_one_that_says_nothing_is_a_press(status: str, expected: list[str]) -> None:
    assert alarm(status) == [f"{each}, key 170525214118" for each in expected]


@given(st.integers(0, (1 << 32) - 1))
def test_no_bit_hides_another(status: int) -> None:
    bits = {bit for bit in range(32) if status >> bit & 1}
    kinds = {each.split(",")[0] for each in alarm(f"{status:08X}")}
    assert {ALARMS[bit].value for bit in bits & ALARMS.keys()} <= kinds
    assert kinds or bits & set(WHEREABOUTS)


@pytest.mark.parametrize(
    "text",
    [
        "3G*8800000015*AL",
        f"3G*8800000015*AL,{PLACE},22,0,0",
        f"3G*8800000015*AL_LTE,{PLACE},22,0,0,0001000g,0",
        "3G*8800000015*ALCUSTOMER1,241122,062109,A,22.653729,N,114.0146,E,0,0,00010000",
    ],
)
def test_an_alarm_that_cannot_be_read_is_a_press_and_answered(text: str) -> None:
    found = said(text)
    assert [each.kind for each in found.readings if isinstance(each, Occurrence)] == [OccurrenceKind.BUTTON]
    assert "status" in found.absurd
    assert found.reply == b"[3G*8800000015*0002*AL]"


def test_an_alarm_without_a_time_is_told_apart_by_silence() -> None:
    found = said("3G*8800000015*AL,,,V,0,N,0,E,0,0,0,0,0,22,0,0,00010000")
    assert Occurrence(OccurrenceKind.SOS, Edge(None)) in found.readings


@pytest.mark.parametrize("kind", ["UD", "UD2", "UD_LTE", "WT"])
def test_a_position_is_no_alarm_whatever_its_bits(kind: str) -> None:
    found = said(f"3G*8800000015*{kind},{PLACE},22,7,0,FFFFFFFF,0")
    assert found.readings == (Measurement(Metric.BATTERY_LEVEL, 22), Measurement(Metric.STEPS, 7))
    assert found.reply is None


def test_an_answer_repeats_the_head_as_the_watch_wrote_it() -> None:
    assert said("ZJ*AbC0123456*00a1*LK").reply == b"[ZJ*AbC0123456*00a1*0002*LK]"
    assert said("ZJ*AbC0123456*00a1*LK").address == "abc0123456"
    assert said("3G*8800000015*TKQ").reply is None


@pytest.mark.parametrize(
    ("text", "values", "absent", "absurd"),
    [
        ("bphrt,0,0,66,,,,", {"heart_rate": 66}, ["blood_pressure_systolic", "blood_pressure_diastolic"], []),
        ("bphrt,120", {"blood_pressure_systolic": 120}, [], []),
        ("btemp2,0,36.6", {"body_temperature": 36.6}, [], []),
        ("btemp2,1,0", {}, ["body_temperature"], []),
        ("btemp2,1,1", {}, ["body_temperature"], []),
        ("TEMP,nan", {}, [], ["body_temperature"]),
        ("TEMP,-5", {}, [], ["body_temperature"]),
        ("oxygen,0", {}, [], []),
        ("oxygen,0,101", {}, [], ["spo2"]),
        ("HEART,72", {"heart_rate": 72}, [], []),
        ("heart", {}, [], []),
        ("LK,a,b,c", {}, [], ["steps", "battery_level"]),
        ("LK,1,2,300", {"steps": 1}, [], ["battery_level"]),
        ("LK,99999999,2,30", {"battery_level": 30}, [], ["steps"]),
    ],
)
def test_values_that_are_absent_or_cannot_be(
    text: str, values: dict[str, float], absent: list[str], absurd: list[str]
) -> None:
    found = said(f"3G*8800000015*{text}")
    assert {each.metric.value: each.value for each in found.readings if isinstance(each, Measurement)} == values
    assert (list(found.absent), list(found.absurd)) == (absent, absurd)


@pytest.mark.parametrize("body", [b"", b"LK", b"3G*", b"3G**LK", b"\xff\xff*1*LK"])
def test_what_has_no_head_is_refused(body: bytes) -> None:
    with pytest.raises(BadFrame, match="malformed"):
        DECODER.decode(body, None, None)


@given(st.text("0123456789ABCDEF,.-", max_size=80))
def test_whatever_an_alarm_holds_it_is_answered(text: str) -> None:
    assert said(f"3G*8800000015*AL,{text}").reply == b"[3G*8800000015*0002*AL]"


def test_a_press_behind_voice_and_half_a_frame_is_heard() -> None:
    voice = b"TK,#!AMR" + bytes(range(256)).replace(b"}", b"}\1").replace(b"]", b"}\3").replace(b"[", b"}\2")
    press = f"AL,{PLACE},22,0,0,00010000,0,0,0".encode()
    stream = b"[3G*8800000015*%04X*%s]" % (len(voice), voice)
    stream += b"[3G*8800000015*00C0*AL,half" + b"[3G*8800000015*%04X*%s]" % (len(press), press) * 4
    decoded = [each for each in wire.heard("watch-3g", stream) if isinstance(each, Decoded)]
    assert [len(each.said.readings) for each in decoded] == [0, 3, 3, 3, 3]
