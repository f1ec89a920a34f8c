"""A disk of a test's own, as small as it likes."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(at: Path, size: str, kind: str = "tmpfs") -> Iterator[Path]:
    at.mkdir(parents=True)
    if kind == "tmpfs":
        mount(at, "-t", "tmpfs", "-o", f"size={size}", "tmpfs")
    else:
        image = at.parent / "image"
        subprocess.run(["truncate", "-s", size, str(image)], check=True)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
        mount(at, "-o", "loop", str(image))
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)


def mount(at: Path, *what: str) -> None:
    made = subprocess.run(["mount", *what, str(at)], check=False, capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"a file system cannot be mounted here: {made.stderr}")
