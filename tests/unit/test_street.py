import random
from collections import Counter

from gateway.cli.street import Code, Kind, Street, Wearable, advert_line, serial_frame

GOLDEN = Wearable(0x00010203, counter=17, code=Code.SOS)


def test_the_street_speaks_the_reference_format_to_the_byte():
    payload = GOLDEN.payload(Kind.EVENT)
    assert payload.hex() == "0311000109584861f00c6810"
    assert serial_frame(0x00010203, payload).hex() == "a55a1103020100bd0311000109584861f00c681084b0"
    assert b'"payload": "98030311000109584861f00c6810"' in advert_line(GOLDEN.address, payload)


def test_a_press_is_on_the_air_every_200_ms_for_10_s_and_then_repeated_by_every_heartbeat():
    street = Street([Wearable(1), Wearable(2)], random.Random(1))
    street.begin(0.0)
    street.press(0, Code.SOS, 1.0)
    kinds: Counter[tuple[int, int]] = Counter()
    for tick in range(2_101):
        for band, payload in street.frames(tick / 100):
            kinds[band.number, payload[0]] += 1
            if band.number == 1 and tick >= 100:
                assert payload[1:4] == b"\x01\x00\x01"
    assert kinds[1, Kind.EVENT] in (50, 51)
    assert kinds[2, Kind.EVENT] == 0
    assert kinds[2, Kind.VITALS] in (10, 11)


def test_the_event_number_wraps_to_1_and_begins_again_at_power_up():
    band = Wearable(1, counter=65_535)
    assert band.press(Code.SOS, 0.0) == 1
    band.restart()
    assert band.payload(Kind.HEARTBEAT)[1:4] == b"\0\0\0"
