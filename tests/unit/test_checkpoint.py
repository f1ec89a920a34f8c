"""What is known of the wearables survives a restart, and a file that cannot be read costs no more than that."""

from pathlib import Path

import pytest

from gateway.checkpoint import Checkpoint, load, save
from gateway.model import AlertKind, Heard, Wearable
from gateway.sightings import Sightings
from gateway.supervision import Known
from tests.support.moments import moment

WHO = Wearable("00000001", "band-1", "w-1")


def kept() -> Known:
    sightings = Sightings()
    for ms in (0, 2_000):
        sightings.see(WHO, moment(ms), Heard("serial:a", -60), "398-reference", {"battery_level": 88})
    return Known(moment(0), AlertKind.DEVICE_SILENT, 60_000, sightings.last("band-1"))


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    known = Checkpoint({"band-1": kept(), "band-2": Known(moment(5), None, 0, None)})
    save(tmp_path / "watch", known)
    assert load(tmp_path / "watch") == known


def test_a_first_start_knows_nothing(tmp_path: Path) -> None:
    assert load(tmp_path / "watch") == Checkpoint()


@pytest.mark.parametrize("damage", [b"", b"\xc1", b"\x81", b"{}", b"\xff" * 99])
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "watch").write_bytes(damage)
    assert load(tmp_path / "watch") == Checkpoint()


def test_so_is_one_that_was_cut_short_anywhere(tmp_path: Path) -> None:
    save(tmp_path / "watch", Checkpoint({"band-1": kept()}))
    whole = (tmp_path / "watch").read_bytes()
    for size in range(len(whole)):
        (tmp_path / "watch").write_bytes(whole[:size])
        assert load(tmp_path / "watch") == Checkpoint()


def test_a_file_that_may_not_be_read_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "watch").mkdir()
    assert load(tmp_path / "watch") == Checkpoint()
