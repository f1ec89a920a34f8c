"""Readings and gaps as InfluxDB's line protocol. No I/O.

Every number is written as a float. InfluxDB gives a field the type of the first value that it sees and refuses every
later one of another type for ever, and a format that says 36 today may say 36.5 tomorrow. Only booleans stay booleans.

InfluxDB keeps one point of a device at a nanosecond. We know the millisecond and count up below it: frames of one
millisecond stay apart, and a row that is sent twice leaves nothing twice. Alerts are no points: they are followed and
answered by people, over MQTT.
"""

from collections.abc import Sequence

from gateway.clock import Clock
from gateway.model import Draft, Gap, Message, Moment, Sample
from gateway.rows import THINNED, Row
from gateway.thinning import Said

READINGS = "telemetry"
GAPS = "gap"
_NS_PER_MS = 1_000_000
_NS_PER_MINUTE = 60_000_000_000
_ROWS, _SAMPLES = 100, 10_000
"""Below a millisecond there is room for as many rows, and as many samples in each."""
_ESCAPED = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ ", "\n": "\\n"})


class Points:
    """The form of the InfluxDB lane: a row is a batch of lines, and its topic the measurement."""

    def __init__(self, station: str, clock: Clock) -> None:
        self._station = station
        self._clock = clock

    def telemetry(self, samples: Sequence[Sample], now: Moment) -> Draft:  # noqa: ARG002 - each has its own moment
        def freeze(_epoch: str, seq: int) -> Message:
            lines = [self._line(sample, _own_ns(seq, index)) for index, sample in enumerate(samples)]
            return Message(READINGS, "\n".join(lines).encode())

        return Draft(freeze)

    def said(self, payload: bytes) -> list[Said] | None:
        """The points of a row, each in its line; None where they are not ours."""
        try:
            return [_said(line) for line in payload.split(b"\n")]
        except ValueError:
            return None

    def thinned(self, row: Row, kept: Sequence[Said], now: Moment) -> Draft:  # noqa: ARG002 - each has its own moment
        """The same points: where a row that was under way is in already, these change nothing."""
        message = Message(row.topic, b"\n".join(said.written for said in kept))
        return Draft(lambda _epoch, _seq: message, subject=THINNED)

    def gap(self, gap: Gap) -> Draft:
        tags = _tags(cause=gap.cause.value, lane=gap.lane, station=self._station)
        numbers = {"first": gap.first, "last": gap.last, "count": gap.count}
        known = "".join(f",{name}={number}" for name, number in numbers.items() if number is not None)
        at_ns = self._clock.utc_ms(gap.at) * _NS_PER_MS

        def freeze(_epoch: str, seq: int) -> Message:
            return Message(GAPS, f'{GAPS},{tags} epoch="{gap.epoch}"{known} {at_ns + _own_ns(seq)}'.encode())

        return Draft(freeze, subject="gap")  # what has a subject is not shed: no gap may hide another

    def _line(self, sample: Sample, own_ns: int) -> str:
        who = sample.wearable
        tags = _tags(
            clock=None if self._clock.knows(sample.at) else "unsynced",
            device=who.device,
            station=self._station,
            test="true" if sample.test else None,
            wearer=who.wearer,
        )
        fields = ",".join([f"{name}={_value(value)}" for name, value in sample.values.items()])
        return f"{READINGS},{tags} {fields} {self._clock.utc_ms(sample.at) * _NS_PER_MS + own_ns}"


def _said(line: bytes) -> Said:
    """ValueError where it is no line of ours."""
    series, fields, at_ns = line.rsplit(b" ", 2)
    values = dict(map(_field, fields.decode().split(",")))
    return Said(f"{series.decode()} {int(at_ns) // _NS_PER_MINUTE}", values, line)


def _field(field: str) -> tuple[str, float]:
    name, value = field.split("=")
    return name, value == "true" if value in ("true", "false") else float(value)


def _own_ns(seq: int, index: int = 0) -> int:
    return seq % _ROWS * _SAMPLES + index


def _tags(**tags: str | None) -> str:
    """In the order of their names, as InfluxDB keeps them."""
    return ",".join([f"{name}={value.translate(_ESCAPED)}" for name, value in tags.items() if value is not None])


def _value(value: float) -> str:
    """A number without the suffix that would make it an integer."""
    return str(value).lower() if isinstance(value, bool) else str(value)
