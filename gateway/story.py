"""The words of an alert's story: what can happen to it, one small type each, and the line that says when. No I/O."""

import msgspec

from gateway.alerts import Refusal
from gateway.model import AlertState, Reason


class Heard(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="heard"):
    """A press, or the begin of a condition."""

    link: str
    rssi: int | None = None
    key: str | None = None


class Tested(msgspec.Struct, frozen=True, gc=False, tag="tested"):
    """The press counts as a test: somebody had opened a test window."""

    by: str


class Copied(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="copied"):
    """The same press, over a link that had not heard it yet."""

    link: str
    rssi: int | None = None


class Ended(msgspec.Struct, frozen=True, gc=False, tag="ended"):
    """The condition is over on the device; it must stay so for a while."""


class Decided(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="decided"):
    """What became of the alert, and why. `repeat` counts from the latest press."""

    reason: Reason
    state: AlertState
    by: str | None = None
    repeat: int = 0


class Refused(msgspec.Struct, frozen=True, gc=False, tag="refused"):
    """Somebody's word on the alert that changed nothing."""

    by: str
    refusal: Refusal


class Committed(msgspec.Struct, frozen=True, gc=False, tag="committed"):
    """A message of it is on the disk; `row` is the message's id."""

    row: str


class Sent(msgspec.Struct, frozen=True, gc=False, tag="sent"):
    row: str


class Taken(msgspec.Struct, frozen=True, gc=False, tag="taken"):
    """The broker has acknowledged the row."""

    row: str
    code: int
    reason: str


class TurnedAway(msgspec.Struct, frozen=True, gc=False, tag="turned_away"):
    """The broker has refused the row; it stays and is tried again."""

    row: str
    code: int
    reason: str


class Buzzed(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="buzzed"):
    """The wearable was told that help is coming; `failure` says why it was not."""

    link: str
    failure: str | None = None


class Sounded(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="sounded"):
    """The station was told, by an action of its own; `failure` says why it was not."""

    action: str
    failure: str | None = None


class Recorded(msgspec.Struct, frozen=True, gc=False, tag="recorded"):
    """The packets around it are kept in `file`, in the folder of recordings."""

    file: str


Happening = (
    Heard
    | Tested
    | Copied
    | Ended
    | Decided
    | Refused
    | Committed
    | Sent
    | Taken
    | TurnedAway
    | Buzzed
    | Sounded
    | Recorded
)


class StoryLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """`subject` is the alert's id; `at` is UTC in ms as the box believed it, which may be wrong while not `synced`."""

    subject: str
    at: int
    what: Happening
    synced: bool = True
