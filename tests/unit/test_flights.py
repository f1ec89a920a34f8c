"""What is under way, and whether another row has room beside it."""

from gateway.flights import Flights
from gateway.pace import Pace
from gateway.rows import Row


def row(seq: int, size: int = 100) -> Row:
    return Row(seq, f"aaaa0000-{seq}", None, 0, "", b"x" * (size - 64))


def flying(*rows: Row, messages: int = 10, octets: int = 1_000) -> Flights:
    flights = Flights(messages, Pace(octets, None))
    for each in rows:
        flights.begin(each, 0.0)
    return flights


def test_it_is_full_in_messages_or_in_bytes_and_one_row_always_has_room() -> None:
    assert not flying().full(row(1, 5_000))
    assert not flying(row(1), messages=2).full(row(2))
    assert flying(row(1), row(2), messages=2).full(row(3))
    assert not flying(row(1, 999)).full(row(2))
    flights = flying(row(1, 1_000))
    assert flights.full(row(2))
    assert flights.answered(1, 0.0) == row(1, 1_000)
    assert not flights.full(row(2))


def test_an_answer_is_to_what_is_under_way_or_to_nothing() -> None:
    flights = flying(row(1))
    assert flights.answered(2, 0.0) is None
    assert flights.answered(1, 0.0) == row(1)
    assert flights.answered(1, 0.0) is None
    assert (len(flights), 1 in flights) == (0, False)


def test_alone_is_one_and_no_other() -> None:
    assert flying().alone() is None
    assert flying(row(3)).alone() == row(3)
    assert flying(row(3), row(4)).alone() is None


def test_suspects_fly_alone_and_those_behind_them_together() -> None:
    flights = flying(row(3), row(4))
    flights.suspect()
    flights.clear()
    assert len(flights) == 0
    for seq in (3, 4):
        assert not flights.full(row(seq))
        flights.begin(row(seq), 0.0)
        assert flights.full(row(seq + 1))
        flights.answered(seq, 0.0)
    flights.begin(row(5), 0.0)
    assert not flights.full(row(6))
    assert flights.full(row(3))  # one that comes back waits until it can be alone
