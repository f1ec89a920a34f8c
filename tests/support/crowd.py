"""People and things passing by a station whose addresses are never heard again, some of them made up to do harm."""

import random
from collections.abc import Iterator

from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from gateway.cli.street import Code, Kind, Wearable
from tests.support.ears import advert, device

APPLE = 0x004C


def passing(count: int, chance: random.Random) -> Iterator[tuple[BLEDevice, AdvertisementData]]:
    """Phones, strangers' wearables that tell their vitals, and made-up ones that press, cancel and are put on."""
    for _ in range(count):
        sender = device(f"{chance.getrandbits(48):012x}")
        match chance.randrange(8):
            case 0 | 1:
                yield sender, advert(chance.randbytes(12), APPLE, b"")
            case 2 | 3:
                code = chance.choice((Code.SOS, Code.FALL, Code.FALL_CANCELLED, Code.TAKEN_OFF, Code.PUT_ON))
                made_up = Wearable(0, chance.randrange(1, 65536), code, low_battery=chance.random() < 0.5)
                yield sender, advert(made_up.payload(Kind.EVENT))
            case _:
                stranger = Wearable(0, chance.randrange(65536), Code.SOS, heart_rate=chance.randrange(40, 180))
                yield sender, advert(stranger.payload(Kind.VITALS))
