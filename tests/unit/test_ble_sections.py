"""A whole advert is walked into its sections, whatever of it is cut, misshapen or padded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import Instant, Packet, PacketKind
from drivers.ble.sections import Section, Sections, walk

AT = Instant(1_000, 5)
BASE = "-0000-1000-8000-00805f9b34fb"
LONG = "12345678-9abc-def0-1122-334455667788"
LONG_OCTETS = bytes.fromhex("123456789abcdef01122334455667788")[::-1]


def section(ad_type: int, content: bytes) -> bytes:
    return bytes([1 + len(content), ad_type]) + content


FLAGS = section(0x01, b"\x06")
BAND = section(0xFF, bytes.fromhex("ffff9803ab"))


def packets(advert: bytes) -> list[tuple[PacketKind, int | str, bytes]]:
    return [(each.kind, each.key, each.payload) for each in walk(advert).packets("bench", AT, None)]


def test_every_section_is_told_in_its_order_with_its_place() -> None:
    walked = walk(FLAGS + BAND + section(0x0A, b"\xfc"))
    assert walked.all == (
        Section(0, 0x01, b"\x06"),
        Section(3, 0xFF, b"\xff\xff\x98\x03\xab"),
        Section(10, 0x0A, b"\xfc"),
    )
    assert (walked.flags, walked.wrong) == (6, ())


def test_a_packet_says_who_where_when_and_what_the_device_calls_itself() -> None:
    found = walk(BAND + section(0x09, b"Band 7")).packets("ble:hci0", AT, "c09800010203", -60)
    wanted = Packet("ble:hci0", PacketKind.MANUFACTURER, 0xFFFF, b"\x98\x03\xab", AT, "c09800010203", -60, "Band 7")
    assert found == [wanted]


@pytest.mark.parametrize(
    ("ad_type", "octets", "uuid"),
    [
        (0x16, b"\xd2\xfc", f"0000fcd2{BASE}"),
        (0x20, b"\x78\x56\x34\x12", f"12345678{BASE}"),
        (0x21, LONG_OCTETS, LONG),
    ],
)
def test_service_data_has_uuids_of_three_widths(ad_type: int, octets: bytes, uuid: str) -> None:
    assert packets(section(ad_type, octets + b"\x40")) == [(PacketKind.SERVICE_DATA, uuid, b"\x40")]
    assert packets(section(ad_type, octets)) == [(PacketKind.SERVICE_DATA, uuid, b"")]
    assert walk(section(ad_type, octets + b"\x40")).service_data == {uuid: b"\x40"}


@pytest.mark.parametrize(
    ("ad_types", "octets", "uuids"),
    [
        ((0x02, 0x03), b"\x0d\x18\x22\x18", (f"0000180d{BASE}", f"00001822{BASE}")),
        ((0x04, 0x05), b"\x78\x56\x34\x12", (f"12345678{BASE}",)),
        ((0x06, 0x07), LONG_OCTETS, (LONG,)),
    ],
)
def test_lists_of_services_are_complete_or_not(
    ad_types: tuple[int, int], octets: bytes, uuids: tuple[str, ...]
) -> None:
    for ad_type in ad_types:
        assert walk(section(ad_type, octets)).services == uuids
        cut = walk(section(ad_type, octets + b"\x01"))
        assert cut.services == uuids
        assert "lists services of" in cut.wrong[0]


def test_the_whole_name_counts_before_a_cut_one() -> None:
    assert walk(section(0x08, b"Ban")).name == "Ban"
    assert walk(section(0x08, b"Ban") + section(0x09, b"Band \xff")).name == "Band �"
    assert walk(FLAGS).name is None


def test_of_two_sections_of_one_company_both_are_packets_and_the_later_is_believed() -> None:
    advert = BAND + section(0xFF, b"\xff\xff\x01")
    assert [payload for _, _, payload in packets(advert)] == [b"\x98\x03\xab", b"\x01"]
    assert walk(advert).manufacturer == {0xFFFF: b"\x01"}


@pytest.mark.parametrize(
    ("rest", "wrong"),
    [
        (b"\x05\xff\xff\xff", "the section at byte 9 claims 5 bytes, 3 are there"),
        (b"\x01", "the section at byte 9 claims 1 bytes, 0 are there"),
        (b"\x00\x02\x01\x06", "a section of length 0 at byte 9 ends the advert, and 020106 stands behind it"),
        (section(0xFF, b"\xff"), "the section at byte 9 has 1 bytes of the 2 that say whose it is"),
        (section(0x21, b"\x01"), "the section at byte 9 has 1 bytes of the 16 that say whose it is"),
    ],
)
def test_what_is_cut_or_misshapen_is_told_and_what_stands_before_it_is_read(rest: bytes, wrong: str) -> None:
    walked = walk(FLAGS + BAND[:6].replace(b"\x06", b"\x05", 1) + rest)
    assert walked.wrong == (wrong,)
    assert walked.manufacturer == {0xFFFF: b"\x98\x03"}


@pytest.mark.parametrize("padding", [b"", b"\0", b"\0" * 20])
def test_zeros_at_the_end_are_padding(padding: bytes) -> None:
    assert walk(FLAGS + padding) == Sections((Section(0, 1, b"\x06"),))


def test_an_empty_advert_holds_nothing() -> None:
    assert walk(b"") == Sections(())


@given(st.binary(max_size=300))
def test_whatever_the_bytes_it_ends_and_no_byte_is_read_twice(advert: bytes) -> None:
    walked = walk(advert)
    again = b"".join(section(each.ad_type, each.content) for each in walked.all)
    assert advert.startswith(again)
    assert walked.wrong or not any(advert[len(again) :])
    assert len(walked.packets("bench", AT, None)) <= len(walked.all)


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=40)), max_size=8))
def test_sections_put_together_come_apart_again(parts: list[tuple[int, bytes]]) -> None:
    walked = walk(b"".join(section(*part) for part in parts))
    assert [(each.ad_type, each.content) for each in walked.all] == parts
