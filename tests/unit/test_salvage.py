"""Bytes flipped and files cut short, at random: a lane always opens, and believes nothing that was not written."""

import random
import shutil
from pathlib import Path

import pytest

from gateway.model import Put
from gateway.store import Store
from tests.support.corruption import ROWS, filled, spoil, survives


@pytest.mark.parametrize("seed", range(60))
def test_a_lane_opens_whatever_has_befallen_its_files_and_what_it_has_is_as_it_was_written(
    tmp_path: Path, seed: int
) -> None:
    written = filled(tmp_path)
    chance = random.Random(seed)
    spoil(tmp_path, chance)
    survives(tmp_path, written)


def test_a_page_in_the_middle_costs_the_rows_on_it_and_no_others(tmp_path: Path) -> None:
    written = filled(tmp_path)
    store = Store(tmp_path / "alert.db", "aaaa0000")  # what a killed process left in the log goes into the file
    store.close()
    octets = bytearray((tmp_path / "alert.db").read_bytes())
    octets[len(octets) // 2 : len(octets) // 2 + 2000] = b"\xa5" * 2000
    (tmp_path / "alert.db").write_bytes(octets)
    shutil.copy(tmp_path / "alert.db", tmp_path / "before")
    assert survives(tmp_path, written) >= ROWS - 20
    (aside,) = tmp_path.glob("alert.db.damaged-*[0-9]")
    assert aside.read_bytes() == (tmp_path / "before").read_bytes()


def test_records_are_saved_with_the_rows(tmp_path: Path) -> None:
    assert Put("alert", "7", b"record 7") in filled(tmp_path).records
