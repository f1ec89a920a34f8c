"""Test windows: the first SOS of a device inside one is a test, and closes it. In memory: a restart ends them all.

Whoever opens one answers for it: for some minutes a wearer's call counts as a try. So it is for one device, is short,
takes one press and nothing that is doubtful, and runs on the boot clock, which nobody sets.
"""

from collections.abc import Callable
from typing import Annotated

import msgspec
import structlog
from msgspec.structs import replace

from gateway.errors import RequestRefused
from gateway.model import Moment
from gateway.roster import Roster

log = structlog.get_logger("trials")

MINUTES_MAX = 10
Minutes = Annotated[int, msgspec.Meta(ge=1, le=MINUTES_MAX)]
MINUTES = 5
"""How long a window is open where nothing else is said."""


class Trial(msgspec.Struct, frozen=True):
    """A test window that is open."""

    device: str
    by: str
    opened: Moment
    minutes: int

    @property
    def until(self) -> Moment:
        ms = self.minutes * 60_000
        return replace(self.opened, wall_ms=self.opened.wall_ms + ms, mono_ms=self.opened.mono_ms + ms)

    def expired(self, now: Moment) -> bool:
        return self.opened.until(now) >= self.minutes * 60_000


class Trials:
    """The windows that are open, by device; each beginning and end is a line in the log."""

    def __init__(self, roster: Roster, now: Callable[[], Moment]) -> None:
        self._roster, self._now = roster, now
        self._open: dict[str, Trial] = {}

    def meant(self, device: str | None, wearer: str | None) -> str:
        """The one device that is named, or that the wearer has. RequestRefused where there is none, or another too."""
        fits = [each.id for each in self._roster.devices if each.id == device or (wearer and each.wearer == wearer)]
        if not fits:
            raise RequestRefused("unknown_device", "no such device or wearer in the roster")
        if len(fits) > 1:
            raise RequestRefused("ambiguous", f"name one device: {', '.join(fits)}")
        return fits[0]

    def open(self, device: str, minutes: int, by: str) -> Trial:
        """Open a window, in place of the one that is open."""
        trial = self._open[device] = Trial(device, by, self._now(), minutes)
        log.info("test window opened", device=device, minutes=minutes, by=by)
        return trial

    def of(self, device: str) -> Trial | None:
        """The window that is open now."""
        return self._live(device, self._now())

    def take(self, device: str, at: Moment) -> Trial | None:
        """The window that a press uses up."""
        trial = self._live(device, at)
        if trial is not None:
            del self._open[device]
            log.info("test window used", device=device, by=trial.by)
        return trial

    def sweep(self) -> None:
        """End those whose time is over."""
        now = self._now()
        for trial in [trial for trial in self._open.values() if trial.expired(now)]:
            del self._open[trial.device]
            log.info("test window expired, nobody has pressed", device=trial.device, by=trial.by)

    def _live(self, device: str, at: Moment) -> Trial | None:
        trial = self._open.get(device)
        return None if trial is None or trial.expired(at) else trial
