"""The words of a connection: which broker, how we present ourselves, and what comes in."""

import ssl
from collections.abc import Callable

import msgspec
from paho.mqtt.enums import MQTTProtocolVersion


class Endpoint(msgspec.Struct, frozen=True):
    host: str
    port: int
    tls: bool

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


class Login(msgspec.Struct, frozen=True):
    """How to present ourselves, read anew for each connection so that renewed secrets are picked up."""

    client_id: str
    keep_session_s: int
    version: MQTTProtocolVersion
    keepalive_s: int
    username: str | None = None
    password: str | None = None
    tls: Callable[[], ssl.SSLContext] | None = None


class Inbound(msgspec.Struct, frozen=True):
    """A message from a subscribed topic. It must be given to `Connection.acknowledge` once it is dealt with."""

    topic: str
    payload: bytes
    retained: bool
    mid: int
    qos: int
    response_topic: str | None
    correlation: bytes | None
    size: int
    """Bytes that it took on the way."""
