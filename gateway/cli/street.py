"""A simulated street of wearables that speak the 398 reference format; for the demo, the tests and the bench.

Pure: `now` is passed in, in seconds, and frames come back. Nothing here sleeps or opens anything.
"""

import binascii
import heapq
import json
import random
import struct
from dataclasses import dataclass, field
from enum import IntEnum

HEARTBEAT_S = 2.0
EVENT_EVERY_S = 0.2
EVENT_FOR_S = 10.0
COMPANY = 0xFFFF
ADVERT_PREFIX = b"\x98\x03"


class Kind(IntEnum):
    HEARTBEAT = 1
    VITALS = 2
    EVENT = 3


class Code(IntEnum):
    """Event codes of the reference format."""

    NONE = 0
    SOS = 1
    FALL = 2
    FALL_CANCELLED = 3
    SHOPPING = 4
    RIDE = 5
    CALLBACK = 6
    TAKEN_OFF = 7
    PUT_ON = 8
    TAMPER = 9
    TEST = 10


@dataclass(slots=True)
class Wearable:
    """One band. `number` is the low 32 bits of its address."""

    number: int
    counter: int = 0
    code: Code = Code.NONE
    worn: bool = True
    low_battery: bool = False
    battery: int = 88
    heart_rate: int = 72
    spo2: int = 97
    temperature: int = 3312
    steps: int = 4200
    pressed_at: float = float("-inf")

    @property
    def address(self) -> str:
        """The Bluetooth address, 12 hex digits."""
        return f"c098{self.number:08x}"

    def press(self, code: Code, now: float) -> int:
        """Something happens to the band; returns the event's number."""
        self.counter = self.counter % 65535 + 1
        self.code, self.pressed_at = code, now
        if code in (Code.TAKEN_OFF, Code.PUT_ON):
            self.worn = code is Code.PUT_ON
        return self.counter

    def restart(self) -> None:
        """Power-up: the numbers begin again."""
        self.counter, self.code, self.pressed_at = 0, Code.NONE, float("-inf")

    def payload(self, kind: Kind) -> bytes:
        status = self.worn | self.low_battery << 2 | self.worn << 3
        vitals = (self.battery, self.heart_rate, self.spo2, self.temperature, self.steps)
        return struct.pack("<BHBBBBBhH", kind, self.counter, self.code, status, *vitals)

    def live(self, chance: random.Random) -> None:
        """A little later: the vitals have moved a little."""
        self.heart_rate = min(130, max(50, self.heart_rate + chance.randint(-2, 2)))
        self.steps = min(65_000, self.steps + chance.randint(0, 4))


def serial_frame(number: int, payload: bytes, rssi: int = -67) -> bytes:
    """As the reference receiver sends it."""
    body = struct.pack("<BIb", 5 + len(payload), number, rssi) + payload
    return b"\xa5\x5a" + body + struct.pack("<H", binascii.crc_hqx(body, 0xFFFF))


def advert_line(address: str, payload: bytes, rssi: int = -67) -> bytes:
    """As one line of a capture, heard at once."""
    line = {"kind": "manufacturer", "key": COMPANY, "address": address, "rssi": rssi}
    return json.dumps(line | {"payload": (ADVERT_PREFIX + payload).hex()}).encode() + b"\n"


@dataclass(slots=True)
class Street:
    """Many wearables on one clock. `pace` compresses time: at 10 a heartbeat comes every 0.2 s."""

    wearables: list[Wearable]
    chance: random.Random
    pace: float = 1.0
    _due: list[tuple[float, int]] = field(default_factory=list)
    _next: dict[int, float] = field(default_factory=dict)

    def begin(self, now: float) -> None:
        """Spread the first heartbeats over one interval."""
        for index in range(len(self.wearables)):
            self._plan(index, now + self.chance.random() * HEARTBEAT_S / self.pace)

    def press(self, index: int, code: Code, now: float) -> int:
        """Press; the event's first frame is due at once. Returns the event's number."""
        self._plan(index, now)
        return self.wearables[index].press(code, now)

    def frames(self, now: float) -> list[tuple[Wearable, bytes]]:
        """Every payload due by `now`, in order."""
        found = []
        while self._due and self._due[0][0] <= now:
            at, index = heapq.heappop(self._due)
            if self._next[index] != at:
                continue  # a press has since been planned before it
            band = self.wearables[index]
            event = now - band.pressed_at < EVENT_FOR_S / self.pace
            if not event:
                band.live(self.chance)
            found.append((band, band.payload(Kind.EVENT if event else Kind.VITALS)))
            self._plan(index, max(now, at + (EVENT_EVERY_S if event else HEARTBEAT_S) / self.pace))
        return found

    def next_due(self) -> float:
        return self._due[0][0] if self._due else float("inf")

    def _plan(self, index: int, at: float) -> None:
        self._next[index] = at
        heapq.heappush(self._due, (at, index))
