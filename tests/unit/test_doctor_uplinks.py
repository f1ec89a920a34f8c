"""Brokers as they are tried: real ones, each that lets the station in and each way in which one does not."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.config import Config
from gateway.doctor.facts import Trouble, Welcome
from gateway.doctor.uplinks import brokers
from tests.support.certificates import Certificates
from tests.support.mosquitto import Mosquitto
from tests.support.processes import free_port


def tried(*urls: str, **mqtt: Any) -> Sequence[Welcome | Trouble]:
    config = Config.model_validate({"station": "a-01", "mqtt": {"brokers": urls} | mqtt})
    return asyncio.run(brokers(config))


def fault(found: Welcome | Trouble) -> str | None:
    return found.fault if isinstance(found, Trouble) else None


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_one_that_lets_us_in_sees_no_client_id_of_the_daemons_and_no_subscription(
    broker: Mosquitto, version: str
) -> None:
    away = f"mqtt://localhost:{free_port()}"
    good, refused, unknown = tried(broker.url, away, "mqtt://no-such.invalid", version=version)
    assert good == Welcome(broker.url)
    assert (fault(refused), fault(unknown)) == ("broker_unreachable", "broker_unreachable")
    assert "as a-01-doctor" in broker.log
    assert not any(word in broker.log for word in ("a-01-alert", "a-01-telemetry", "SUBSCRIBE", "Will message"))


def test_a_login_that_is_wrong_or_cannot_be_read(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("s3cret")
    with Mosquitto(tmp_path, users={"box": "s3cret"}) as broker:
        login: dict[str, Any] = {"username": "box", "password": {"file": password}}
        assert tried(broker.url, **login) == [Welcome(broker.url)]
        password.write_text("wr0ng")
        (refused,) = tried(broker.url, **login)
        password.unlink()
        (unread,) = tried(broker.url, **login)
    assert (fault(refused), fault(unread)) == ("broker_refuses_credentials", "credentials_unreadable")
    assert not any(secret in str((refused, unread)) for secret in ("s3cret", "wr0ng"))


def test_with_tls_the_brokers_own_certificate_is_shown(tmp_path: Path) -> None:
    pki, other = Certificates(tmp_path / "pki"), Certificates(tmp_path / "other", "other")
    ours: dict[str, Any] = {"ca": pki.ca, "certificate": pki.client, "key": pki.client_key}
    with Mosquitto(tmp_path, tls=pki) as broker:
        (good,) = tried(broker.url, tls=ours)
        (strange,) = tried(broker.url, tls=ours | {"ca": other.ca})
        (bare,) = tried(broker.url, tls={"ca": pki.ca})
        pki.renew_client(0)
        (ended,) = tried(broker.url, tls=ours)
    assert isinstance(good, Welcome)
    assert good.certificate is not None
    assert good.certificate.where == good.endpoint == broker.url
    assert good.certificate.ends - good.certificate.begins == timedelta(days=2)
    assert fault(strange) == "broker_certificate"
    assert {fault(bare), fault(ended)} <= {"broker_closes", "broker_tls", "broker_unreachable"}
