"""When each registered wearable was last heard, over which link, and how full its battery was. Pure; memory only."""

import msgspec

from gateway.model import Heard, Moment


class Sighting(msgspec.Struct, frozen=True, gc=False):
    at: Moment
    heard: Heard
    battery: float | None


class Sightings:
    """By the roster's id of a device; there are never more of them than the roster has."""

    def __init__(self) -> None:
        self._last: dict[str, Sighting] = {}

    def see(self, device: str, at: Moment, heard: Heard, battery: float | None) -> None:
        """A frame was heard; one that says nothing of the battery leaves what is known of it."""
        if battery is None and (known := self._last.get(device)) is not None:
            battery = known.battery
        self._last[device] = Sighting(at, heard, battery)

    def last(self, device: str) -> Sighting | None:
        return self._last.get(device)
