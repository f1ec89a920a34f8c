"""Found by the daemon's interpreter as it starts: each second it tells `tests.bench.soak` how many tasks there are.

Nothing in the daemon tells that, and nothing but the bench wants to know.
"""

import asyncio
import os
import threading
import time
from pathlib import Path


def tally(path: Path) -> None:
    while True:
        time.sleep(1.0)
        written = path.with_suffix(".new")
        written.write_text(str(len(asyncio.tasks._all_tasks)))
        written.replace(path)


if "TALLY" in os.environ:
    threading.Thread(target=tally, args=(Path(os.environ["TALLY"]),), daemon=True).start()
