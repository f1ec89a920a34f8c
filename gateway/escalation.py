"""When the station itself must be told of alerts. Pure: open alerts and the time go in, those to be told come out.

What has been told is not kept: after a restart a station that waits too long already is told again at once.
"""

from collections.abc import Iterable

from gateway.model import Alert, AlertKind, Moment

GRACE_MS = 5_000
"""So long after its start a daemon without a broker may only not have reached it yet."""


def sounds(alert: Alert) -> bool:
    """Whether it is one that the station must hear: critical, not accepted, and of a fall a confirmed one.

    A test is never critical. A flood of made-up devices must not be able to ring.
    """
    return alert.repeats and alert.confirmed and alert.key.kind is not AlertKind.ALARM_FLOOD


class Escalation:
    """`began` is the daemon's start. Nothing is due by the wall clock: its steps neither hurry nor delay."""

    def __init__(self, after_ms: int, every_ms: int, began: Moment) -> None:
        self._after_ms, self._every_ms, self._began = after_ms, every_ms, began
        self._since: dict[str, Moment] = {}
        """Of each alert that nobody has accepted, the press from which on nobody has; a new one delays nothing."""
        self._told: dict[str, Moment] = {}
        self._looked = False

    def look(self, open_: Iterable[Alert], now: Moment, *, reachable: bool) -> list[Alert]:
        """All that the station must be told of now, the latest press first; none while nothing is due.

        All that wait are told together, so that a crowd of them rings no more often than each new one and `every`.
        """
        calling = {alert.id: alert for alert in open_ if alert.repeats}
        self._since = {ident: self._began_to_wait(alert) for ident, alert in calling.items()}
        self._looked = True
        self._told = {ident: at for ident, at in self._told.items() if ident in calling}
        alone = not reachable and self._began.until(now) >= GRACE_MS
        waiting = [each for each in calling.values() if sounds(each) and (alone or self._overdue(each.id, now))]
        if not any(self._due(each.id, now) for each in waiting):
            return []
        self._told |= {each.id: now for each in waiting}
        return sorted(waiting, key=lambda each: _pressed(each).until(now))

    def _began_to_wait(self, alert: Alert) -> Moment:
        """After a start nobody knows whether an earlier press had been accepted: it counts as not."""
        return self._since.get(alert.id, _pressed(alert) if self._looked else alert.at)

    def _overdue(self, ident: str, now: Moment) -> bool:
        """A press of before the boot has waited long enough, whatever the clocks say."""
        since = self._since[ident]
        return ident in self._told or since.boot != now.boot or since.until(now) >= self._after_ms

    def _due(self, ident: str, now: Moment) -> bool:
        told = self._told.get(ident)
        return told is None or told.until(now) >= self._every_ms


def _pressed(alert: Alert) -> Moment:
    return alert.pressed_at or alert.at
