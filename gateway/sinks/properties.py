"""Properties of MQTT 5 messages, packed once and used for many."""

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties


class _Packed(Properties):
    """Properties that are packed once: paho would do it anew for each message, at a third of its whole cost."""

    def pack(self) -> bytes:
        packed = self.__dict__.get("packed")
        if packed is None:
            packed = self.__dict__["packed"] = super().pack()  # type: ignore[no-untyped-call]
        return bytes(packed)


def properties(content_type: str, expiry_s: int | None = None, correlation: bytes | None = None) -> Properties:
    """Of a PUBLISH on MQTT 5."""
    made = _Packed(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    made.ContentType = content_type
    if expiry_s is not None:
        made.MessageExpiryInterval = expiry_s
    if correlation is not None:
        made.CorrelationData = correlation
    return made
