"""What dm-log-writes wrote down: each write in the order in which it was sure to be on the disk, and the marks between.

A write enters the log only when a flush that came after it has ended, or with its own end where it was forced (FUA).
So the disk as it stands at a place in the log is the worst that a power cut may leave: what was never flushed is gone.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path

MAGIC = 0x6A736677736872
_SUPER = struct.Struct("<QQQL")
_ENTRY = struct.Struct("<QQQQ")
_DISCARD, _MARK = 4, 8


def replayed(log: Path, disk: Path) -> Iterator[str]:
    """Write the log on a disk that is as it was before the log began; pause at each mark, with its name."""
    with log.open("rb") as entries, disk.open("r+b") as written:
        magic, version, count, sector_size = _SUPER.unpack(entries.read(_SUPER.size))
        assert (magic, version) == (MAGIC, 1), log
        place = sector_size
        for _ in range(count):
            entries.seek(place)
            sector, sectors, flags, length = _ENTRY.unpack(entries.read(_ENTRY.size))
            place += sector_size
            if flags & _MARK:
                written.flush()
                yield entries.read(length).decode()
                continue
            size = sectors * sector_size
            octets = bytes(size)
            if not flags & _DISCARD:
                entries.seek(place)
                octets = entries.read(size)
                place += size
            os.pwrite(written.fileno(), octets, sector * sector_size)
