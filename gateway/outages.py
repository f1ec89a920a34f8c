"""What has been down for so long that people must know. Pure: what is up and when go in, alerts come out."""

from collections.abc import Callable

from gateway.inputs import Ended, Pressed
from gateway.model import AlertKey, AlertKind, Heard, Moment, Press

LINKS = frozenset({AlertKind.RADIO_DOWN, AlertKind.SERIAL_DOWN})


class Outages:
    """`after_ms`: how long a link is down before it is an alert. `new_id` makes an alert's id.

    What is not a link is a part of the box.
    """

    def __init__(self, after_ms: int, new_id: Callable[[], str], kind: AlertKind = AlertKind.RADIO_DOWN) -> None:
        self._after_ms, self._new_id, self._kind = after_ms, new_id, kind
        self._since: dict[str, Moment] = {}
        self._over: set[str] = set()
        """Links whose last outage has been told to be over; one of before a restart may still be open."""
        self._raised: set[str] = set()

    def see(self, link: str, now: Moment, *, up: bool) -> Pressed | Ended | None:
        """What is to be told about what is or is not up now; an end is told once, after a restart as well."""
        heard = Heard(link, None) if self._kind in LINKS else None
        key = AlertKey(f"link:{link}" if heard else f"box:{link}", self._kind, None, test=False)
        if up:
            self._since[link] = now
            self._raised.discard(link)
            if link in self._over:
                return None
            self._over.add(link)
            return Ended(key)
        since = self._since.setdefault(link, now)
        if link in self._raised or since.until(now) < self._after_ms:
            return None
        self._raised.add(link)
        self._over.discard(link)
        return Pressed(key, None, Press(None, since), heard, self._new_id())
