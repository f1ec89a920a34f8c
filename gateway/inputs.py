"""What can happen to an alert: everything that enters the table of alerts.py."""

import msgspec

from drivers.base import Auth
from gateway.model import AlertKey, Change, Heard, Press, Wearable


class Pressed(msgspec.Struct, frozen=True):
    """Something new: a press, a fall, or a condition that began. `wearable` is None where it is about the box."""

    key: AlertKey
    wearable: Wearable | None
    press: Press
    heard: Heard | None
    """None where it came over no link: it is about the box itself, or about a silence."""
    new_id: str
    auth: Auth = Auth.NONE
    late: bool = False
    storm: bool = False
    worn: bool | None = None
    zone: str | None = None
    window_ms: int = 0
    tester: str | None = None
    """Who opened the test window that it fell into."""
    change: Change | None = None


class Copied(msgspec.Struct, frozen=True):
    """The same press again, over a link that had not heard it yet; it may be nearer."""

    key: AlertKey
    heard: Heard
    zone: str | None = None


class Ended(msgspec.Struct, frozen=True):
    """A condition is over on the device."""

    key: AlertKey
    change: Change | None = None


class Withdrawn(msgspec.Struct, frozen=True):
    """The wearer says of a fall that it was none."""

    key: AlertKey
    change: Change | None = None


class Confirmed(msgspec.Struct, frozen=True):
    """The wearer pressed what the profile declares to confirm a pending fall."""

    key: AlertKey


class Accept(msgspec.Struct, frozen=True):
    alert: str
    by: str


class Clear(msgspec.Struct, frozen=True):
    alert: str
    by: str


class Tick(msgspec.Struct, frozen=True):
    """Time has passed. `unsent`: a row of this alert still waits for the broker; repeating would only pile up."""

    unsent: bool


Input = Pressed | Copied | Ended | Withdrawn | Confirmed | Accept | Clear | Tick
