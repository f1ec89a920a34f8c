"""Power cuts of a station in a virtual machine: the long form of what tests/e2e tries, which holds its own control."""

import os
import subprocess
from pathlib import Path

RUN = Path(__file__).parents[1] / "e2e/run.sh"


def power_cuts(cases: int, seed: int) -> bool:
    asked = {"POWER_CUTS": str(cases), "POWER_SEED": str(seed)}
    return subprocess.run(["sh", RUN, "-k", "power_cut"], env=os.environ | asked, check=False).returncode == 0
