"""What is known of the wearables survives a restart, and a file that cannot be read costs no more than that."""

from pathlib import Path

import pytest

from gateway.checkpoint import Checkpoint, load, save
from gateway.model import AlertKind, Heard, Wearable
from gateway.protection import Flaw, State, Verdict
from gateway.sightings import Sightings
from gateway.supervision import Known
from tests.support.moments import moment

VERDICT = Verdict(State.UNPROTECTED, (Flaw.SILENT, Flaw.CLOCK), moment(7))
WHO = Wearable("00000001", "band-1", "w-1")


def kept() -> Known:
    sightings = Sightings()
    for ms in (0, 2_000):
        sightings.see(WHO, moment(ms), Heard("serial:a", -60), "398-reference", {"battery_level": 88})
    return Known(moment(0), AlertKind.DEVICE_SILENT, 60_000, sightings.last("band-1"))


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    known = Checkpoint({"band-1": kept(), "band-2": Known(moment(5), None, 0, None)}, {"w-1": VERDICT})
    save(tmp_path / "watch", known)
    assert load(tmp_path / "watch") == known


def test_a_first_start_knows_nothing(tmp_path: Path) -> None:
    assert load(tmp_path / "watch") == Checkpoint()


@pytest.mark.parametrize("damage", [b"", b"\xc1", b"\x81", b"{}", b"\xff" * 99, b"[]\n[]", b'["device"]', b"\0" * 4096])
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "watch").write_bytes(damage)
    assert load(tmp_path / "watch") == Checkpoint()


def test_of_one_that_was_cut_short_anywhere_the_beginning_is_known(tmp_path: Path) -> None:
    whole = Checkpoint({"band-1": kept(), "band-2": kept()}, {"w-1": VERDICT})
    save(tmp_path / "watch", whole)
    octets = (tmp_path / "watch").read_bytes()
    for size in range(len(octets)):
        (tmp_path / "watch").write_bytes(octets[:size])
        found = load(tmp_path / "watch")
        assert found.devices.items() <= whole.devices.items()
        assert found.wearers.items() <= whole.wearers.items()
        assert len(found.devices) + len(found.wearers) == octets[: size + 1].count(b"\n")


def test_a_file_that_may_not_be_read_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "watch").mkdir()
    assert load(tmp_path / "watch") == Checkpoint()
