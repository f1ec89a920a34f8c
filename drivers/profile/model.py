"""The shape of a profile file: what may stand in it. What the parts must be to each other is in checks.py."""

from enum import Enum, StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from drivers.base import BuzzPattern, Metric, OccurrenceKind
from drivers.framing import Counts
from drivers.profile.written import (
    AddressDigits,
    ChecksumName,
    FieldName,
    Finite,
    Milliseconds,
    Number,
    Numbers,
    Octets,
    Order,
    ProfileName,
    ServiceName,
    SomeOctets,
    Uuid,
    Values,
)


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class NumberType(Enum):
    """How a number stands in the bytes; the value is how profiles write it."""

    U8 = "u8"
    I8 = "i8"
    U16 = "u16"
    I16 = "i16"
    U24 = "u24"
    I24 = "i24"
    U32 = "u32"
    I32 = "i32"
    U64 = "u64"
    I64 = "i64"

    @property
    def size(self) -> int:
        return int(self.value[1:]) // 8

    @property
    def signed(self) -> bool:
        return self.value.startswith("i")


class FieldShape(Shape):
    """One number, bit or range of bits of the payload."""

    at: int = Field(ge=0, le=511)
    """the field's first byte, counted from 0"""
    type: NumberType = NumberType.U8
    order: Order | None = None
    bit: int | None = Field(default=None, ge=0, le=63)
    bits: tuple[int, int] | None = None
    metric: Metric | None = None
    scale: Finite = 1
    offset: Finite = 0
    absent: Numbers = ()
    min: Finite | None = None
    max: Finite | None = None
    values: dict[Number, str] = {}


class Condition(Shape):
    """True while a field has one of the values, given as numbers or by the field's own names for them."""

    field: FieldName
    equals: Values


class Code(Shape):
    """What one value of an event field means. Written as a kind's bare name where nothing else is to be said."""

    kind: OccurrenceKind
    service: ServiceName | None = None
    window: Milliseconds | None = None
    confirms_fall: bool = False


def _bare_kind(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


Meaning = Annotated[Code, BeforeValidator(_bare_kind, json_schema_input_type=OccurrenceKind | Code)]


def _supported(value: object) -> object:
    if value == "identity":
        raise ValueError("the behaviour 'identity' is not supported by this release; use counter, level or edge")
    return value


class BehaviourName(StrEnum):
    COUNTER = "counter"
    LEVEL = "level"
    EDGE = "edge"


class CounterShape(Shape):
    """The number of the device's last event. `fresh` frames claim that it has only just happened."""

    field: FieldName
    fresh: Condition
    """{field: …, equals: …}, which frames claim that the event has only just happened"""
    wrap: int | None = Field(default=None, ge=1)


BUTTON = Code(kind=OccurrenceKind.BUTTON)
"""A press whose purpose the profile does not state."""


class OccurrenceShape(Shape):
    """Which values of a field are an occurrence, and how copies of one are told apart.

    Either `codes` says what each value means, or `means` what any of `equals` does (any but 0, where not given).
    """

    field: FieldName
    behaviour: Annotated[BehaviourName, BeforeValidator(_supported)]
    """counter, level or edge: how copies of one press are told apart"""
    codes: dict[Number, Meaning] = {}
    means: Meaning = BUTTON
    equals: Values | None = None
    counter: CounterShape | None = None
    key: FieldName | None = None


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


class Bluetooth(Shape):
    manufacturer: Manufacturer | None = None
    service_data: ServiceData | None = None
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


class Told(Shape):
    """An occurrence as a golden frame states it."""

    kind: OccurrenceKind
    counter: int | None = None
    fresh: bool | None = None
    active: bool | None = None
    key: int | None = None
    service: str | None = None
    window: Milliseconds = 0
    confirms_fall: bool = False


class Golden(Shape):
    """Bytes of which somebody knows what they mean. The same payload may be given in several carriers."""

    name: str
    payload: Octets | None = None
    manufacturer: Octets | None = None
    service_data: Octets | None = None
    serial: Octets | None = None
    address: AddressDigits | None = None
    rssi: int | None = None
    values: dict[Metric, bool | int | float] = {}
    occurrences: tuple[Told, ...] = ()
    absurd: tuple[str, ...] = ()
    refused: str | None = None


class GoldenWrite(Shape):
    """The frame that makes the device at `address` buzz over serial."""

    buzz: Literal["short", "long", "help_is_coming"]
    address: AddressDigits
    serial: Octets


class ProfileFile(Shape):
    profile: ProfileName
    """the profile's name, in lower-case letters, digits and hyphens"""
    about: str
    """which devices these are"""
    source: str
    """where the layout is from, such as a sheet and its version"""
    address_bits: Literal[32, 48] = 48
    order: Order = "little"
    fields: dict[FieldName, FieldShape] = Field(min_length=1)
    """the numbers of the payload, by name"""
    least: int | None = Field(default=None, ge=1, le=512)
    occurrences: tuple[OccurrenceShape, ...] = ()
    bluetooth: Bluetooth | None = None
    serial: Serial | None = None
    golden: tuple[Golden, ...] = Field(min_length=1)
    """at least one frame of which it is known what it means"""
    golden_writes: tuple[GoldenWrite, ...] = ()
