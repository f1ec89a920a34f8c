"""A receiver's line that carries a whole advert, taken as if this box had heard it."""

from pathlib import Path

import pytest

from drivers.base import BadFrame, Instant, Packet, PacketKind
from drivers.profile.compiled import Profile
from drivers.profile.load import load
from drivers.relay import Relayed, relayed
from tests.support.receivers import RECEIVER

AT = Instant(1_000, 5)


def receiver(folder: Path, text: str = RECEIVER) -> Profile:
    path = folder / "receiver.yaml"
    path.write_text(text)
    return load(path)


def heard(profile: Profile, line: str) -> Relayed | None:
    packet = Packet("serial:a", PacketKind.FRAME, "receiver", line.encode(), AT)
    decoded = profile.frame(packet) if profile.frame else None
    assert decoded is not None
    return relayed(profile, packet, decoded)


def test_its_sections_are_packets_of_the_tag_at_the_strength_that_the_line_tells(tmp_path: Path) -> None:
    advert = heard(receiver(tmp_path), "ADV C09800010203 -61 02010605ffffff9803")
    assert advert is not None
    assert advert.packets == (
        Packet("serial:a", PacketKind.MANUFACTURER, 0xFFFF, b"\x98\x03", AT, "c09800010203", -61),
    )
    assert advert.sections.flags == 6


@pytest.mark.parametrize(("advert", "wrong"), [("", 0), ("05ffffff", 1)])
def test_an_empty_or_a_cut_advert_is_no_packet(tmp_path: Path, advert: str, wrong: int) -> None:
    found = heard(receiver(tmp_path), f"ADV C09800010203 -61 {advert}")
    assert found is not None
    assert (found.packets, len(found.sections.wrong)) == ((), wrong)


def test_half_a_byte_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFrame) as refused:
        heard(receiver(tmp_path), "ADV C09800010203 -61 020")
    assert refused.value.reason == "relayed_advert"


def test_a_profile_that_relays_nothing_yields_none(tmp_path: Path) -> None:
    plain = RECEIVER.replace("  relays: {field: advert}\n", "")
    assert heard(receiver(tmp_path, plain), "ADV C09800010203 -61 020106") is None
