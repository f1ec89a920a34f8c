"""What keeps a profile from being loaded: each mistake is told where it stands, all of them at once."""

from pathlib import Path

import pytest

from drivers.marked import Refused
from drivers.profile.load import load
from tests.support.profiles import altered

SOS_FRAME, LEVEL, LENGTH = "name: SOS pressed, worn", "field: low_battery", "longest: 64"
MISTAKES = [  # what is changed, to what, where that is told (where it was changed, if not stated), and in which words
    ("metric: worn}", "metric: wornn}", "", "worn"),
    ("metric: spo2,", "metric: heart_rate,", "spo2:  ", "already read from the field 'heart_rate'"),
    ("bit: 0, metric: worn", "metric: worn", "", "true or false"),
    ("{at: 4, bit: 3, metric: moving}", "{at: 4, bit: 8}", "", "bits 0 to 7"),
    ("{at: 4, bit: 3, metric: moving}", "{at: 4, bit: 3, metric: steps}", "", "one bit"),
    ("{at: 4, bit: 3, metric: moving}", "{at: 4, bit: 3, bits: [1, 2]}", "", "both bit and bits"),
    ("absent: 0x7FFF", "absent: 0xFFFF", "", "-1 in i16"),
    ("{1: heartbeat", "{256: heartbeat", "", "0 to 255"),
    ("min: 20, max: 250", "min: 250, max: 20", "", "min 250 is above max 20"),
    ("type: i16", "type: i17", "", "i16"),
    ("order: little\n", "order: little\nleast: 11\n", "least: 11", "least: 12 or more"),
    ("counter: {field: counter,", "counter: {field: countr,", "", "the nearest is 'counter'"),
    ("{field: kind, equals: event}, wrap", "{field: kind, equals: evnt}, wrap", "", "the nearest is 'event'"),
    ("{field: kind, equals: event}, wrap", "{field: knd, equals: event}, wrap", "", "the nearest is 'kind'"),
    ("wrap: 65535", "wrap: 65536", "", "65535 or less"),
    ("{at: 1, type: u16}", "{at: 1, type: i16}", "counter: {field", "unsigned number"),
    ("behaviour: counter", "behaviour: identity", "counter: {field", "no use for 'counter'"),
    ("    behaviour: level\n", "", LEVEL, "behaviour"),
    ("      0: none\n", "", "1: sos\n", "nothing happened"),
    ("{kind: service_request, service: ride}", "service_request", "5: service_request", "names its service"),
    ("3: fall_cancelled", "3: {kind: fall_cancelled, window: 2s}", "", "only a fall"),
    ("window: 20s}\n      3", "window: soon}\n      3", "", "500ms, 20s or 2min"),
    ("      9: tamper", "      0x900: tamper", "", "0 to 255"),
    ("    means: low_battery\n", "", LEVEL, "needs 'means'"),
    ("    means: low_battery\n", "    means: low_battery\n    key: kind\n", "key: kind", "no use for 'key'"),
    ("    means: low_battery\n", "    means: none\n", "", "cannot mean 'none'"),
    ("behaviour: level\n", "behaviour: edge\n    codes: {0: none}\n", LEVEL, "either 'codes' or 'means'"),
    ("name: CRC-16/IBM-3740", "name: [sum8]", "", "no checksum has this name; the nearest is sum8"),
    ('prefix: "9803"', "prefix: 9803", "", "in quotes"),
    ("CRC-16/IBM-3740", "CRC-16/IBM-3741", "", "CRC-16/IBM-3740"),
    ("longest: 64", "longest: 21", "", "write 22 or more"),
    ("address_bits: 32", "address_bits: 48", "address: {at: 0, size: 4}", "address_bits: 32"),
    ('start: "a55a"', 'start: "a55aa5"', "length: {at: 2", "write at: 3"),
    (LENGTH, LENGTH + "\n    line: {end: '0a', longest: 9}", "start_length:", "exactly one way"),
    ('receiver: {address: "00000000"', 'receiver: {address: "000000000000"', "", "8 digits"),
    ("  payload: {at: 5}", "  payload: {at: 3}", "", "stand in front of the payload"),
    ('  manufacturer: {company: 0xFFFF, prefix: "9803"}\n', "", "buzz:   ", "no advert section"),
    ("heart_rate: 72, spo2: 97,", "heart_rate: 73, spo2: 97,", SOS_FRAME, "heart_rate is stated as 73, decoded as 72"),
    ("{kind: sos, counter: 17, fresh: true}, ", "", SOS_FRAME, "decodes to 'sos, counter 17, fresh', which is not"),
    ("kind: sos, counter: 17", "kind: sos, counter: 18", SOS_FRAME, "states 'sos, counter 18, fresh', which is not"),
    ("    rssi: -67\n", "    rssi: -68\n", SOS_FRAME, "rssi is stated as -68, decoded as -67"),
    ("    refused: too_short", "    refused: checksum", "name: cut short", "is refused as too_short"),
    ("    refused: too_short\n", "", "name: cut short", "stated to be read"),
    ("    refused: too_short", "    refused: too_short\n    manufacturer: '00'", "name: cut short", "not_recognised"),
    ("80010c04", "80010c05", "{buzz: short", "written as a55a07030201000080010c04"),
    ("absent: 255, max: 100", "absent: 256, max: 100", "", "write the number as it stands before scale"),
    (
        "means: low_battery\n",
        "equals: 1\n    means: {kind: fall, service: ride}\n",
        "means: {kind",
        "names its service",
    ),
    ("means: low_battery\n", "equals: low\n    means: low_battery\n", "", "add values to the field 'low_battery'"),
    (
        "means: low_battery\n",
        "means: low_battery\n    counter: {field: x, fresh: {field: kind, equals: 1}}\n",
        "counter: {field: x",
        "no field",
    ),
    ('"2a06"', '"2a0"', "", "no UUID"),
    ('address: "00010203"\n    rssi', 'address: "010"\n    rssi', "", "no address"),
    ('address: "00010203"\n    rssi', 'address: "00010204"\n    rssi', SOS_FRAME, "address is stated as 00010204"),
    ('start: "a55a"', 'start: "a55"', "", "odd number of hex digits"),
    ("absurd: [event]", "absurd: [counter]", "name: an event without", "absurd is stated as counter, decoded as event"),
    ('    payload: "0311000109584861f00c68"\n', "", "name: cut short", "states no bytes"),
    ('    payload: "0311000109584861f00c68"\n', "    service_data: '00'\n", "name: cut short", "not_recognised"),
    ('80010c04"}', "80010c04\"}\n  - {buzz: long, address: 00010203, serial: 'a5'}", "{buzz: long", "written as a55a"),
    ("{field: kind, equals: event}, wrap", "{field: kind, equals: 256}, wrap", "", "write 0 to 255"),
    ("scale: 0.01", "scale: inf", "", "finite"),
    ("steps:            {at: 10,", "steps:            {at: 10, after: spo2,", "", "both at and after are given"),
    ("steps:            {at: 10, type", "steps:            {type", "", "it stands nowhere"),
    ("steps:            {at: 10,", "steps:            {after: stepps,", "", "no field above it is called 'stepps'"),
    ("steps:            {at: 10,", "steps:            {object: 10,", "", "add objects:"),
    ("steps:            {at: 10, type: u16,", "steps:            {group: n, type: decimal,", "", "add pattern:"),
    ("steps:            {at: 10, type: u16,", "steps:            {path: n, type: u16,", "", "this is text"),
    ("steps:            {at: 10, type: u16,", "steps:            {at: 10, type: bcd,", "", "add size:"),
    ("steps:            {at: 10, type: u16,", "steps:            {at: 10, type: u16, size: 3,", "", "always 2 bytes"),
    ("steps:            {at: 10, type: u16,", "steps:            {at: 10, type: text, size: 2,", "", "this is a text"),
    ("{at: 4, bit: 3, metric: moving}", "{at: 4, type: float32, bit: 3}", "", "no bits to take"),
    ("{at: 4, bit: 2}", "{at: 4, type: uuid_offset}", "", "counted from a base"),
    ("{at: 4, bit: 2}", "{at: 4, bit: 2, when: {field: wornn, equals: 1}}", "", "the nearest is 'worn'"),
    ("metric: steps, absent: 0xFFFF", "metric: steps, absent: many", "", "is no number"),
    ("metric: steps, absent: 0xFFFF", "metric: steps, true_when: 1", "", "not true or false"),
    ("order: little\n", "order: little\nlayouts: [{name: one}]\n", "layouts:", "at the top and in layouts"),
    ("order: little\n", "order: little\npattern: '(a'\n", "pattern: '(a", "RE2"),
    ("order: little\n", "order: little\ndecoder: nothing\n", "decoder: no", "no decoder has this name"),
    ("order: little\n", "order: little\nbuttons: {twice: sos}\n", "{twice", "single, double"),
    ("order: little\n", "order: little\nbuttons: {single: service_request}\n", "{single: ser", "names its service"),
    ("  address: {at: 0, size: 4}", "  address: {field: adress}", "", "no field is called 'adress'"),
    ("  address: {at: 0, size: 4}\n", "", "  framing:", "which device a frame is from"),
    ('manufacturer: {company: 0xFFFF, prefix: "9803"}', "ibeacon: {minor: 1}", "", "within a uuid and a major"),
    ("source: defined", "sauce: defined", "", "sauce"),
]


@pytest.mark.parametrize(("old", "new", "at", "words"), MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_is_told_with_its_place(tmp_path: Path, old: str, new: str, at: str, words: str) -> None:
    path = altered(tmp_path, old, new)
    with pytest.raises(Refused) as refused:
        load(path)
    text = path.read_text()
    told = [problem for problem in refused.value.problems if words in str(problem)]
    assert told, str(refused.value)
    assert all(problem.mark.file == str(path) and problem.cure for problem in told)
    assert (
        text.splitlines()[told[0].mark.line - 1]
        == text[text.rindex("\n", 0, text.index(at or new)) + 1 :].split("\n")[0]
    )


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    path = altered(tmp_path, "wrap: 65535", "wrap: 65536")
    path.write_text(path.read_text().replace("longest: 64", "longest: 21").replace("absent: 0x7FFF", "absent: 0xFFFF"))
    with pytest.raises(Refused) as refused:
        load(path)
    assert len(refused.value.problems) == 3
