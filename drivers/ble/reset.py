"""Asking for what the daemon itself must not do: the privileged reset unit does one step per connection."""

import asyncio
import json
from enum import StrEnum
from pathlib import Path

import msgspec

SOCKET = Path("/run/station-gateway-reset.sock")
ANSWER_S = 20.0
LONGEST = 4096


class Step(StrEnum):
    """What the unit can do; the words of its protocol."""

    UNBLOCK = "unblock"
    POWER = "power"
    REBIND = "rebind"


class Answer(msgspec.Struct, frozen=True):
    """What became of a step: `did` lists what was done, `why` says why not."""

    ok: bool
    did: tuple[str, ...] = ()
    why: str | None = None


async def ask(step: Step, adapter: str | None, socket: Path = SOCKET) -> Answer:
    """Have one step done for `adapter` (None: every Bluetooth radio); an answer in any case, within `ANSWER_S`."""
    try:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_unix_connection(socket, limit=LONGEST)
            try:
                writer.write(json.dumps({"step": step, "adapter": adapter}).encode() + b"\n")
                await writer.drain()
                answer = await reader.readline()
            finally:
                writer.close()
        return msgspec.json.decode(answer, type=Answer)
    except TimeoutError:
        why = f"no answer within {ANSWER_S:g} s"
    except (FileNotFoundError, ConnectionRefusedError):
        why = "nobody listens there: `systemctl enable --now station-gateway-reset.socket`"
    except PermissionError:
        why = "the gateway may not ask there: its user must be in the socket's group, station-gateway"
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        why = f"no answer that can be read ({error}): see `journalctl -u 'station-gateway-reset@*'`"
    return Answer(ok=False, why=f"{socket}: {why}")
