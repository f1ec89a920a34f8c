"""From bleak's callback to what is committed, joined as in the daemon."""

import asyncio
import gc
import random
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from drivers.base import Packet, PacketKind
from drivers.ble.adverts import DEVICES
from gateway.cli.street import ADVERT_PREFIX, COMPANY, Code, Kind, Wearable
from gateway.model import AlertKind, Heard
from gateway.normalise import STRANGERS
from gateway.zones import REMEMBERED
from tests.support.crowd import passing
from tests.support.daemon import address
from tests.support.ears import LINK, OTHER, Ears, advert, device, listening

REGISTERED = 8


def go(folder: Path, work: Callable[[Ears], Awaitable[None]]) -> None:
    async def run() -> None:
        async with listening(folder, REGISTERED) as ears:
            await work(ears)

    asyncio.run(run())


def test_an_advert_of_a_registered_wearable_becomes_telemetry_and_its_press_an_alert(tmp_path: Path) -> None:
    async def run(ears: Ears) -> None:
        band = Wearable(1)
        ears.heard(device(address(1)), advert(band.payload(Kind.VITALS)))
        band.press(Code.SOS, 0.0)
        for _ in range(3):
            ears.heard(device(address(1)), advert(band.payload(Kind.EVENT)))
        assert (ears.commits.samples, ears.commits.notices) == (2, 1)
        (alert,) = ears.commits.book.open()
        assert (alert.key.kind, alert.zone) == (AlertKind.SOS, "lobby")
        assert [heard.link for heard in alert.heard_by] == [LINK]
        counters = ears.pipeline.links[LINK]
        assert (counters.packets, counters.events, ears.radio.standing.repeated) == (2, 3, 2)

    go(tmp_path, run)


def test_a_press_that_two_radios_hear_is_one_alert_in_the_zone_of_the_one_that_hears_it_best(tmp_path: Path) -> None:
    async def run(ears: Ears) -> None:
        band = Wearable(1)

        def heard(link: str, rssi: int, kind: Kind) -> None:
            payload, now = ADVERT_PREFIX + band.payload(kind), ears.clock.now()
            ears.pipeline.packet(Packet(link, PacketKind.MANUFACTURER, COMPANY, payload, now, address(1), rssi))

        heard(OTHER, -80, Kind.VITALS)
        band.press(Code.SOS, 0.0)
        heard(OTHER, -80, Kind.EVENT)
        (alert,) = ears.commits.book.open()
        assert alert.zone == "garden"
        for _ in range(3):
            heard(LINK, -60, Kind.EVENT)
            heard(OTHER, -79, Kind.EVENT)
        (alert,) = ears.commits.book.open()
        assert (alert.press_count, alert.heard_by) == (1, (Heard(OTHER, -80), Heard(LINK, -60)))
        assert (alert.zone, ears.commits.notices) == ("lobby", 1)

    go(tmp_path, run)


def test_no_crowd_costs_memory_or_disk_and_the_stations_own_are_heard_in_it(tmp_path: Path) -> None:
    async def run(ears: Ears) -> None:
        adverts, before, blocks = ears.radio._adverts, 0, list[int]()
        for sender, heard in passing(45_000, random.Random(398)):
            ears.heard(sender, heard)
            if len(adverts) == DEVICES + 1 != before:  # half of it has just been forgotten: all is as full as last time
                gc.collect()
                blocks.append(sys.getallocatedblocks())
            before = len(adverts)
        assert len(blocks) == 4
        assert abs(blocks[-1] - blocks[-2]) < DEVICES // 8
        assert before <= 2 * DEVICES
        assert len(ears.episodes) <= STRANGERS
        assert len(ears.normalise._wearables) <= STRANGERS + REGISTERED
        assert len(ears.pipeline._zones._nearest) <= REMEMBERED
        kinds = [alert.key.kind for alert in ears.commits.book.open()]
        assert kinds.count(AlertKind.ALARM_FLOOD) == 1
        assert len(kinds) <= 21
        assert len(ears.commits.changes) < 100
        band = Wearable(1)
        band.press(Code.SOS, 0.0)
        ears.heard(device(address(1)), advert(band.payload(Kind.EVENT)))
        assert "band-0001" in {alert.wearable.device for alert in ears.commits.book.open() if alert.wearable}

    go(tmp_path, run)
