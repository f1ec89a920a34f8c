"""The highest authenticated number of each device: what was said before is not said anew. Pure.

Anybody can record a frame and send it again, but nobody can give it a higher number without the device's key. Numbers
only rise. One that came round after 2**32 would want a new key, and under a new key they may begin anew.
"""

import hashlib
from collections.abc import Mapping

import msgspec

from drivers.base import Address, Auth, KeyOf, Said
from gateway.episodes import COPY_MS
from gateway.model import Moment, Put
from gateway.trust import Proof

SPACE = "number"
LATELY = 8
"""Numbers of one device that may still be on their way over a slower radio."""

_AS_SAID = {auth: Proof(auth) for auth in Auth}
_NOTHING = Proof(Auth.NONE)
_COPY = Proof(Auth.REPLAYED, copy=True)


class _Record(msgspec.Struct, frozen=True):
    """A device's highest number as it is kept, when it was heard, and a digest of the key that proved it."""

    number: int
    at: Moment
    key: bytes


class _Device(msgspec.Struct):
    key: bytes
    highest: int = -1
    lately: dict[int, Moment] = {}
    """When each was last heard; the latest is the last."""


class Counters:
    """Only devices that have a key are remembered: the roster bounds the memory, and no stranger grows it."""

    def __init__(self, key_of: KeyOf) -> None:
        self._key_of = key_of
        self._devices: dict[Address, _Device] = {}

    def load(self, *kept: Mapping[str, bytes]) -> None:
        """Take up what the lanes' files kept of the keys in force; of two numbers of a device the higher counts."""
        for records in kept:
            for address, blob in records.items():
                record, device = msgspec.msgpack.decode(blob, type=_Record), self._device(address)
                if device is not None and device.key == record.key and record.number > device.highest:
                    device.highest, device.lately = record.number, {record.number: record.at}

    def prove(self, address: Address, said: Said, now: Moment) -> Proof:
        """What `said` proves, now that it is heard.

        `ok` stays so only while the numbers rise. A device that has a key is held to it in every format: otherwise
        its address in a frame of another format would be believed.
        """
        if said.auth is Auth.NONE:
            return _NOTHING if self._key_of(address) is None else _AS_SAID[Auth.DOWNGRADED]
        number = said.counter
        if said.auth is not Auth.OK or number is None:
            return _AS_SAID[said.auth]
        device = self._device(address)
        if device is None:
            return _AS_SAID[Auth.OK]
        if number > device.highest:
            device.highest = number
            _note(device, number, now)
            kept = msgspec.msgpack.encode(_Record(number, now, device.key))
            return Proof(Auth.OK, change=Put(SPACE, address, kept))
        last = device.lately.get(number)
        if last is None or last.until(now) > COPY_MS:
            return _AS_SAID[Auth.REPLAYED]
        _note(device, number, now)
        return _COPY

    def _device(self, address: Address) -> _Device | None:
        device = self._devices.get(address)
        if device is None and (key := self._key_of(address)) is not None:
            device = self._devices[address] = _Device(hashlib.sha256(key).digest()[:8])
        return device


def _note(device: _Device, number: int, now: Moment) -> None:
    device.lately.pop(number, None)
    device.lately[number] = now
    if len(device.lately) > LATELY:
        del device.lately[next(iter(device.lately))]
