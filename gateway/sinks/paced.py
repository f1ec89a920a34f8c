"""paho's client, held to how much it reads at once."""

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode

AT_ONCE = 8
"""Packets that are read before other work on the loop gets its turn: half a millisecond's work or so."""


class PacedClient(Client):
    """paho reads as many packets in a go as it has publishes under way, whatever it is asked; this one reads as asked.

    What is sent to us comes on the same socket as the answers to what we send: a flood of the one would be read
    hundreds at a time for as long as the others wait.
    """

    def loop_read(self, max_packets: int = AT_ONCE) -> MQTTErrorCode:
        for _ in range(max_packets):
            if self._sock is None:
                return MQTTErrorCode.MQTT_ERR_NO_CONN
            code = self._packet_read()
            if code is MQTTErrorCode.MQTT_ERR_AGAIN:
                break
            if code:
                return self._loop_rc_handle(code)
        return MQTTErrorCode.MQTT_ERR_SUCCESS
