"""Every packet is kept once, as it came; what could not be read is kept for a closer look as well."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from drivers.base import Packet, PacketKind
from gateway.cli.street import ADVERT_PREFIX, Code, Kind, Wearable
from tests.support.daemon import address
from tests.support.ears import LINK, OTHER, Ears, listening

CANONICAL = address(1)[-8:]


def kept(folder: Path, work: Callable[[Ears], str | None]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The lines of the one recording that `work` leads to, and those of the quarantine."""

    async def run() -> None:
        async with listening(folder, 1) as ears:
            work(ears)
            await ears.recorder.turn()
            ears.quarantine.save()

    asyncio.run(run())
    (recording,) = (folder / "recordings").glob("*")
    quarantine = folder / "quarantine"
    refused = quarantine.read_text().splitlines() if quarantine.exists() else []
    return [json.loads(line) for line in recording.read_text().splitlines()], [json.loads(line) for line in refused]


def advert(ears: Ears, payload: bytes, link: str = LINK) -> Packet:
    return Packet(link, PacketKind.MANUFACTURER, 0xFFFF, ADVERT_PREFIX + payload, ears.clock.now(), address(1), -60)


def test_a_packet_is_of_the_device_that_it_was_found_to_be_of(tmp_path: Path) -> None:
    def work(ears: Ears) -> str:
        ears.pipeline.packet(advert(ears, Wearable(1).payload(Kind.VITALS), OTHER))
        ears.pipeline.packet(advert(ears, Wearable(1).payload(Kind.VITALS), LINK))
        return ears.recorder.alert(LINK, CANONICAL, registered=True)

    lines, refused = kept(tmp_path, work)
    assert ([line["link"] for line in lines], refused) == ([OTHER, LINK], [])


def test_an_advert_that_a_receiver_passes_on_is_kept_once_as_it_came_and_as_the_wearable_s(tmp_path: Path) -> None:
    band = Wearable(1)
    band.press(Code.SOS, 0.0)
    section = b"\xff\xff\xff" + ADVERT_PREFIX + band.payload(Kind.EVENT)
    line = f"$GPRP,{address(1)},F008D1789200,-60,020106{len(section):02X}{section.hex()}".upper().encode()

    def work(ears: Ears) -> str:
        ears.pipeline.packet(Packet(OTHER, PacketKind.FRAME, "ingics-gateway", line, ears.clock.now()))
        assert ears.commits.notices == 1
        return ears.recorder.alert(LINK, CANONICAL, registered=True)

    (told,), refused = kept(tmp_path, work)
    assert (told["kind"], bytes.fromhex(told["payload"]), refused) == ("frame", line, [])


def test_a_packet_that_cannot_be_read_is_recorded_and_quarantined(tmp_path: Path) -> None:
    lines, refused = kept(tmp_path, lambda ears: ears.pipeline.packet(advert(ears, b"\x01\x02")))
    assert [line["payload"] for line in lines] == ["98030102"]
    assert [line["reason"] for line in refused] == ["too_short"]


def test_bytes_that_make_no_packet_are_recorded_as_the_quarantine_has_them(tmp_path: Path) -> None:
    lines, refused = kept(
        tmp_path, lambda ears: ears.pipeline.rejected(LINK, "checksum", b"\xa5\x5a", ears.clock.now())
    )
    assert lines == refused
    assert [line["hex"] for line in lines] == ["a55a"]


def test_what_is_absurd_is_quarantined_and_is_no_failure(tmp_path: Path) -> None:
    def work(ears: Ears) -> str:
        ears.pipeline.packet(advert(ears, Wearable(1, heart_rate=255).payload(Kind.VITALS)))
        return ears.recorder.alert(OTHER, CANONICAL, registered=True)

    lines, refused = kept(tmp_path, work)
    assert len(lines) == 1
    assert [line["reason"] for line in refused] == ["absurd heart_rate"]
