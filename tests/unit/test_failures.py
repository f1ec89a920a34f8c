"""What a broker that cannot be had is called, and what cures it."""

import ssl

import pytest

from gateway.sinks.failures import explain_trouble


def untrusted(code: int, message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, message
    return error


@pytest.mark.parametrize(
    ("code", "message", "cure"),
    [
        (9, "certificate is not yet valid", "set the box's clock, see `timedatectl`"),
        (10, "certificate has expired", "set the box's clock, see `timedatectl`"),
        (18, "self-signed certificate", "check mqtt.tls.ca and the name in mqtt.brokers"),
    ],
)
def test_a_certificate_that_fails_by_its_dates_is_a_matter_of_the_clock(code: int, message: str, cure: str) -> None:
    down = explain_trouble("mqtts://a:8883", untrusted(code, message))
    assert down.fault == "broker_certificate"
    assert str(down) == f"mqtts://a:8883: its certificate is not trusted ({message})"
    assert down.cure.startswith(cure)
