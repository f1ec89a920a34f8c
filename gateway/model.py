"""The words the gateway speaks: alerts, telemetry, gaps, and how a link settled them."""

from collections.abc import Callable
from enum import Enum, StrEnum

import msgspec

from drivers.base import Address, Auth, KeyPress


class Moment(msgspec.Struct, frozen=True, gc=False):
    """When something was, on both clocks, with the boot that `mono_ms` counts from."""

    wall_ms: int
    mono_ms: int
    boot: str
    synced: bool

    def until(self, later: "Moment") -> int:
        """Milliseconds from here to `later`; never negative, by the boot clock where both share a boot.

        Where not, by the wall clock, which after a power cut may be far behind: no less than the later boot has lasted.
        """
        if self.boot == later.boot:
            return max(0, later.mono_ms - self.mono_ms)
        return max(later.mono_ms, later.wall_ms - self.wall_ms)


class AlertKind(StrEnum):
    SOS = "sos"
    FALL = "fall"
    BUTTON = "button"
    SERVICE_REQUEST = "service_request"
    LOW_BATTERY = "low_battery"
    NOT_WORN = "not_worn"
    DEVICE_SILENT = "device_silent"
    NEVER_COMMISSIONED = "never_commissioned"
    TAMPER = "tamper"
    RADIO_DOWN = "radio_down"
    SERIAL_DOWN = "serial_down"
    STORM = "storm"
    STORAGE_DEGRADED = "storage_degraded"
    ALARM_FLOOD = "alarm_flood"


class Severity(Enum):
    CRITICAL = "critical"
    WARNING = "warning"
    REQUEST = "request"
    TECHNICAL = "technical"


SEVERITY = {
    AlertKind.SOS: Severity.CRITICAL,
    AlertKind.FALL: Severity.CRITICAL,
    AlertKind.BUTTON: Severity.WARNING,
    AlertKind.SERVICE_REQUEST: Severity.REQUEST,
    AlertKind.LOW_BATTERY: Severity.WARNING,
    AlertKind.NOT_WORN: Severity.WARNING,
    AlertKind.DEVICE_SILENT: Severity.WARNING,
    AlertKind.NEVER_COMMISSIONED: Severity.WARNING,
    AlertKind.TAMPER: Severity.WARNING,
    AlertKind.RADIO_DOWN: Severity.TECHNICAL,
    AlertKind.SERIAL_DOWN: Severity.TECHNICAL,
    AlertKind.STORM: Severity.TECHNICAL,
    AlertKind.STORAGE_DEGRADED: Severity.TECHNICAL,
    AlertKind.ALARM_FLOOD: Severity.CRITICAL,
}

CONDITIONS = frozenset(
    {
        AlertKind.LOW_BATTERY,
        AlertKind.NOT_WORN,
        AlertKind.DEVICE_SILENT,
        AlertKind.NEVER_COMMISSIONED,
        AlertKind.RADIO_DOWN,
        AlertKind.SERIAL_DOWN,
        AlertKind.STORM,
        AlertKind.STORAGE_DEGRADED,
    }
)
"""Kinds that last and end by themselves; the others are pressed and stay until people clear them."""


class AlertState(Enum):
    RAISED = "raised"
    ACCEPTED = "accepted"
    CLEARED = "cleared"
    CANCELLED = "cancelled"


class Reason(Enum):
    """Why an alert message was made."""

    PRESS = "press"
    REPEAT = "repeat"
    REMINDER = "reminder"
    ACCEPT = "accept"
    CLEAR = "clear"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    CONDITION_ENDED = "condition_ended"


class Heard(msgspec.Struct, frozen=True, gc=False):
    link: str
    rssi: int | None


class Press(msgspec.Struct, frozen=True, gc=False):
    """One press of an alert; `key` joins the same press heard by several boxes, null without a counter.

    `press` and `button` say how which of several keys was pressed, where the format tells.
    """

    key: str | None
    at: Moment
    press: KeyPress | None = None
    button: int | None = None


class Wearable(msgspec.Struct, frozen=True, gc=False):
    """Who a frame is from. `device` is the roster's id, or a pseudonym where the roster knows no such address."""

    address: Address
    device: str
    wearer: str | None = None
    zone: str | None = None
    registered: bool = True

    @property
    def subject(self) -> str:
        return self.wearer or self.address


class AlertKey(msgspec.Struct, frozen=True, gc=False):
    """What makes two presses the same alert while it is open."""

    subject: str
    kind: AlertKind
    service: str | None
    test: bool


def severity(key: AlertKey) -> Severity:
    """A test is never more than the technician's business."""
    return Severity.TECHNICAL if key.test else SEVERITY[key.kind]


class Alert(msgspec.Struct, frozen=True):
    """One alert as people follow it. Replaced as a whole at each transition; this record is what is kept."""

    id: str
    key: AlertKey
    wearable: Wearable | None
    severity: Severity
    state: AlertState
    at: Moment
    changed_at: Moment
    presses: tuple[Press, ...]
    press_count: int
    heard_by: tuple[Heard, ...]
    auth: Auth = Auth.NONE
    late: bool = False
    storm: bool = False
    """Its latest press is one of more than its device may press before it is called a storm."""
    worn: bool | None = None
    confirmed: bool = True
    window_ms: int = 0
    by: str | None = None
    value: float | None = None
    zone: str | None = None
    repeat: int = 0
    told_at: Moment | None = None
    """When its last message was made; None asks for one at once."""
    pressed_at: Moment | None = None
    """When repetition last began: the latest press."""
    ended_at: Moment | None = None
    """When its condition ended, while that has not yet lasted for the hold time."""
    addresses: tuple[Address, ...] = ()
    """Of an `alarm_flood`: the first thousand senders it stands for."""

    @property
    def open(self) -> bool:
        return self.state in (AlertState.RAISED, AlertState.ACCEPTED)

    @property
    def repeats(self) -> bool:
        return self.severity is Severity.CRITICAL and self.state is AlertState.RAISED


Values = dict[str, float | int | bool]
"""By the metric's name, in its unit."""


class Sample(msgspec.Struct, frozen=True, gc=False):
    """One wearable's readings of one packet, for the telemetry lane."""

    wearable: Wearable
    at: Moment
    values: Values
    test: bool = False


class GapCause(Enum):
    CRASH = "crash"
    SHED = "shed"
    THINNED = "thinned"
    CORRUPT = "corrupt"
    REFUSED = "refused"


class Gap(msgspec.Struct, frozen=True, gc=False):
    """What will never arrive: rows `first` to `last` of an epoch, None where that is not known."""

    lane: str
    epoch: str
    cause: GapCause
    at: Moment
    first: int | None = None
    last: int | None = None
    count: int | None = None


class Message(msgspec.Struct, frozen=True, gc=False):
    """Topic and bytes, exactly as they go out."""

    topic: str
    payload: bytes


class Draft(msgspec.Struct, frozen=True, gc=False):
    """A message that still wants its number: `freeze(epoch, seq)` makes it; `subject` groups rows of one alert."""

    freeze: Callable[[str, int], Message]
    subject: str | None = None


class Put(msgspec.Struct, frozen=True, gc=False):
    """A record to keep in a lane's file, in the transaction of the messages it belongs to."""

    space: str
    key: str
    value: bytes


class Drop(msgspec.Struct, frozen=True, gc=False):
    space: str
    key: str


Change = Put | Drop


class Settlement(msgspec.Struct, frozen=True, gc=False):
    """How a link answered one row: accepted, or rejected with a reason. A row without one stays pending."""

    seq: int
    accepted: bool
    code: int
    reason: str
