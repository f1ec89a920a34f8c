"""AES-CCM: the test's own sealing by an example of the RFC, and what may be wrong with a sealed frame."""

import subprocess
import sys

import pytest

from drivers.base import BadFrame
from drivers.decoders.ccm import octets_of, opened
from tests.support.ccm import sealed

KEY, NONCE = bytes(range(0xC0, 0xD0)), bytes.fromhex("00000003020100a0a1a2a3a4a5")
SEALED = sealed(KEY, NONCE, b"hello", b"\x11")


def test_the_tests_own_sealing_is_that_of_rfc_3610() -> None:
    """Packet vector 1: eight bytes of tag, eight in front."""
    plain = bytes(range(8, 31))
    by_rfc = "588c979a61c663d2f066d0c2c0f989806d5f6b61dac384" + "17e8d12cfdf926e0"
    assert sealed(KEY, NONCE, plain, bytes(range(8)), tag=8).hex() == by_rfc


def test_what_was_sealed_is_opened() -> None:
    assert opened(b"whole", SEALED, KEY, NONCE, b"\x11") == b"hello"


@pytest.mark.parametrize(
    ("octets", "key", "nonce", "associated", "reason"),
    [
        (SEALED, None, NONCE, b"\x11", "no_key"),
        (SEALED, None, None, b"\x11", "no_key"),
        (SEALED, KEY[:12], NONCE, b"\x11", "key_size"),
        (SEALED, KEY + KEY, NONCE, b"\x11", "key_size"),
        (SEALED, b"", NONCE, b"\x11", "key_size"),
        (SEALED, KEY, None, b"\x11", "no_address"),
        (SEALED, bytes(16), NONCE, b"\x11", "decryption"),
        (SEALED, KEY, NONCE[::-1], b"\x11", "decryption"),
        (SEALED, KEY, NONCE, b"", "decryption"),
        (SEALED[:-1], KEY, NONCE, b"\x11", "decryption"),
        (SEALED[1:], KEY, NONCE, b"\x11", "decryption"),
        (SEALED[-4:], KEY, NONCE, b"\x11", "decryption"),
    ],
)
def test_what_cannot_be_opened_is_refused_with_its_reason(
    octets: bytes, key: bytes | None, nonce: bytes | None, associated: bytes, reason: str
) -> None:
    with pytest.raises(BadFrame) as refused:
        opened(b"whole", octets, key, nonce, associated)
    assert (refused.value.reason, refused.value.payload) == (reason, b"whole")


def test_only_a_bluetooth_address_goes_into_a_nonce() -> None:
    assert octets_of("5448e68f80a5") == bytes.fromhex("5448e68f80a5")
    assert [octets_of(address) for address in (None, "", "00010203", "watch-000001", "5448e68f80a5a5")] == [None] * 5


def test_a_station_without_keys_loads_no_cryptography() -> None:
    program = (
        "import sys; from drivers.registry import Profiles; Profiles.load();"
        "sys.exit('cryptography' in {name.partition('.')[0] for name in sys.modules})"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=20, check=False).returncode == 0
