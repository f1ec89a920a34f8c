"""Which registered devices press so often that people must know of it. Pure: it marks and tells, and limits nothing."""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence

import msgspec

from gateway.inputs import Pressed
from gateway.model import Alert, AlertKey, AlertKind, Moment, Press

PRESSED = frozenset({AlertKind.SOS, AlertKind.FALL, AlertKind.BUTTON, AlertKind.SERVICE_REQUEST})
"""Kinds that count: somebody presses, or something does. Conditions merely last."""

Presser = tuple[str, bool]
"""A device, and whether it was only tested: tests make no storm of what is meant."""


class StormLimit(msgspec.Struct, frozen=True):
    """Presses of one registered device within a time; one more is a storm."""

    presses: int = 6
    per_ms: int = 3_600_000


USUAL = StormLimit()


class Storms:
    """The latest presses of each device, just as many as tell a storm."""

    def __init__(self, limit: StormLimit) -> None:
        self._limit = limit
        self._latest: defaultdict[Presser, deque[Moment]] = defaultdict(lambda: deque(maxlen=limit.presses + 1))

    def load(self, alerts: Iterable[Alert]) -> None:
        """Take up the presses that the alerts list."""
        found = [(press.at, who) for alert in alerts if (who := presser(alert)) is not None for press in alert.presses]
        for at, who in sorted(found, key=lambda entry: entry[0].wall_ms):
            self._latest[who].append(at)

    def add(self, presser: Presser, presses: Iterable[Moment]) -> None:
        self._latest[presser].extend(presses)

    def blows(self, presser: Presser, now: Moment, more: Sequence[Moment] = ()) -> bool:
        """Whether there are too many, `more` being later than all that were added."""
        presses = (*self._latest.get(presser, ()), *more)
        beyond = self._limit.presses + 1
        return len(presses) >= beyond and presses[-beyond].until(now) <= self._limit.per_ms

    def over(self, alert: Alert, now: Moment) -> bool:
        """Whether `alert` tells of a storm that has blown itself out and has not been told to."""
        if alert.key.kind is not AlertKind.STORM or alert.wearable is None or alert.ended_at is not None:
            return False
        return not self.blows((alert.wearable.device, alert.key.test), now)


def presser(given: Pressed | Alert) -> Presser | None:
    """Whose press it is, where it counts."""
    if given.key.kind not in PRESSED or given.wearable is None or not given.wearable.registered:
        return None
    return given.wearable.device, given.key.test


def told(pressed: Pressed, device: str, new_id: str) -> Pressed:
    """The condition that a press in a storm begins, or goes on with."""
    key = AlertKey(f"device:{device}", AlertKind.STORM, None, test=pressed.key.test)
    return Pressed(key, pressed.wearable, Press(None, pressed.press.at), pressed.heard, new_id, zone=pressed.zone)
