"""The shape of a profile file: what may stand in it. What the parts must be to each other is in checks.py."""

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from drivers.base import Auth, KeyPress, Metric, OccurrenceKind
from drivers.profile.links import Bluetooth, Condition, Serial
from drivers.profile.shape import Shape
from drivers.profile.written import (
    AddressDigits,
    ButtonName,
    DecoderName,
    FieldName,
    Finite,
    Milliseconds,
    Number,
    Numbers,
    Octets,
    Order,
    ProfileName,
    ServiceName,
    Uuid,
    Values,
)


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
    values: dict[Number, str] = Field(default_factory=dict)


FALL_WINDOW_MS = 20_000
"""How long a fall may be cancelled where the profile does not say."""


class Code(Shape):
    """What one value of an event field means. Written as a kind's bare name where nothing else is to be said."""

    kind: OccurrenceKind
    service: ServiceName | None = None
    window: Milliseconds | None = None
    confirms_fall: bool = False


def _bare_kind(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


Meaning = Annotated[Code, BeforeValidator(_bare_kind, json_schema_input_type=OccurrenceKind | Code)]


Buttons = Mapping[ButtonName, Meaning]
"""What keys are for, by how which was pressed: `single`, `2`, `2 long`, or `any`."""


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
    codes: dict[Number, Meaning] = Field(default_factory=dict)
    means: Meaning = BUTTON
    equals: Values | None = None
    counter: CounterShape | None = None
    key: FieldName | None = None


class Told(Shape):
    """An occurrence as a golden frame states it."""

    kind: OccurrenceKind
    counter: int | None = None
    fresh: bool | None = None
    active: bool | None = None
    key: int | None = None
    service: str | None = None
    press: KeyPress | None = None
    button: int | None = None
    window: Milliseconds = 0
    confirms_fall: bool = False


class Notified(Shape):
    """A characteristic's value as a golden frame states it."""

    uuid: Uuid
    payload: Octets


class Golden(Shape):
    """Bytes of which somebody knows what they mean. The same payload may be given in several carriers.

    `sender` is the address that sent them and `key` its key, where the format needs them to be read.
    """

    name: str
    payload: Octets | None = None
    manufacturer: Octets | None = None
    service_data: Octets | None = None
    characteristic: Notified | None = None
    serial: Octets | None = None
    sender: AddressDigits | None = None
    key: Octets | None = None
    address: AddressDigits | None = None
    rssi: int | None = None
    auth: Auth = Auth.NONE
    counter: int | None = None
    reply: Octets | None = None
    values: dict[Metric, bool | int | float] = Field(default_factory=dict)
    occurrences: tuple[Told, ...] = ()
    absurd: tuple[str, ...] = ()
    absent: tuple[str, ...] | None = None
    """the fields for which the device says that it has no value; not looked at where it is left out"""
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
    fields: dict[FieldName, FieldShape] = Field(default_factory=dict)
    """the numbers of the payload, by name; none where a decoder or only standard characteristics are read"""
    decoder: DecoderName | None = None
    """the decoder that reads the payload, for formats that need code; in place of fields"""
    least: int | None = Field(default=None, ge=1, le=512)
    occurrences: tuple[OccurrenceShape, ...] = ()
    buttons: Buttons = Field(default_factory=dict)
    """what the device's keys are for, where its format only says that one was pressed"""
    bluetooth: Bluetooth | None = None
    serial: Serial | None = None
    golden: tuple[Golden, ...] = Field(min_length=1)
    """at least one frame of which it is known what it means"""
    golden_writes: tuple[GoldenWrite, ...] = ()
