"""Asking a small unit of ours, which may do what the daemon may not: one line there, one line back."""

import asyncio
from pathlib import Path
from typing import TypeVar

import msgspec

T = TypeVar("T")
LONGEST = 4096


class NoAnswer(Exception):
    """Nothing came back that can be used; str() says why, and what to do."""


async def asked(socket: Path, unit: str, line: bytes, seconds: float, answer: type[T]) -> T:
    """What the unit behind `socket` answers. NoAnswer in any other case, `seconds` later at most."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_unix_connection(socket, limit=LONGEST)
            try:
                writer.write(line + b"\n")
                await writer.drain()
                said = await reader.readline()
            finally:
                writer.close()
        return msgspec.json.decode(said, type=answer)
    except TimeoutError:
        why = f"no answer within {seconds:g} s"
    except (FileNotFoundError, ConnectionRefusedError):
        why = f"nobody listens there: `systemctl enable --now {unit}.socket`"
    except PermissionError:
        why = "the gateway may not ask there: its user must be in the socket's group, station-gateway"
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        why = f"no answer that can be read ({error}): see `journalctl -u '{unit}@*'`"
    raise NoAnswer(f"{socket}: {why}")
