"""The shape of what a profile says about its links: how packets are recognised, framed, and answered."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from drivers.base import BuzzPattern
from drivers.profile.framings import FramingShape
from drivers.profile.shape import Shape
from drivers.profile.written import (
    AddressDigits,
    FieldName,
    Milliseconds,
    Numbers,
    Octets,
    Order,
    SomeOctets,
    Uuid,
    Values,
    listed,
)


class Condition(Shape):
    """True while a field has one of the values, given as numbers or by the field's own names for them."""

    field: FieldName
    equals: Values


class Patterns(Shape):
    """The bytes that make a device buzz, one string per pattern."""

    short: SomeOctets
    long: SomeOctets
    help_is_coming: SomeOctets

    def octets(self, pattern: BuzzPattern) -> bytes:
        match pattern:
            case BuzzPattern.SHORT:
                return self.short
            case BuzzPattern.LONG:
                return self.long
            case BuzzPattern.HELP_IS_COMING:
                return self.help_is_coming


class Manufacturer(Shape):
    company: int = Field(ge=0, le=0xFFFF)
    prefix: Octets = b""


class ServiceData(Shape):
    uuid: Uuid
    prefix: Octets = b""


Makers = Annotated[
    tuple[Manufacturer, ...],
    BeforeValidator(listed, json_schema_input_type=Manufacturer | tuple[Manufacturer, ...]),
]
Sections = Annotated[
    tuple[ServiceData, ...],
    BeforeValidator(listed, json_schema_input_type=ServiceData | tuple[ServiceData, ...]),
]


class Ibeacon(Shape):
    """Apple's beacons: the payload is the UUID (16 bytes), major and minor (u16, big) and the power at 1 m (i8)."""

    uuid: Uuid | None = None
    major: int | None = Field(default=None, ge=0, le=0xFFFF)
    minor: int | None = Field(default=None, ge=0, le=0xFFFF)


class BluetoothBuzz(Shape):
    characteristic: Uuid
    patterns: Patterns


class ConnectShape(Shape):
    """What a device is connected for; `read` once, and then again every `poll`."""

    notify: tuple[Uuid, ...] = ()
    read: tuple[Uuid, ...] = ()
    poll: Milliseconds | None = None
    pair: bool = False
    """whether it tells these only to whom it is bonded with"""


class Bluetooth(Shape):
    manufacturer: Makers = ()
    """a company id and a prefix, or a list of them"""
    service_data: Sections = ()
    """a UUID and a prefix, or a list of them"""
    ibeacon: Ibeacon | None = None
    eddystone: int | None = Field(default=None, ge=0, le=255)
    """the frame's type; the payload stands behind it"""
    name: str | None = Field(default=None, min_length=1, max_length=29)
    """what the advertised name begins with"""
    address: str | None = Field(default=None, pattern=r"^[0-9a-f]{2,11}$")
    """the first digits of the address"""
    services: tuple[Uuid, ...] = ()
    """services that the advert of such a device lists"""
    connect: ConnectShape | None = None
    buzz: BluetoothBuzz | None = None


class SerialAddress(Shape):
    at: int = Field(ge=0, le=255)
    size: Literal[4, 6]
    order: Order | None = None


class FieldPlace(Shape):
    """A field of the payload that says it. `digits`: a number is written in so many hex digits."""

    field: FieldName
    digits: int | None = Field(default=None, ge=4, le=16)


class Rssi(Shape):
    at: int = Field(ge=0, le=255)
    type: Literal["i8", "u8"] = "i8"
    absent: Numbers = ()


class PayloadPlace(Shape):
    at: int = Field(ge=0, le=255)


class Receiver(Shape):
    """Which frames are the receiver speaking of itself: this address, and `when` if given."""

    address: AddressDigits
    when: Condition | None = None


class Serial(Shape):
    framing: FramingShape
    """how frames are cut: line:, start_length:, fixed:, slip:, …, with its keys"""
    address: SerialAddress | FieldPlace | None = None
    """{at: …, size: 4 or 6}, its place in the body, or {field: …}; left out where a decoder finds it"""
    rssi: Rssi | FieldPlace | None = None
    payload: PayloadPlace = PayloadPlace(at=0)
    """{at: …}, where the payload begins in the body"""
    receiver: Receiver | None = None
    relays: FieldPlace | None = None
    """{field: …}, which holds a whole Bluetooth advert, in hex digits or as bytes; the Bluetooth profiles read it"""
    buzz: Patterns | None = None
