"""The words between whoever wants an action of the station done and the unit that does it, and asking it."""

from typing import Annotated

import msgspec

from drivers.asking import NoAnswer, asked
from gateway.actions import OURS, Action, LocalAlert

Word = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_-]{1,40}\Z")]
"""Names and pseudonyms; nothing else may come into a program's environment."""
UNIT = "station-gateway-act"
MARGIN_S = 20.0
"""What the unit may need beside the action's own time: on a box that is busy its process begins slowly."""


class Summons(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which action is to be done, and what for: the latest alert, and how many wait for somebody in all."""

    action: Word
    alert: Word
    kind: Word
    device: Word | None = None
    zone: Word | None = None
    count: Annotated[int, msgspec.Meta(ge=1)] = 1

    def environment(self) -> dict[str, str]:
        """The same for a program; what is not known is empty."""
        return {f"{OURS}{name.upper()}": str(value or "") for name, value in msgspec.structs.asdict(self).items()}


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of it. `failure` says why it failed, `code` and `said` are a program's exit code and last line."""

    failure: str | None = None
    code: int | None = None
    said: str = ""
    ms: int = 0


encode = msgspec.json.Encoder().encode
parse = msgspec.json.Decoder(Summons).decode


async def summon(local: LocalAlert, action: Action, summons: Summons) -> Outcome:
    """Have it done, and return what came of it; that the unit did not answer is an outcome as well."""
    try:
        return await asked(local.socket, UNIT, encode(summons), action.timeout / 1000 + MARGIN_S, Outcome)
    except NoAnswer as why:
        return Outcome(str(why))
