"""Why a broker could not be had, in words and as a fault with its cure."""

import socket
import ssl

from paho.mqtt.reasoncodes import ReasonCode

from gateway.errors import UplinkDown

_CREDENTIALS = frozenset({134, 135})
"""Bad user name or password; not authorised. paho gives MQTT 3.1.1's codes as these too."""

_DATED = frozenset({9, 10})
"""OpenSSL's codes for a certificate that is not valid yet, as each is in a box's 1970, or not any more."""


def explain_refusal(endpoint: object, reason: ReasonCode) -> UplinkDown:
    if reason.value in _CREDENTIALS:
        what = f"{endpoint}: refuses our credentials ({reason.getName()})"
        cure = "check mqtt.username, mqtt.password and the broker's own list"
        return UplinkDown("broker_refuses_credentials", what, cure)
    cure = "check the broker's log, mqtt.version and mqtt.brokers"
    return UplinkDown("broker_refuses", f"{endpoint}: refuses the connection ({reason.getName()})", cure)


def explain_trouble(endpoint: object, error: Exception) -> UplinkDown:
    fault, what, cure = _explained(error)
    return UplinkDown(fault, f"{endpoint}: {what}", cure)


def _explained(error: Exception) -> tuple[str, str, str]:
    network = "check the network, and that a broker listens there"
    match error:
        case ssl.SSLCertVerificationError():
            cure = "check mqtt.tls.ca and the name in mqtt.brokers"
            if error.verify_code in _DATED:
                cure = "set the box's clock, see `timedatectl`; if it is right, have the broker's certificate renewed"
            told = "broker_certificate", f"its certificate is not trusted ({error.verify_message})", cure
        case ssl.SSLError():
            cure = "check mqtt.tls.certificate and mqtt.tls.key, and that the port speaks TLS"
            told = "broker_tls", f"no TLS connection ({error.reason or error})", cure
        case socket.gaierror():
            cure = "check the name in mqtt.brokers and the box's name servers"
            told = "broker_unreachable", f"the name is not known ({error.strerror})", cure
        case TimeoutError():
            cure = "check the network and the box's name servers, and that a broker listens there"
            told = "broker_unreachable", "does not answer", cure
        case OSError() if error.filename:
            cure = "put the file in place, readable for the gateway's user"
            told = "credentials_unreadable", f"{error.filename}: {error.strerror}", cure
        case ConnectionResetError() if not error.errno:
            cure = "see the broker's log; over mqtts:// it may want a client certificate, see mqtt.tls.certificate"
            told = "broker_closes", str(error), cure
        case OSError():
            told = "broker_unreachable", f"cannot be reached ({error.strerror or error})", network
        case _:
            told = "broker_tls", str(error), "check mqtt.tls"
    return told
