"""The ballast: laid in where there is room, given up once, and laid in again when room is back."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.disk import BALLAST, LOW, Disk


def free(monkeypatch: pytest.MonkeyPatch, octets: int) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=octets, f_blocks=1 << 30, f_frsize=1))


def test_the_ballast_really_takes_its_room(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    disk.look()
    assert (tmp_path / "ballast").stat().st_blocks * 512 >= BALLAST
    assert not disk.low


def test_it_is_given_up_once_and_comes_back_with_the_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(tmp_path)
    disk.look()
    assert [disk.give_up_ballast(), disk.give_up_ballast()] == [True, False]
    assert disk.low
    free(monkeypatch, BALLAST)  # what it took itself is no room for it
    disk.look()
    assert (disk.low, (tmp_path / "ballast").exists()) == (True, False)
    free(monkeypatch, BALLAST + 2 * LOW)
    disk.look()
    assert (disk.low, (tmp_path / "ballast").exists()) == (False, True)


def test_the_last_of_the_room_is_low_even_with_the_ballast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(tmp_path)
    disk.look()
    free(monkeypatch, LOW - 1)
    disk.look()
    assert disk.low


def test_a_folder_that_is_away_stops_nobody(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "away")
    disk.look()
    assert not disk.give_up_ballast()
