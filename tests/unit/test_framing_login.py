"""login: what a device said of itself once stands before all that it sends after that."""

from drivers.checksum import CHECKSUMS
from drivers.framing import Check, Counts, LengthFraming, LoginFraming, Tail
from tests.support.streams import broken, heard, one_by_one

TAIL = Tail(Check(CHECKSUMS["CRC-16/IBM-SDLC"], 2), b"\r\n")
PLAIN = LengthFraming(b"xx", 2, 1, "big", Counts.BODY_AND_CHECKSUM, TAIL, 80)
GT06 = LoginFraming(PLAIN, b"\x01", 1, 8)
NOBODY = bytes(8)
LOGIN = PLAIN.wrap(bytes.fromhex("010123456789012345 0001"))
ALARM = PLAIN.wrap(bytes.fromhex("16ff0002"))
DEVICE = bytes.fromhex("0123456789012345")


def test_what_follows_a_login_is_of_that_device() -> None:
    stream = LOGIN + ALARM + ALARM
    bodies = [bytes.fromhex("010123456789012345 0001"), bytes.fromhex("16ff0002"), bytes.fromhex("16ff0002")]
    expected = [DEVICE + body for body in bodies]
    assert heard(GT06, [stream]) == heard(GT06, one_by_one(stream)) == expected


def test_before_a_login_zeros_stand_for_the_device_and_nothing_waits() -> None:
    assert heard(GT06, [ALARM]) == [NOBODY + bytes.fromhex("16ff0002")]


def test_a_line_opened_again_knows_nobody() -> None:
    assert heard(GT06, [LOGIN])[0][:8] == DEVICE
    assert heard(GT06, [ALARM])[0][:8] == NOBODY


def test_a_broken_login_names_nobody_and_a_short_one_neither() -> None:
    short = PLAIN.wrap(b"\x01\x01\x02")
    found = heard(GT06, [broken(LOGIN), short, ALARM])
    assert found[1:] == [NOBODY + b"\x01\x01\x02", NOBODY + bytes.fromhex("16ff0002")]
    assert found[0][0] == "no_end"


def test_a_later_login_takes_over() -> None:
    other = PLAIN.wrap(bytes.fromhex("010999999999999999 0001"))
    assert heard(GT06, [LOGIN, other, ALARM])[2][:8] == bytes.fromhex("0999999999999999")


def test_a_body_is_written_without_the_id() -> None:
    assert GT06.wrap(DEVICE + bytes.fromhex("16ff0002")) == ALARM
    assert GT06.claims(ALARM)
    assert GT06.explain(ALARM[:5]) == "claims 11 bytes, 5 are there"
