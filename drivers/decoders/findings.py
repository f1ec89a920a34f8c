"""What a decoder finds in a payload, gathered as it goes along."""

from decimal import Decimal

from drivers.base import LIMIT, Address, Auth, Measurement, Metric, Occurrence, Reading, Said
from drivers.decoders.ieee11073 import Special, Value

BOUNDS: dict[Metric, tuple[float, float]] = {
    Metric.HEART_RATE: (20, 300),
    Metric.SPO2: (0, 100),
    Metric.BODY_TEMPERATURE: (10, 50),
    Metric.BLOOD_PRESSURE_SYSTOLIC: (10, 350),
    Metric.BLOOD_PRESSURE_DIASTOLIC: (5, 300),
    Metric.BODY_WEIGHT: (1, 400),
    Metric.BATTERY_LEVEL: (0, 100),
    Metric.AMBIENT_HUMIDITY: (0, 100),
}
"""What lies beyond is absurd, and beyond LIMIT for all others."""


class Findings:
    """Readings as they are found. Of a metric that a payload holds twice, the first counts."""

    def __init__(self) -> None:
        self._readings: list[Reading] = []
        self._absurd: list[str] = []
        self._absent: list[str] = []
        self._seen: set[Metric] = set()

    def add(self, metric: Metric, value: Value | float | None, digits: int | None = None) -> None:
        """A value, or None where the device says that it has none.

        `digits`: to how many behind the point it is rounded, for what was converted has no end of them.
        """
        if metric in self._seen:
            return
        self._seen.add(metric)
        low, high = BOUNDS.get(metric, (-LIMIT, LIMIT))
        if isinstance(value, bool):
            self._readings.append(Measurement(metric, value))
        elif value is None or value in (Special.NAN, Special.NRES, Special.RESERVED):
            self._absent.append(metric.value)
        elif isinstance(value, Special) or not low <= value <= high:
            self._absurd.append(metric.value)
        else:
            exact = value if digits is None else round(Decimal(value), digits)
            whole = exact == int(exact)
            self._readings.append(Measurement(metric, int(exact) if whole else float(exact)))

    def happened(self, occurrence: Occurrence) -> None:
        self._readings.append(occurrence)

    def unreadable(self, name: str) -> None:
        """A part of the payload that is not what its format says; nothing is read from it."""
        self._absurd.append(name)

    def said(self, address: Address | None = None, auth: Auth = Auth.NONE, counter: int | None = None) -> Said:
        return Said(
            tuple(self._readings), tuple(self._absurd), tuple(self._absent), address=address, auth=auth, counter=counter
        )
