"""However large a packet is, no more than a bound of it is kept, and the next one is read as if nothing had been."""

from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from gateway.sinks.paced import AT_ONCE, PACKET_MAX, PacedClient
from gateway.sinks.words import Inbound
from tests.support.vandal import packet, text

PORTION = 64 * 1024


class Line:
    """A socket that has a portion, and then nothing for the moment."""

    def __init__(self, octets: bytes) -> None:
        self.left = octets
        self._has = PORTION

    def recv(self, size: int) -> bytes:
        if not (self._has and self.left):
            self._has = PORTION
            raise BlockingIOError
        portion = self.left[: min(size, self._has)]
        self.left, self._has = self.left[len(portion) :], self._has - len(portion)
        return portion

    def close(self) -> None:
        """The client closes what it holds when it is forgotten."""


def client(line: Line) -> tuple[PacedClient, list[Inbound]]:
    made = PacedClient(CallbackAPIVersion.VERSION2, "unit", protocol=MQTTProtocolVersion.MQTTv311, manual_ack=True)
    heard: list[Inbound] = []
    made.on_inbound = heard.append
    made._sock = line
    return made, heard


def test_of_a_huge_packet_the_end_is_passed_over() -> None:
    line = Line(packet(0x30, text(b"a") + b"x" * 20_000_000) + packet(0x30, text(b"b") + b"next"))
    reader, heard = client(line)
    while line.left:
        assert reader.loop_read() is MQTTErrorCode.MQTT_ERR_SUCCESS
        assert len(reader._in_packet["packet"]) <= PACKET_MAX
    assert [(each.topic, each.payload[:4]) for each in heard] == [("a", b"xxxx"), ("b", b"next")]
    assert PORTION < len(heard[0].payload) <= PACKET_MAX + PORTION


def test_a_few_packets_are_read_at_once() -> None:
    reader, heard = client(Line(packet(0x30, text(b"a")) * 20))
    for already in (0, AT_ONCE, 2 * AT_ONCE):
        assert len(heard) == already
        reader.loop_read()
    assert len(heard) == 20


def test_a_packet_that_is_cut_short_in_itself_ends_the_connection() -> None:
    reader, heard = client(Line(packet(0x32, text(b"a"))))
    assert reader.loop_read() is MQTTErrorCode.MQTT_ERR_PROTOCOL
    assert heard == []
