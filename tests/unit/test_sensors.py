"""What the box says of itself: thermometers as the kernel shows them, certificates as the configuration names them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway import sensors
from gateway.box import HOT, Box, Certificate, Unseen, Zone
from gateway.config import Config
from gateway.disk import Disk
from gateway.health import Faults
from gateway.sensors import Sensors, certificates, thermometers
from tests.support.certificates import Certificates
from tests.support.inside import StillClock

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def thermal(sys: Path, number: int, name: str, temp: str | None) -> None:
    zone = sys / f"class/thermal/thermal_zone{number}"
    zone.mkdir(parents=True)
    (zone / "type").write_text(f"{name}\n")
    if temp is not None:
        (zone / "temp").write_text(temp)


def configured(**tls: Path) -> Config:
    return Config.model_validate({"station": "a", "mqtt": {"brokers": ["mqtts://b"], "tls": tls}})


def test_thermometers_that_answer_are_read_in_thousandths(tmp_path: Path) -> None:
    thermal(tmp_path, 0, "cpu-thermal", "51500\n")
    thermal(tmp_path, 1, "acpitz", "-4000\n")
    thermal(tmp_path, 2, "asleep", None)
    thermal(tmp_path, 3, "odd", "?\n")
    assert thermometers(tmp_path) == (Zone("cpu-thermal", 51.5), Zone("acpitz", -4.0))
    assert Box(thermometers(tmp_path)).temperature == 51.5
    assert thermometers(tmp_path / "nowhere") == ()
    assert Box().temperature is None


def test_of_a_chain_the_first_end_counts_and_of_authorities_the_last(tmp_path: Path) -> None:
    pki = Certificates(tmp_path)
    pki.renew_client(9)
    both = tmp_path / "both.pem"
    both.write_text(pki.client.read_text() + pki.ca.read_text())
    ca, ours = certificates(configured(ca=both, certificate=both, key=pki.client_key))
    assert isinstance(ca, Certificate)
    assert isinstance(ours, Certificate)
    assert (ca.where, ours.where) == ("mqtt.tls.ca", "mqtt.tls.certificate")
    assert ca.ends - ours.ends > timedelta(days=6)


def test_a_file_that_is_not_there_or_holds_no_certificate_is_told(tmp_path: Path) -> None:
    pki = Certificates(tmp_path)
    half = tmp_path / "half.pem"
    half.write_text(pki.client.read_text().replace("MII", "MIJ"))
    ca, ours = certificates(configured(ca=tmp_path / "absent", certificate=half, key=pki.client_key))
    assert ca == Unseen("mqtt.tls.ca", f"{tmp_path}/absent: No such file or directory")
    assert isinstance(ours, Unseen)
    (alone,) = certificates(configured(ca=pki.client_key))
    assert alone == Unseen("mqtt.tls.ca", f"{pki.client_key}: there is no certificate in it")
    assert list(certificates(configured())) == []


def test_what_ends_soon_and_what_is_hot_are_faults_while_they_are_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pki, faults, disk = Certificates(tmp_path), Faults(StillClock().moment), Disk(tmp_path)
    disk.look()
    sensing = Sensors(configured(ca=pki.ca), disk, faults)
    monkeypatch.setattr(sensors, "thermometers", lambda: (Zone("cpu", HOT),))
    sensing.look()
    assert (sensing.seen.disk_free or 0) < (sensing.seen.disk_size or 0)
    sensing.mind(datetime.now(UTC))
    assert [(fault.fault, fault.where) for fault in faults] == [
        ("certificate_ends", "mqtt.tls.ca"), ("box_hot", "box")
    ]  # fmt: skip
    monkeypatch.setattr(sensors, "thermometers", lambda: (Zone("cpu", HOT - 1),))
    sensing.look()
    sensing.mind(datetime.now(UTC) - timedelta(days=40))
    assert list(faults) == []
