"""The shape of what a profile says about its links: how packets are recognised, framed, and answered."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from drivers.base import BuzzPattern
from drivers.framing import Counts
from drivers.profile.written import (
    AddressDigits,
    ChecksumName,
    FieldName,
    Milliseconds,
    Numbers,
    Octets,
    Order,
    SomeOctets,
    Uuid,
    Values,
)


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


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
    manufacturer: Manufacturer | None = None
    service_data: ServiceData | None = None
    services: tuple[Uuid, ...] = ()
    """services that the advert of such a device lists"""
    connect: ConnectShape | None = None
    buzz: BluetoothBuzz | None = None


class LengthShape(Shape):
    at: int = Field(ge=1, le=15)
    type: Literal["u8", "u16", "u24", "u32"] = "u8"
    order: Order | None = None
    counts: Counts
    """body, body_and_checksum or frame"""


class ChecksumShape(Shape):
    name: ChecksumName
    covers_from: int = Field(ge=0, le=15)
    """the first byte of the frame that the checksum covers"""
    order: Order | None = None


class StartLengthShape(Shape):
    start: SomeOctets
    length: LengthShape
    checksum: ChecksumShape | None = None
    longest: int = Field(ge=4, le=4096)
    """the size of the longest frame, in bytes"""


class LineShape(Shape):
    end: SomeOctets
    longest: int = Field(ge=1, le=4096)


class FramingShape(Shape):
    """One key per way of framing; exactly one is given."""

    start_length: StartLengthShape | None = None
    line: LineShape | None = None


class SerialAddress(Shape):
    at: int = Field(ge=0, le=255)
    size: Literal[4, 6]
    order: Order | None = None


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
    """start_length: or line:, with its keys"""
    address: SerialAddress
    """{at: …, size: 4 or 6}, its place in the body"""
    rssi: Rssi | None = None
    payload: PayloadPlace
    """{at: …}, where the payload begins in the body"""
    receiver: Receiver | None = None
    buzz: Patterns | None = None
