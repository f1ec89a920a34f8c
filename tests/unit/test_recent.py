"""What was heard lately is all there, in its order, and never more of it than the bounds allow."""

from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.base import Instant, Packet, PacketKind
from gateway.recent import CHUNK, KEPT_MS, Entry, Recent


def packet(ms: int, payload: bytes = b"\x98\x03", link: str = "ble:a") -> Packet:
    return Packet(link, PacketKind.MANUFACTURER, 0xFFFF, payload, Instant(ms, ms), "c09800000001", -60)


def kept(recent: Recent, number: int = 0) -> list[Entry]:
    return [entry for chunk in recent.since(number) for entry in chunk.entries()]


def test_what_is_added_comes_back_as_it_was() -> None:
    recent, name = Recent(), Packet("s", PacketKind.FRAME, "p", b"", Instant(1, 2), None, None, "名字")
    recent.add(packet(1), "00000001")
    recent.add(name, None)
    recent.add(packet(3, b""), None, "checksum")
    recent.turn(4)
    assert kept(recent) == [Entry(packet(1), "00000001"), Entry(name), Entry(packet(3, b""), None, "checksum")]


def test_what_was_read_is_not_read_again() -> None:
    recent = Recent()
    for ms in range(5):
        recent.add(packet(ms))
        recent.turn(ms)
    assert [entry.packet.received.mono_ms for entry in kept(recent, 3)] == [3, 4]
    assert kept(recent, 5) == []


def test_turning_without_anything_new_makes_no_chunk() -> None:
    recent = Recent()
    recent.turn(1)
    recent.turn(2)
    assert list(recent.since(0)) == []


def test_half_a_minute_is_kept_and_no_more() -> None:
    recent = Recent()
    for ms in range(0, 100_000, 1_000):
        recent.add(packet(ms))
        recent.turn(ms)
    times = [entry.packet.received.mono_ms for entry in kept(recent)]
    assert times == list(range(99_000 - KEPT_MS, 100_000, 1_000))


def test_silence_is_forgotten_as_well() -> None:
    recent = Recent()
    recent.add(packet(0))
    recent.turn(0)
    recent.turn(KEPT_MS + 1)
    assert kept(recent) == []


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 300), st.integers(0, 5_000)), max_size=60))
def test_whatever_comes_the_bytes_are_bounded_and_the_latest_are_kept_whole(
    bursts: list[tuple[int, int, int]],
) -> None:
    cap, now, added = 3 * CHUNK, 0, 0
    recent = Recent(cap)
    for size, count, pause in bursts:
        for _ in range(count):
            recent.add(packet(added, bytes(size)))
            added += 1
        now += pause
        recent.turn(now)
        assert sum(len(chunk.packed) for chunk in recent.since(0)) <= cap
        assert len(recent._open) < CHUNK
    numbers = [entry.packet.received.mono_ms for entry in kept(recent)]
    assert numbers == list(range(added - len(numbers), added))
