"""The words the drivers speak: a Packet comes in, Readings come out of it, a Write goes back.

Everything here is frozen; names are StrEnums, which hash at the speed of strings.
"""

from collections.abc import Callable
from enum import Enum, StrEnum
from typing import Protocol

import msgspec

Address = str
"""A device's identity as its format tells it, in lower case and without separators.

Twelve hex digits are a Bluetooth address, eight the 32-bit id of a serial receiver's device; other formats have 4 to 20
of 0-9 and a-z: an IMEI, a watch's number, an EnOcean id.
"""
KeyOf = Callable[[Address], bytes | None]
"""The key that is known for a device."""
BASE_UUID = "-0000-1000-8000-00805f9b34fb"
"""What the Bluetooth specification appends to a short UUID."""


class Instant(msgspec.Struct, frozen=True, gc=False):
    """One moment on both clocks: `wall_ms` is UTC as the box believes it, `mono_ms` is CLOCK_BOOTTIME."""

    wall_ms: int
    mono_ms: int


class PacketKind(StrEnum):
    MANUFACTURER = "manufacturer"
    """Manufacturer specific data of an advert; `key` is the company id."""
    SERVICE_DATA = "service_data"
    """Service data of an advert; `key` is the 128-bit UUID, lower case."""
    CHARACTERISTIC = "characteristic"
    """A value notified or read over a connection; `key` is the 128-bit UUID."""
    FRAME = "frame"
    """A frame from a serial receiver, already unwrapped by its framing; `key` is the profile's name."""


class Packet(msgspec.Struct, frozen=True, gc=False):
    """Bytes heard on a link, stamped once where they entered; `address` is None where the payload holds it.

    `profile` names whose characteristic it is: the same one may be read for several.
    """

    link: str
    kind: PacketKind
    key: int | str
    payload: bytes
    received: Instant
    address: Address | None = None
    rssi: int | None = None
    name: str | None = None
    """What the device calls itself in its advert."""
    profile: str | None = None


class Metric(StrEnum):
    """What can be measured; the unit is fixed per metric (UCUM), see `UNITS`."""

    HEART_RATE = "heart_rate"
    SPO2 = "spo2"
    BODY_TEMPERATURE = "body_temperature"
    SKIN_TEMPERATURE = "skin_temperature"
    BLOOD_PRESSURE_SYSTOLIC = "blood_pressure_systolic"
    BLOOD_PRESSURE_DIASTOLIC = "blood_pressure_diastolic"
    RESPIRATORY_RATE = "respiratory_rate"
    BODY_WEIGHT = "body_weight"
    STEPS = "steps"
    BATTERY_LEVEL = "battery_level"
    BATTERY_VOLTAGE = "battery_voltage"
    WORN = "worn"
    MOVING = "moving"
    CHARGING = "charging"
    RSSI = "rssi"
    ACCELERATION_X = "acceleration_x"
    ACCELERATION_Y = "acceleration_y"
    ACCELERATION_Z = "acceleration_z"
    AMBIENT_TEMPERATURE = "ambient_temperature"
    AMBIENT_HUMIDITY = "ambient_humidity"
    AMBIENT_PRESSURE = "ambient_pressure"
    ILLUMINANCE = "illuminance"


BOOLEAN_METRICS = frozenset({Metric.WORN, Metric.MOVING, Metric.CHARGING})

UNITS: dict[Metric, str] = {
    Metric.HEART_RATE: "/min",
    Metric.SPO2: "%",
    Metric.BODY_TEMPERATURE: "Cel",
    Metric.SKIN_TEMPERATURE: "Cel",
    Metric.BLOOD_PRESSURE_SYSTOLIC: "mm[Hg]",
    Metric.BLOOD_PRESSURE_DIASTOLIC: "mm[Hg]",
    Metric.RESPIRATORY_RATE: "/min",
    Metric.BODY_WEIGHT: "kg",
    Metric.STEPS: "1",
    Metric.BATTERY_LEVEL: "%",
    Metric.BATTERY_VOLTAGE: "V",
    Metric.RSSI: "dB[mW]",
    Metric.ACCELERATION_X: "m/s2",
    Metric.ACCELERATION_Y: "m/s2",
    Metric.ACCELERATION_Z: "m/s2",
    Metric.AMBIENT_TEMPERATURE: "Cel",
    Metric.AMBIENT_HUMIDITY: "%",
    Metric.AMBIENT_PRESSURE: "Pa",
    Metric.ILLUMINANCE: "lx",
}


LIMIT = 1 << 53
"""Beyond this, no reader of JSON is sure of a number: no measurement is larger."""


class Measurement(msgspec.Struct, frozen=True, gc=False):
    """A level: `value` is in the metric's unit; booleans for worn, moving and charging."""

    metric: Metric
    value: float | int | bool


class OccurrenceKind(StrEnum):
    NONE = "none"
    """Nothing has happened: a frame that only tells its counter, or the identity of a device that does not alarm."""
    SOS = "sos"
    FALL = "fall"
    FALL_CANCELLED = "fall_cancelled"
    SERVICE_REQUEST = "service_request"
    BUTTON = "button"
    TAKEN_OFF = "taken_off"
    PUT_ON = "put_on"
    LOW_BATTERY = "low_battery"
    TAMPER = "tamper"
    TEST = "test"


