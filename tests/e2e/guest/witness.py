"""Runs in the machine: tells outside of each row that stations have committed, as soon as a reader of the file sees it.

Usage: witness.py [--mark DEVICE] FOLDER…. A line a row: the folder's name, a mark, and the payload. With a device of
dm-log-writes the mark was put into its log after the rows were seen and before they are told of; otherwise it is 0.
"""

import argparse
import sqlite3
import subprocess
import time
from pathlib import Path

PORT = Path("/dev/virtio-ports/reports")
EVERY_S = 0.05
LANES = ("alert", "telemetry")
ROWS = "SELECT seq, payload FROM row WHERE seq > ? ORDER BY seq"


class Lane:
    def __init__(self, path: Path) -> None:
        self._path, self._after = path, 0
        self._db: sqlite3.Connection | None = None

    def news(self) -> list[bytes]:
        """The payloads of rows that were not there before."""
        try:
            self._db = self._db or sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)
            found = self._db.execute(ROWS, (self._after,)).fetchall()
        except sqlite3.OperationalError:  # not made yet, or not yet recovered from the last cut
            return []
        if found:
            self._after = found[-1][0]
        return [bytes(payload) for _, payload in found]


parser = argparse.ArgumentParser()
parser.add_argument("--mark")
parser.add_argument("folders", nargs="+", type=Path)
args = parser.parse_args()
lanes = [(folder.name, Lane(folder / f"{lane}.db")) for folder in args.folders for lane in LANES]
mark = 0
with PORT.open("wb", buffering=0) as port:
    while True:
        news = [(name, payload) for name, lane in lanes for payload in lane.news()]
        if news and args.mark:
            mark += 1
            subprocess.run(["dmsetup", "message", args.mark, "0", "mark", str(mark)], check=True)
        for name, payload in news:
            port.write(f"{name} {mark} ".encode() + payload + b"\n")
        time.sleep(EVERY_S)
