"""How far a frame is believed, and what is taken of one that proves too little. Pure."""

from collections.abc import Sequence

import msgspec

from drivers.base import Auth, Level, Occurrence, OccurrenceKind, Reading
from gateway.model import Put

BEST_FIRST = (Auth.OK, Auth.NONE, Auth.REPLAYED, Auth.DOWNGRADED)
"""A replayed frame was true once; plain text in place of a sealed frame may be anybody's."""
_CALLS = frozenset(
    {OccurrenceKind.SOS, OccurrenceKind.FALL, OccurrenceKind.SERVICE_REQUEST, OccurrenceKind.BUTTON}
)


class Proof(msgspec.Struct, frozen=True, gc=False):
    """What a frame proves. `change` must be kept with whatever the frame causes.

    A `copy` is the frame that was heard just now, over another radio or once more: it says nothing new.
    """

    auth: Auth
    copy: bool = False
    change: Put | None = None

    @property
    def doubted(self) -> bool:
        return self.auth is Auth.REPLAYED or self.auth is Auth.DOWNGRADED


def worse(one: Auth, other: Auth) -> Auth:
    return max(one, other, key=BEST_FIRST.index)


def calls(reading: Reading) -> bool:
    """Whether it calls people. Such a one is never dropped, whoever sent it; what takes a call back is none."""
    if not isinstance(reading, Occurrence) or reading.kind not in _CALLS:
        return False
    return not (isinstance(reading.behaviour, Level) and not reading.behaviour.active)


def credible(readings: Sequence[Reading], proof: Proof, *, lenient: bool) -> Sequence[Reading]:
    """What counts of a doubted frame: what calls people, and where the station is lenient with the format all of it.

    A copy has been counted already: lenient or not, only its calls go on, to be known as copies themselves.
    """
    if lenient and not proof.copy:
        return readings
    return [reading for reading in readings if calls(reading)]
