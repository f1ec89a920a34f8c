"""What is new in an advert is passed on, what is not costs little, and no number of addresses costs memory."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.base import Instant, Packet, PacketKind
from drivers.ble import adverts
from drivers.ble.adverts import DEVICES, REPEAT_MS, Adverts, canonical, spelt
from tests.support.radio import Heard as Advert

ADDRESS, COMPANY, UUID = "C0:98:00:01:02:03", 0xFFFF, "0000fcd2-0000-1000-8000-00805f9b34fb"
KNOWN = {(PacketKind.MANUFACTURER, COMPANY), (PacketKind.MANUFACTURER, 1), (PacketKind.SERVICE_DATA, UUID)}


def ears() -> Adverts:
    return Adverts("ble:hci0", lambda kind, key: (kind, key) in KNOWN)


def told(heard: Adverts, advert: Advert, ms: int = 0, address: str = ADDRESS) -> list[tuple[int | str, bytes]]:
    return [(packet.key, packet.payload) for packet in heard.packets(address, advert, Instant(1_000 + ms, ms))]


def test_every_section_that_a_profile_knows_is_a_packet() -> None:
    service = {UUID: b"three", "0" * 36: b"another's"}
    advert = Advert({COMPANY: b"one", 0x004C: b"a phone", 1: b"two"}, service, rssi=-71)
    packets = list(ears().packets(ADDRESS, advert, Instant(1_000, 5)))
    at, sender = Instant(1_000, 5), "c09800010203"
    assert packets == [
        Packet("ble:hci0", PacketKind.MANUFACTURER, COMPANY, b"one", at, sender, -71),
        Packet("ble:hci0", PacketKind.MANUFACTURER, 1, b"two", at, sender, -71),
        Packet("ble:hci0", PacketKind.SERVICE_DATA, UUID, b"three", at, sender, -71),
    ]


def test_only_the_section_that_changed_is_told() -> None:
    heard = ears()
    told(heard, Advert({COMPANY: b"one", 1: b"still"}, {UUID: b"three"}))
    assert told(heard, Advert({COMPANY: b"two", 1: b"still"}, {UUID: b"three"}), 10) == [(COMPANY, b"two")]
    assert told(heard, Advert({COMPANY: b"two", 1: b"still"}, {UUID: b"four"}), 20) == [(UUID, b"four")]
    assert told(heard, Advert({COMPANY: b"one", 1: b"still"}, {UUID: b"four"}), 30) == [(COMPANY, b"one")]
    assert heard.repeated == 0


def test_what_says_nothing_new_is_told_now_and_then_to_keep_it_alive() -> None:
    heard, advert = ears(), Advert({COMPANY: b"one"}, {UUID: b"two"})
    times = [ms for ms in range(0, 3 * REPEAT_MS, 200) if told(heard, advert, ms)]
    assert times == [0, REPEAT_MS, 2 * REPEAT_MS]
    assert heard.repeated == 3 * REPEAT_MS // 200 - 3


def test_on_the_bench_every_copy_is_told() -> None:
    heard, advert = Adverts("ble:hci0", lambda *_: True, repeat_ms=0), Advert({2: b"one"})
    assert [told(heard, advert, ms) for ms in (0, 1, 1)] == [[(2, b"one")]] * 3
    assert heard.repeated == 0


def test_a_section_that_stays_is_told_beside_one_that_changes_all_the_time() -> None:
    heard = ears()
    said = [told(heard, Advert({COMPANY: bytes([ms // 500]), 1: b"still"}), ms) for ms in range(0, 2 * REPEAT_MS, 500)]
    assert [number for number, sections in enumerate(said) if (1, b"still") in sections] == [0, REPEAT_MS // 500]
    assert all(sections[0][0] == COMPANY for sections in said)


def test_devices_are_told_apart() -> None:
    heard, advert = ears(), Advert({COMPANY: b"one"})
    assert told(heard, advert, address="C0:98:00:00:00:01") == told(heard, advert, address="C0:98:00:00:00:02") != []


def test_a_phone_passing_by_is_not_remembered() -> None:
    heard = ears()
    for number in range(1_000):
        assert told(heard, Advert({0x004C: b"phone"}), address=spelt(f"{number:012x}")) == []
    assert len(heard) == 0


def test_a_device_that_is_heard_survives_the_crowd_and_a_silent_one_is_forgotten() -> None:
    heard, advert = ears(), Advert({COMPANY: b"one"})
    told(heard, advert)
    silent = "C0:00:00:00:00:00"
    told(heard, advert, address=silent)
    for number in range(3 * DEVICES):
        told(heard, advert, 1, spelt(f"{number:012x}"))
        if number % (DEVICES // 2) == 0:
            assert told(heard, advert, 1) == []
    assert told(heard, advert, 2) == []
    assert told(heard, advert, 2, silent) == [(COMPANY, b"one")]


def test_however_many_addresses_pass_no_more_are_remembered() -> None:
    heard, most = ears(), 0
    for number in range(5 * DEVICES):
        told(heard, Advert({COMPANY: number.to_bytes(14)}), address=spelt(f"{number:012x}"))
        most = max(most, len(heard))
    assert most == 2 * DEVICES


@given(st.lists(st.tuples(st.integers(0, 3), st.binary(max_size=2), st.integers(0, 8_000)), max_size=60))
def test_whatever_comes_the_last_word_of_a_section_was_told(said: list[tuple[int, bytes, int]]) -> None:
    """A listener that keeps the latest packet of each section always knows what BlueZ would say."""
    heard, air, known, now = ears(), dict[int, bytes](), dict[int | str, bytes](), 0
    for key, payload, later in said:
        air[(COMPANY, 1, 2, 3)[key]] = payload
        now += later
        known |= dict(told(heard, Advert(dict(air)), now))
        assert known == {company: value for company, value in air.items() if company in (COMPANY, 1)}


def test_addresses_are_written_both_ways() -> None:
    assert canonical(ADDRESS) == "c09800010203"
    assert spelt("c09800010203") == ADDRESS
    assert adverts.UNHEARD == -127
