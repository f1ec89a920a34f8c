"""Whatever bytes the bench is given, however, it says something of them, and the two ways to say it agree."""

from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.base import Packet, PacketKind
from drivers.ble.sections import walk
from drivers.framing import Refusal
from drivers.profile.compiled import Profile
from drivers.profile.model import Golden
from drivers.profile.recognition import carriers
from drivers.registry import Profiles
from gateway.cli.bench import Bench
from gateway.cli.given import AT, AUTO, Given, Heard, Quarantined, Stream, framed
from gateway.cli.objects import Numbers, devices
from gateway.cli.sheet import Sheet

PROFILES = Profiles.load()
BENCH = Bench(PROFILES, lambda _: None)
NAMES = framed(AUTO, PROFILES)
SERIAL = bytes.fromhex("a55a1103020100bd0311000109584861f00c681084b0")
BAND = bytes.fromhex("02010611ffffff98030311000109584861f00c6810")
ADDRESS = "c09800010203"


def carried(profile: Profile, frame: Golden) -> Iterator[Given]:
    """A golden frame in each way that it may come to the bench."""
    side = profile.file.bluetooth
    for kind, content in ((PacketKind.MANUFACTURER, frame.manufacturer), (PacketKind.SERVICE_DATA, frame.service_data)):
        for carrier in carriers(side):
            if content is not None and carrier.kind is kind and content.startswith(carrier.prefix):
                sender = frame.sender or (side.address if side and side.address else "").ljust(12, "0")
                yield Heard((Packet("bench", kind, carrier.key, content, AT, sender),), frame.sender)
    if frame.serial is not None:
        yield Stream(frame.serial, NAMES)
    if frame.line is not None:
        yield Stream(frame.line.encode(), NAMES, text=True)


@pytest.mark.parametrize("name", PROFILES.names)
def test_a_golden_frame_says_on_the_bench_what_it_states(name: str) -> None:
    profile = PROFILES[name]
    relays = profile.file.serial is not None and profile.file.serial.relays is not None
    for frame in profile.file.golden:
        profiles = Profiles((PROFILES[each] for each in PROFILES.names), lambda _, key=frame.key: key)  # type: ignore[misc]
        bench = Bench(profiles, lambda _, key=frame.key: key)  # type: ignore[misc]
        for asked_of in () if relays else carried(profile, frame):
            told, *more = devices(bench.read(asked_of), profiles, Numbers())
            if frame.refused:
                assert not told.occurrences
                continue
            values = {metric: value for metric, value in told.values.items() if value is not None}
            assert (told.profile, more, values) == (name, [], dict(frame.values)), frame.name
            assert told.auth == frame.auth.value
            assert len(told.errors) == len(frame.absurd)


octets = st.one_of(
    st.binary(max_size=80),
    st.builds(lambda before, behind: before + SERIAL + behind, st.binary(max_size=9), st.binary(max_size=9)),
    st.builds(lambda at, byte: BAND[:at] + bytes([byte]) + BAND[at:], st.integers(0, len(BAND)), st.integers(0, 255)),
)


def advert(content: bytes) -> Heard:
    sections = walk(content)
    return Heard(tuple(sections.packets("bench", AT, ADDRESS)), ADDRESS, "", sections)


def section(content: bytes) -> Heard:
    return Heard((Packet("bench", PacketKind.MANUFACTURER, 0xFFFF, content, AT, ADDRESS),), ADDRESS)


def quarantined(content: bytes, reason: str, link: str) -> Quarantined:
    return Quarantined("2026-11-23T08:00:00.000Z", link, reason, content.hex())


asked = st.one_of(
    st.builds(advert, octets),
    st.builds(section, octets),
    st.builds(Stream, octets, st.just(NAMES), st.booleans()),
    st.builds(quarantined, octets, st.sampled_from([*Refusal, "absurd steps"]), st.sampled_from(["serial:a", "ble:a"])),
)


@settings(max_examples=300)
@given(asked)
def test_it_says_something_of_anything(given: Given) -> None:
    read = BENCH.read(given)
    told = devices(read, PROFILES, Numbers())
    assert told
    assert msgspec.json.decode(msgspec.json.encode(told))
    lines = list(Sheet(PROFILES, lambda _: None).lines(read))
    assert lines
    assert all(line.isprintable() for line in lines)
    assert (lines[-1] == "nothing recognised") is not read.decoded
    if not read.decoded:
        assert not any(device.values or device.occurrences for device in told)


@given(st.binary(max_size=30), st.integers(0, len(SERIAL) - 1), st.integers(1, 255))
def test_a_frame_that_does_not_check_yields_nothing(before: bytes, at: int, flip: int) -> None:
    broken = SERIAL[:at] + bytes([SERIAL[at] ^ flip]) + SERIAL[at + 1 :]
    (told,) = devices(BENCH.read(Stream(broken, ("398-reference",))), PROFILES, Numbers())
    assert (told.values, told.occurrences) == ({}, ())


@given(st.binary(max_size=20).filter(lambda octets: b"\xa5" not in octets), st.binary(max_size=20))
def test_a_good_frame_is_read_whatever_stands_before_it(before: bytes, behind: bytes) -> None:
    told = devices(BENCH.read(Stream(before + SERIAL + behind, ("398-reference",))), PROFILES, Numbers())
    assert told[0].device == "00010203"
    assert told[0].occurrences[0].repeat_key == "17"
