"""In which zone a wearable is, by the radio that hears it best. Pure.

Signal strengths jump by ten decibels as people turn round: the zone changes only for one clearly stronger, and goes
back to the one before a little more easily (the thresholds are those that habluetooth found for adapters in a house).
"""

from collections.abc import Mapping

import msgspec

from drivers.base import Address

SWITCH_DB, RETURN_DB = 16, 6
STALE_MS = 15_000
"""A radio that has not heard the wearable for so long does not hear it best."""
REMEMBERED = 16_384


class _Nearest(msgspec.Struct, gc=False):
    link: str
    rssi: int | None
    at_ms: int
    before: str | None = None


class Zones:
    """`zones` says where each link's receiver stands; a link without a zone still counts as nearest."""

    def __init__(self, zones: Mapping[str, str | None]) -> None:
        self._zones = zones
        self._nearest: dict[Address, _Nearest] = {}

    def hear(self, address: Address, link: str, rssi: int | None, now_ms: int) -> str | None:
        """The zone of `address`, now that `link` has heard it."""
        nearest = self._nearest.get(address)
        if nearest is None:
            self._remember(address, _Nearest(link, rssi, now_ms))
            return self._zones[link]
        if nearest.link == link:
            nearest.rssi, nearest.at_ms = (nearest.rssi if rssi is None else rssi), now_ms
        elif _nearer(nearest, link, rssi, now_ms):
            nearest.before, nearest.link = nearest.link, link
            nearest.rssi, nearest.at_ms = rssi, now_ms
        return self._zones[nearest.link]

    def _remember(self, address: Address, nearest: _Nearest) -> None:
        if len(self._nearest) >= REMEMBERED:
            del self._nearest[next(iter(self._nearest))]
        self._nearest[address] = nearest


def _nearer(nearest: _Nearest, link: str, rssi: int | None, now_ms: int) -> bool:
    if now_ms - nearest.at_ms > STALE_MS:
        return True
    if rssi is None or nearest.rssi is None:
        return False
    return rssi - nearest.rssi >= (RETURN_DB if link == nearest.before else SWITCH_DB)
