"""What a loop of kills or power cuts has tried, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Toll:
    """Messages are those that the lanes had numbered on the disk, of alerts, telemetry and gaps."""

    cases: int = 0
    sent: int = 0
    """Alerts: one for each press."""
    arrived: int = 0
    doubled: int = 0
    messages: int = 0
    lost: int = 0
    repeated: int = 0
    """Messages that came again under their number: the cloud drops them."""
    gaps: int = 0
    """Of telemetry, told after a crash."""
    due: int = 0
    """Gaps that there must be."""
    breaches: int = 0

    @property
    def whole(self) -> bool:
        there = self.arrived == self.sent and self.gaps == self.due
        return there and not (self.doubled or self.lost or self.breaches)

    def __add__(self, other: "Toll") -> "Toll":
        return Toll(**{name: value + getattr(other, name) for name, value in vars(self).items()})

    def __str__(self) -> str:
        return (
            f"{self.cases:,} cases: {self.sent:,} alerts sent, {self.arrived:,} arrived, {self.doubled} doubled, "
            f"{self.sent - self.arrived} lost; {self.messages:,} messages on the disk, {self.lost} lost, "
            f"{self.repeated:,} came again under their number; {self.gaps:,} telemetry gaps of {self.due:,} due; "
            f"{self.breaches} breaches of the contract"
        )


def doubled(alerts: Sequence[dict[str, Any]]) -> int:
    """What is too much, where every device was pressed once: alerts, or messages that tell of two presses."""
    alerts_of = {each["id"]: each["device"] for each in alerts}
    return len(alerts_of) - len(set(alerts_of.values())) + sum(each["press_count"] != 1 for each in alerts)
