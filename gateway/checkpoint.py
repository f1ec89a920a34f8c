"""What is known of the wearables, saved each minute: less precious than an alert, and too dear to begin anew."""

from pathlib import Path

import msgspec
import structlog

from gateway.quarantine import write_atomically
from gateway.supervision import Known

log = structlog.get_logger("checkpoint")


class Checkpoint(msgspec.Struct):
    """By the roster's id of a device."""

    devices: dict[str, Known] = {}


def load(path: Path) -> Checkpoint:
    """What was saved last. Where there is none that can be read, everything begins anew."""
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=Checkpoint)
    except FileNotFoundError:
        return Checkpoint()
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        log.warning("what was known of the wearables is lost, and learned anew", file=str(path), why=str(error))
        return Checkpoint()


def save(path: Path, checkpoint: Checkpoint) -> None:
    """A reader finds the old file or the new one, whole. OSError where it cannot be written."""
    write_atomically(path, msgspec.msgpack.encode(checkpoint))
