"""Whether the call centre is there: its own heartbeat, on a topic of its choice. Pure."""

from gateway.health import Faults
from gateway.model import Moment
from gateway.thresholds import CallCentre

WHERE = "call_centre"


class Centre:
    """Silence counts from the connection on; while there is none, nothing can be known."""

    def __init__(self, heartbeat: CallCentre, faults: Faults) -> None:
        self.topic = heartbeat.heartbeat
        self._within_ms, self._faults = heartbeat.within, faults
        self._heard: Moment | None = None

    def connected(self, now: Moment) -> None:
        self._heard = now

    def hear(self, now: Moment) -> None:
        self._heard = now
        self._faults.end(WHERE, "centre_silent")

    def lost(self) -> None:
        self._heard = None

    def look(self, now: Moment) -> None:
        if self.topic is None or self._heard is None or (silence_ms := self._heard.until(now)) < self._within_ms:
            return
        what = f"nothing is heard on {self.topic} for {silence_ms // 1000} s: perhaps nobody is there to accept alerts"
        cure = "see to the call centre's desks and their connection, and that the broker lets us read this topic"
        self._faults.begin("centre_silent", WHERE, what, cure)
