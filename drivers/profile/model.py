"""The shape of a profile file: what may stand in it. What the parts must be to each other is in checks.py."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from drivers.base import Auth, KeyPress, Metric, OccurrenceKind
from drivers.profile.kinds import Kind
from drivers.profile.links import Bluetooth, Condition, Serial
from drivers.profile.shape import Shape
from drivers.profile.written import (
    AddressDigits,
    ButtonName,
    DecoderName,
    FieldName,
    Finite,
    Interval,
    Milliseconds,
    Number,
    Octets,
    Order,
    Pattern,
    ProfileName,
    ServiceName,
    Uuid,
    Values,
    number,
)


class FieldShape(Shape):
    """One value of the payload: where it stands, how, and what it means."""

    at: int | None = Field(default=None, ge=0, le=511)
    """the field's first byte, counted from 0; inside the object where `object` is given"""
    after: FieldName | None = None
    """the field that it stands behind"""
    object: Number | None = None
    """the id of the object that it stands in"""
    group: FieldName | None = None
    """the named group of the line's pattern that holds it"""
    path: str | None = Field(default=None, pattern=r"^[^.]{1,60}(\.[^.]{1,60}){0,7}$")
    """where it stands in a JSON line: keys, and numbers of list entries, with dots between them"""
    type: Kind | None = None
    size: int | None = Field(default=None, ge=1, le=512)
    length: Literal["u8", "u16"] | None = None
    """the type of the length that stands in front of it"""
    base: Uuid | None = None
    """the UUID that a uuid_offset is counted from"""
    order: Order | None = None
    bit: int | None = Field(default=None, ge=0, le=63)
    bits: tuple[int, int] | None = None
    when: Condition | None = None
    """{field: …, equals: …}, without which the field is not there"""
    metric: Metric | None = None
    scale: Finite = 1
    offset: Finite = 0
    absent: Values | None = None
    """numbers, or texts, that mean that there is no value"""
    min: Finite | None = None
    max: Finite | None = None
    values: dict[str, str] = Field(default_factory=dict)
    """names for numbers or texts"""
    true_when: Values | None = None
    """the values that mean true, for a metric that is true or false"""

    @property
    def kind(self) -> Kind:
        written = self.group is not None or self.path is not None
        return self.type or (Kind.TEXT if written else Kind.U8)

    @property
    def width(self) -> int | None:
        """Its bytes; None where they are only known of each payload."""
        return self.kind.width or (None if self.length else self.size)

    @property
    def fixed(self) -> bool:
        """Whether it stands in the same bytes of every payload."""
        return self.at is not None and self.object is None and self.width is not None and self.when is None

    def own(self, written: int | str) -> int | str:
        """A value of this field as the profile writes it: a number, or a text where the field is one."""
        return str(written) if self.kind.textual else number(written)

    @property
    def named(self) -> dict[int | str, str]:
        return {self.own(written): name for written, name in self.values.items()}


FALL_WINDOW_MS = 20_000
"""How long a fall may be cancelled where the profile does not say."""


class Code(Shape):
    """What one value of an event field means. Written as a kind's bare name where nothing else is to be said."""

    kind: OccurrenceKind
    press: KeyPress | None = None
    """how the key was pressed, of a button"""
    number: int | None = Field(default=None, ge=1, le=255)
    """which key was pressed, of a button"""
    service: ServiceName | None = None
    window: Milliseconds | None = None
    confirms_fall: bool = False


def _bare_kind(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


Meaning = Annotated[Code, BeforeValidator(_bare_kind, json_schema_input_type=OccurrenceKind | Code)]


Buttons = Mapping[ButtonName, Meaning]
"""What keys are for, by how which was pressed: `single`, `2`, `2 long`, or `any`."""


class BehaviourName(StrEnum):
    COUNTER = "counter"
    LEVEL = "level"
    EDGE = "edge"
    IDENTITY = "identity"


class CounterShape(Shape):
    """The number of the device's last event. `fresh` frames claim that it has only just happened."""

    field: FieldName
    fresh: Condition
    """{field: …, equals: …}, which frames claim that the event has only just happened"""
    wrap: int | None = Field(default=None, ge=1)


BUTTON = Code(kind=OccurrenceKind.BUTTON)
"""A press whose purpose the profile does not state."""
NONE = Code(kind=OccurrenceKind.NONE)


class OccurrenceShape(Shape):
    """Which values of a field are an occurrence, and how copies of one are told apart.

    Either `codes` says what each value means, or `means` what any of `equals` does (any but 0, where not given).
    """

    field: FieldName
    behaviour: BehaviourName
    """counter, level, edge or identity: how copies of one press are told apart"""
    codes: dict[str, Meaning] = Field(default_factory=dict)
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
    line: str | None = None
    """a line of text, in place of its bytes"""
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


class ObjectsShape(Shape):
    """A stream of objects, each with an id in front: with a length, or of sizes that the ids settle."""

    at: int = Field(default=0, ge=0, le=511)
    """the first object's first byte"""
    id: Literal["u8", "u16"] = "u8"
    length: Literal["u8", "u16", "none"] = "u8"
    order: Order | None = None
    sizes: dict[str, Annotated[int, Field(ge=0, le=255)]] = Field(default_factory=dict)
    """the sizes of objects that no field reads, where objects have no length"""
    unknown: Literal["stop", "skip"] = "stop"
    """what becomes of the rest behind an object that no field reads"""


class LayoutShape(Shape):
    """One way to fill a payload."""

    when: Condition | None = None
    """{field: …, equals: …}, which payloads are filled so"""
    size: int | None = Field(default=None, ge=0, le=4096)
    """the exact size of such payloads, in bytes"""
    pattern: Pattern | None = None
    """the whole line as a regular expression (RE2) with named groups"""
    fields: dict[FieldName, FieldShape] = Field(default_factory=dict)
    """the values of the payload, by name; none where a decoder or only standard characteristics are read"""
    objects: ObjectsShape | None = None
    least: int | None = Field(default=None, ge=1, le=512)
    occurrences: tuple[OccurrenceShape, ...] = ()


class NamedLayout(LayoutShape):
    """One of several layouts."""

    name: str = ""
    """what such payloads are, for decode"""


class Head(Shape):
    """What a profile says of itself."""

    profile: ProfileName
    """the profile's name, in lower-case letters, digits and hyphens"""
    about: str
    """which devices these are"""
    source: str
    """where the layout is from, such as a sheet and its version"""
    address_bits: Literal[32, 48] = 48
    order: Order = "little"
    interval: Interval | None = None
    """how often such a device speaks, such as 2s, or none where it does so only when something happens"""


class ProfileFile(LayoutShape, Head):
    """A profile: what stands at its top is its one layout, unless it has `layouts`."""

    layouts: tuple[NamedLayout, ...] = ()
    """the ways to fill a payload, where there are several; the first that fits counts"""
    decoder: DecoderName | None = None
    """the decoder that reads the payload, for formats that need code; in place of fields"""
    buttons: Buttons = Field(default_factory=dict)
    """what the device's keys are for, where its format only says that one was pressed"""
    bluetooth: Bluetooth | None = None
    serial: Serial | None = None
    golden: tuple[Golden, ...] = Field(min_length=1)
    """at least one frame of which it is known what it means"""
    golden_writes: tuple[GoldenWrite, ...] = ()

    @property
    def ways(self) -> tuple[LayoutShape, ...]:
        """Its layouts; the one at the top of the file where no others are given."""
        return self.layouts or (self,)
