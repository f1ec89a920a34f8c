"""From when until when a certificate is valid: real ones, every one that breaks off, and what is none."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from gateway.validity import Validity, validities, validity
from tests.support.certificates import Certificates


def made(begins: datetime, ends: datetime) -> bytes:
    key, name = Ed25519PrivateKey.generate(), x509.Name([])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, begins, ends)
    return builder.sign(key, None).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        (datetime(2026, 11, 24, 1, 2, 3, tzinfo=UTC), datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC)),
        (datetime(1999, 12, 31, tzinfo=UTC), datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (datetime(2049, 12, 31, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)),  # from here on in four digits
        (datetime(2026, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_both_ways_to_write_a_time_are_read(begins: datetime, ends: datetime) -> None:
    assert validity(made(begins, ends)) == Validity(begins, ends)


def test_openssls_own_are_read_as_the_library_reads_them(tmp_path: Path) -> None:
    pki = Certificates(tmp_path)
    for file in (pki.ca, pki.server, pki.client):
        (ours,), theirs = validities(file.read_text()), x509.load_pem_x509_certificate(file.read_bytes())
        assert ours == (theirs.not_valid_before_utc, theirs.not_valid_after_utc)
        assert ours.ends - ours.begins == timedelta(days=2)
    chain = pki.client.read_text() + "between them\n" + pki.ca.read_text()
    assert len(validities(chain)) == 2
    assert validities(pki.client_key.read_text()) == []


def test_one_that_breaks_off_anywhere_is_none(tmp_path: Path) -> None:
    der = ssl.PEM_cert_to_DER_cert(Certificates(tmp_path).ca.read_text())
    for size in range(len(der)):
        with pytest.raises(ValueError, match=r"certificate|time data"):
            validity(der[:size])


@given(st.binary(max_size=300))
def test_rubbish_is_none(der: bytes) -> None:
    with pytest.raises(ValueError):
        validity(der)


@given(st.data())
def test_one_with_a_wrong_byte_is_read_or_refused(data: st.DataObject) -> None:
    der = bytearray(made(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)))
    der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = validity(bytes(der))
    except ValueError:
        return
    assert found.begins.tzinfo is found.ends.tzinfo is UTC
