"""What is published to us is read as it was written, and whatever else stands in it does no harm."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.sinks.published import PROPERTIES, published
from gateway.sinks.words import Inbound

BOM = "\ufeff".encode()


def text(octets: bytes) -> bytes:
    return struct.pack(">H", len(octets)) + octets


def packet(properties: bytes, payload: bytes = b"{}") -> bytes:
    assert len(properties) < 128 * 128
    length = bytes([len(properties) & 0x7F | 0x80, len(properties) >> 7])
    return text(b"a/b") + b"\x01\x02" + length + properties + payload


def read(properties: bytes) -> Inbound:
    return published(0x32, packet(properties), five=True)


@given(
    st.text(max_size=40), st.binary(max_size=300), st.integers(1, 65_535), st.booleans(), st.booleans(),
    st.none() | st.text("abc/", max_size=20), st.none() | st.binary(max_size=400), st.integers(0, PROPERTIES - 5),
)  # fmt: skip
def test_it_is_read_as_it_was_written(
    topic: str, payload: bytes, mid: int, five: bool, retained: bool, response: str | None, correlation: bytes | None,
    more: int,
) -> None:  # fmt: skip
    properties = Properties(PacketTypes.PUBLISH)
    properties.MessageExpiryInterval, properties.ContentType, properties.PayloadFormatIndicator = 1, "x", 1
    properties.UserProperty = [("a", "b")] * more
    if response is not None:
        properties.ResponseTopic = response
    if correlation is not None:
        properties.CorrelationData = correlation
    head = text(topic.encode()) + struct.pack(">H", mid) + (properties.pack() if five else b"")
    wanted = (response, correlation) if five else (None, None)
    found = published(0x32 | retained, head + payload, five=five)
    assert found == Inbound(topic, payload, retained, mid, 1, *wanted, len(head + payload))


def test_what_is_sent_once_at_most_has_no_number() -> None:
    found = published(0x30, text(b"a") + b"{}", five=False)
    assert (found.mid, found.qos, found.payload) == (0, 0, b"{}")


@pytest.mark.parametrize(
    ("properties", "response"),
    [
        (b"\x26" + text(BOM) + text(b"x"), None),
        (b"\x03" + text(BOM) + b"\x08" + text(b"r"), "r"),
        (b"\x08" + text(BOM), "\ufeff"),
        (b"\x08" + text(b"\xff"), "\ufffd"),
        (b"\x08" + text(b""), ""),
        (b"\x01\x09\x08" + text(b"r"), "r"),
        (b"\x23\x00\x00\x08" + text(b"r"), "r"),
        (b"\x08" + text(b"r") + b"\x08" + text(b"s"), "s"),
        (b"\x0b\x01\x08" + text(b"r"), None),
        (b"\x7e\x01\x08" + text(b"r"), None),
        (b"\x08\xff\xffr", "r{}"),
        ((b"\x26" + text(b"a") + text(b"b")) * (PROPERTIES - 1) + b"\x08" + text(b"r"), "r"),
        ((b"\x26" + text(b"a") + text(b"b")) * PROPERTIES + b"\x08" + text(b"r"), None),
    ],
)
def test_no_property_costs_us_the_message(properties: bytes, response: str | None) -> None:
    found = read(properties)
    assert (found.topic, found.payload, found.mid) == ("a/b", b"{}", 0x0102)
    assert found.response_topic == response


def test_a_topic_that_is_no_text_is_none_of_ours() -> None:
    assert published(0x30, text(b"\xff") + b"{}", five=False).topic == ""


@given(st.integers(0x30, 0x3F), st.binary(max_size=300), st.booleans())
def test_whatever_bytes_come_they_are_read_or_cut_short(header: int, octets: bytes, five: bool) -> None:
    try:
        found = published(header, octets, five=five)
    except IndexError:
        return
    assert found.size == len(octets)
