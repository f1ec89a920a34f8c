"""A machine ends with whoever started it, however that one ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.station import ROOT

RUN = """
import sys
from pathlib import Path
from tests.e2e.machine import machine

with machine(Path(sys.argv[1]), Path(sys.argv[2])):
    pass
"""
SOON_S = 30.0


def machines(of: int) -> list[int]:
    """The processes that were started by this one and are machines."""
    found = subprocess.run(["pgrep", "-P", str(of), "qemu-system"], capture_output=True, text=True, check=False).stdout
    return [int(each) for each in found.split()]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_machine_ends_with_the_run_that_started_it(image: Path, tmp_path: Path, how: signal.Signals) -> None:
    share, temporary = tmp_path / "share", tmp_path / "temporary"
    share.mkdir()
    temporary.mkdir()
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, image, share], cwd=ROOT, env=os.environ | {"TMPDIR": str(temporary)}
    )
    begun = time.monotonic()
    while not (started := machines(run.pid)):
        assert time.monotonic() - begun < SOON_S
        time.sleep(0.05)
    run.send_signal(how)
    run.wait(SOON_S)
    while any(Path(f"/proc/{each}").exists() for each in started):
        assert time.monotonic() - begun < SOON_S
        time.sleep(0.05)
    if how is not signal.SIGKILL:
        assert list(temporary.iterdir()) == []
