"""What a capture says under some profiles, packet by packet."""

from pathlib import Path

from drivers.base import BadFrame, Instant, Occurrence
from drivers.registry import Profiles
from drivers.replay import parsed


def occurrences(capture: Path, profiles: Profiles) -> list[Occurrence]:
    """Every occurrence in its lines; bytes that made no packet, and what no profile reads, are passed over."""
    found: list[Occurrence] = []
    for text in capture.read_bytes().splitlines():
        if b'"payload"' not in text:
            continue
        try:
            decoded = profiles.decode(parsed(text).packet("capture", Instant(0, 0)))
        except BadFrame:
            continue
        found += [each for each in decoded.said.readings if isinstance(each, Occurrence)] if decoded else []
    return found
