"""Asking for what the daemon itself must not do: the privileged reset unit does one step per connection."""

import json
from enum import StrEnum
from pathlib import Path

import msgspec

from drivers.asking import NoAnswer, asked

SOCKET = Path("/run/station-gateway-reset.sock")
ANSWER_S = 20.0


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
    line = json.dumps({"step": step, "adapter": adapter}).encode()
    try:
        return await asked(socket, "station-gateway-reset", line, ANSWER_S, Answer)
    except NoAnswer as why:
        return Answer(ok=False, why=str(why))
