"""What is known of the wearables, saved each minute: less precious than an alert, and too dear to begin anew.

A line of JSON for each device and wearer: written one by one, so that thousands of them hold up nobody.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import structlog

from gateway.protection import Verdict
from gateway.quarantine import write_atomically
from gateway.supervision import Known

log = structlog.get_logger("checkpoint")


class DeviceLine(msgspec.Struct, frozen=True, array_like=True, tag="device"):
    device: str
    known: Known


class WearerLine(msgspec.Struct, frozen=True, array_like=True, tag="wearer"):
    wearer: str
    verdict: Verdict


class Checkpoint(msgspec.Struct):
    """Devices by the roster's ids, and what was last said of each wearer."""

    devices: dict[str, Known] = {}
    wearers: dict[str, Verdict] = {}


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(DeviceLine | WearerLine).decode


def load(path: Path) -> Checkpoint:
    """What was saved last. What of it cannot be read is learned anew."""
    found = Checkpoint()
    try:
        for line in path.read_bytes().splitlines():
            match _decode(line):
                case DeviceLine(device=device, known=known):
                    found.devices[device] = known
                case WearerLine(wearer=wearer, verdict=verdict):
                    found.wearers[wearer] = verdict
    except FileNotFoundError:
        pass
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        log.warning("some of what was known of the wearables is learned anew", file=str(path), why=str(error))
    return found


def save(path: Path, checkpoint: Checkpoint) -> None:
    """A reader finds the old file or the new one, whole. OSError where it cannot be written."""
    write_atomically(path, b"".join(_lines(checkpoint)))


def _lines(checkpoint: Checkpoint) -> Iterator[bytes]:
    for device, known in list(checkpoint.devices.items()):
        yield _encode(DeviceLine(device, known)) + b"\n"
    for wearer, verdict in list(checkpoint.wearers.items()):
        yield _encode(WearerLine(wearer, verdict)) + b"\n"
