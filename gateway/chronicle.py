"""Who tells the stories of alerts: what happens in the desk, in the lane and on the way to a wearable, line by line."""

from collections.abc import Callable
from typing import Protocol

from drivers.base import Address
from gateway import story
from gateway.alerts import Answer, Move, Refusal
from gateway.book import Notice
from gateway.inputs import Accept, Clear, Copied, Ended, Input, Pressed
from gateway.model import Alert, Moment, Settlement
from gateway.story import Happening, StoryLine


class Record(Protocol):
    """Keeps the packets around an alert; returns the name of their file at once."""

    def __call__(self, link: str, device: Address, /, *, registered: bool) -> str: ...


class Chronicle:
    """Every call returns at once, and nothing depends on what becomes of it. The alert lane's Witness."""

    def __init__(self, tell: Callable[[StoryLine], None], record: Record, now: Callable[[], Moment]) -> None:
        self._tell, self._record, self._now = tell, record, now

    def took(self, given: Input, answer: Answer) -> None:
        """What was heard or said of an alert, and whether it counted. Words on alerts unknown here leave no trace."""
        match given, answer:
            case Pressed(), Move(alert=alert):
                self._heard(given, alert)
            case Copied(heard=heard), Move(alert=alert):
                self._line(alert.id, story.Copied(heard.link, heard.rssi))
            case Ended(), Move(alert=alert):
                self._line(alert.id, story.Ended())
            case Accept(alert=ident, by=by) | Clear(alert=ident, by=by), Refusal() if answer is not Refusal.UNKNOWN:
                self._line(ident, story.Refused(by, answer))

    def decided(self, notice: Notice, now: Moment) -> None:
        alert = notice.alert
        self._line(alert.id, story.Decided(notice.reason, alert.state, alert.by, alert.repeat), now)

    def committed(self, subject: str, row: str) -> None:
        self._line(subject, story.Committed(row))

    def sent(self, subject: str, row: str) -> None:
        self._line(subject, story.Sent(row))

    def settled(self, subject: str, row: str, settlement: Settlement) -> None:
        what = story.Taken if settlement.accepted else story.TurnedAway
        self._line(subject, what(row, settlement.code, settlement.reason))

    def buzzed(self, alert: Alert, link: str, failure: str | None = None) -> None:
        self._line(alert.id, story.Buzzed(link, failure))

    def sounded(self, alert: Alert, action: str, failure: str | None) -> None:
        self._line(alert.id, story.Sounded(action, failure))

    def _heard(self, pressed: Pressed, alert: Alert) -> None:
        heard, who, at = pressed.heard, pressed.wearable, pressed.press.at
        if heard is not None:
            self._line(alert.id, story.Heard(heard.link, heard.rssi, pressed.press.key), at)
        if pressed.tester is not None:
            self._line(alert.id, story.Tested(pressed.tester), at)
        if heard is not None and who is not None:
            self._line(alert.id, story.Recorded(self._record(heard.link, who.address, registered=who.registered)), at)

    def _line(self, subject: str, what: Happening, at: Moment | None = None) -> None:
        at = at or self._now()
        self._tell(StoryLine(subject, at.wall_ms, what, at.synced))
