"""From the configuration to what a connection needs. Secrets and certificates are read anew each time."""

import ssl
from urllib.parse import urlsplit

from paho.mqtt.enums import MQTTProtocolVersion

from gateway.config import Mqtt, Tls
from gateway.sinks.words import Endpoint, Login

PORTS = {"mqtt": 1883, "mqtts": 8883}


def endpoints(mqtt: Mqtt) -> tuple[Endpoint, ...]:
    """The brokers in the order in which they are tried."""
    found = []
    for broker in mqtt.brokers:
        url = urlsplit(str(broker))
        found.append(Endpoint(url.hostname or "", url.port or PORTS[url.scheme], url.scheme == "mqtts"))
    return tuple(found)


def login(mqtt: Mqtt, client_id: str, *, keep_session: bool) -> Login:
    """OSError where a password, certificate or key cannot be read."""
    five = mqtt.version.value == "5"
    return Login(
        client_id=client_id,
        keep_session_s=mqtt.session_expiry // 1000 if keep_session else 0,
        version=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
        keepalive_s=max(1, mqtt.keepalive // 1000),
        username=mqtt.username,
        password=mqtt.password.read() if mqtt.password else None,
        tls=lambda: _context(mqtt.tls),
    )


def _context(tls: Tls) -> ssl.SSLContext:
    """The system's authorities where none is named; a client certificate where one is."""
    for file in filter(None, (tls.ca, tls.certificate, tls.key)):
        file.open("rb").close()  # ssl's own errors do not say which file they are about
    context = ssl.create_default_context(cafile=tls.ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.certificate is not None:
        context.load_cert_chain(tls.certificate, tls.key)
    return context
