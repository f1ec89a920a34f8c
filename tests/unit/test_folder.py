"""The data folder: one daemon's at a time, however the last one died, with a secret of its own."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.folder import Folder, FolderInUse

HOLDER = """
import sys
from pathlib import Path
from gateway.folder import Folder
with Folder(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
FIRST, SECOND = b"\x00first\n" * 4, b"second" * 5


def test_the_folder_is_made_with_its_parents_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "var" / "lib" / "gateway"
    with Folder(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o750 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_second_gateway_is_refused_by_name_until_the_first_has_gone(tmp_path: Path) -> None:
    with Folder(tmp_path):
        for _ in range(2):
            with pytest.raises(FolderInUse, match=f"{tmp_path}: another gateway is using it; stop that one first"):
                Folder(tmp_path).__enter__()
    with Folder(tmp_path) as again:
        assert again.path == tmp_path


def test_one_that_was_refused_holds_nothing_back(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with Folder(tmp_path):
        for _ in range(5):
            with pytest.raises(FolderInUse):
                Folder(tmp_path).__enter__()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_killed_gateway_lets_go_of_it(tmp_path: Path) -> None:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], **pipes) as holder:  # type: ignore[call-overload]
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(FolderInUse):
            Folder(tmp_path).__enter__()
        holder.kill()
        holder.wait()
        with Folder(tmp_path) as ours:
            assert ours.path == tmp_path


def test_a_child_of_the_gateway_does_not_hold_the_folder(tmp_path: Path) -> None:
    with Folder(tmp_path):
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        with Folder(tmp_path) as again:
            assert again.path == tmp_path
    finally:
        child.kill()
        child.wait()


def test_a_path_that_cannot_be_a_folder_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OSError, match="file"):
            Folder(path).__enter__()


def test_the_box_s_key_is_made_once_kept_to_the_byte_and_readable_by_nobody_else(tmp_path: Path) -> None:
    with Folder(tmp_path) as folder:
        assert folder.box_key(FIRST) == FIRST
        assert folder.box_key(SECOND) == FIRST
    with Folder(tmp_path) as folder:
        assert folder.box_key(SECOND) == FIRST
    assert stat.S_IMODE((tmp_path / "box.key").stat().st_mode) == 0o600
    assert sorted(os.listdir(tmp_path)) == ["box.key", "lock"]


def test_a_key_that_was_cut_short_is_made_anew(tmp_path: Path) -> None:
    for left in (b"", b"\x00fir"):
        (tmp_path / "box.key").write_bytes(left)
        assert Folder(tmp_path).box_key(FIRST) == FIRST
        assert (tmp_path / "box.key").read_bytes() == FIRST


def test_a_key_that_no_disk_takes_is_one_nevertheless(tmp_path: Path) -> None:
    (tmp_path / "box.key").mkdir()
    assert Folder(tmp_path).box_key(FIRST) == FIRST
