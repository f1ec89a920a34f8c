"""paho's client, held to how much it reads at once, and told how to read what is published to us."""

from collections.abc import Callable

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion

from gateway.sinks.published import published
from gateway.sinks.words import Inbound

AT_ONCE = 8
"""Packets that are read before other work on the loop gets its turn: half a millisecond's work or so."""

PACKET_MAX = 1024 * 1024
"""Bytes kept of a packet that comes in pieces. MQTT 5 lets us refuse longer ones; over 3.1.1 we pass over their end."""


class PacedClient(Client):
    """paho reads as many packets in a go as it has publishes under way, whatever it is asked; this one reads as asked.

    What is sent to us comes on the same socket as the answers to what we send: a flood of the one would be read
    hundreds at a time for as long as the others wait. All that is for us it hands to `on_inbound`.
    """

    on_inbound: Callable[[Inbound], object]

    def loop_read(self, max_packets: int = AT_ONCE) -> MQTTErrorCode:
        for _ in range(max_packets):
            if self._sock is None:
                return MQTTErrorCode.MQTT_ERR_NO_CONN
            code = self._packet_read()
            if code is MQTTErrorCode.MQTT_ERR_AGAIN:
                del self._in_packet["packet"][PACKET_MAX:]
                break
            if code:
                return self._loop_rc_handle(code)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _handle_publish(self) -> MQTTErrorCode:
        five = self._protocol is MQTTProtocolVersion.MQTTv5
        try:
            inbound = published(self._in_packet["command"], self._in_packet["packet"], five=five)
        except IndexError:
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        self.on_inbound(inbound)
        return MQTTErrorCode.MQTT_ERR_SUCCESS