class Counter(msgspec.Struct, frozen=True, gc=False):
    """Behaviour `counter`: every frame repeats the number of the device's last event.

    `fresh` frames claim that the event has just happened; other frames only repeat what is known.
    0 means no event since power-up; after `wrap` comes 1.
    """

    value: int
    fresh: bool
    wrap: int


class Level(msgspec.Struct, frozen=True, gc=False):
    """Behaviour `level`: true for as long as the condition lasts."""

    active: bool


class Edge(msgspec.Struct, frozen=True, gc=False):
    """Behaviour `edge`: one event, sent several times; `key` tells the events apart where the format has one."""

    key: int | None


class Identity(msgspec.Struct, frozen=True, gc=False):
    """Behaviour `identity`: the device shows another identity for as long as it alarms; silence of it is the end.

    So is any other identity, of kind `none` where it means nothing, once this one is off the air.
    """


Behaviour = Counter | Level | Edge | Identity


class KeyPress(StrEnum):
    """How a key was pressed, where the format tells."""

    SINGLE = "single"
    DOUBLE = "double"
    TRIPLE = "triple"
    LONG = "long"
    LONG_DOUBLE = "long_double"
    LONG_TRIPLE = "long_triple"
    HOLD = "hold"


class Occurrence(msgspec.Struct, frozen=True, gc=False):
    """An edge, as one frame tells it. Copies of one press are told apart by `behaviour`, not by time.

    `service` names what a service key orders. `window_ms` is how long a fall may be cancelled by its wearer.
    `press` and `button` say how which of several keys was pressed, counted from 1, where the format tells. `assigned`:
    the format only told of a press, and its kind is what somebody says that the key is for.
    """

    kind: OccurrenceKind
    behaviour: Behaviour
    service: str | None = None
    window_ms: int = 0
    confirms_fall: bool = False
    press: KeyPress | None = None
    button: int | None = None
    assigned: bool = False


Reading = Measurement | Occurrence


class Auth(Enum):
    """How far a frame proves who sent it."""

    OK = "ok"
    """Its code is right under the device's key, and its number has risen."""
    NONE = "none"
    """The format proves nothing, or no key is known for the device."""
    REPLAYED = "replayed"
    """The code is right, but the number was heard before: somebody may have recorded it."""
    DOWNGRADED = "downgraded"
    """Plain text from a device that has a key."""


class Said(msgspec.Struct, frozen=True, gc=False):
    """What a payload says under one format.

    `absurd` names the fields whose values were out of bounds, `absent` those for which the device says that it has
    none; neither yields a reading. `address` is the device that the payload names, None where it names none.
    `counter` is the number that an authenticated frame proves. `reply` is what the device waits for, as bytes for
    the wire: it may go out only once all that the frame says is durable.
    """

    readings: tuple[Reading, ...] = ()
    absurd: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    address: Address | None = None
    auth: Auth = Auth.NONE
    counter: int | None = None
    reply: bytes | None = None


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """What one packet says, and of whom.

    `address` is canonical: cut to the bits that every link of this format shares. None is the receiver speaking of
    itself.
    """

    profile: str
    address: Address | None
    rssi: int | None
    said: Said


class BadFrame(Exception):
    """Bytes that a framing or a profile refuses. `reason` is a counter's name: `checksum`, `too_short`, …"""

    def __init__(self, reason: str, payload: bytes) -> None:
        super().__init__(f"{reason}: {payload.hex()}")
        self.reason = reason
        self.payload = payload


class BuzzPattern(Enum):
    SHORT = 1
    LONG = 2
    HELP_IS_COMING = 3


class Write(msgspec.Struct, frozen=True, gc=False):
    """Bytes for a device, ready for the wire; `key` is None on a serial link, else a characteristic's UUID."""

    link: str
    address: Address
    payload: bytes
    key: str | None = None


class ScanMode(Enum):
    """How a Bluetooth adapter listens."""

    AUTO = "auto"
    ACTIVE = "active"
    PASSIVE = "passive"


class Faults(Protocol):
    """Where a driver names what is broken beside the link itself; each is told once, with its end."""

    def begin(self, fault: str, where: str, what: str, cure: str) -> None: ...

    def end(self, where: str, fault: str | None = None) -> None: ...


class Listener(Protocol):
    """What a driver tells. Both calls return at once and never raise."""

    def packet(self, packet: Packet, /) -> None: ...

    def rejected(self, link: str, reason: str, payload: bytes, received: Instant, /) -> None:
        """Bytes that made no packet; `payload` may be cut to 512 bytes."""


class Driver(Protocol):
    """One link. `run` returns never: it raises LinkDown when the link fails; it never retries by itself."""

    name: str

    async def run(self, listener: Listener, up: Callable[[], None]) -> None:
        """Hear until the link fails; call `up` once, as soon as it hears."""

    async def write(self, write: Write) -> None:
        """Return when the link has taken the bytes; raise LinkDown where it cannot."""


class LinkDown(Exception):
    """A link failed or is absent. `fault` is the fault's name, `cure` what a technician can do."""

    def __init__(self, fault: str, what: str, cure: str) -> None:
        super().__init__(what)
        self.fault = fault
        self.cure = cure
