"""Which rows are poison: only those turned away again and again while others were taken."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.refusals import STRIKES, WAIT_MAX_S, Refusals
from gateway.rows import Row


def row(seq: int) -> Row:
    return Row(seq, f"aaaa0000-{seq}", None, 0, "topic", b"payload")


def test_a_row_is_poison_when_it_alone_is_turned_away() -> None:
    refusals = Refusals(5.0)
    verdicts = []
    for _ in range(STRIKES):
        verdicts.append(refusals.poison(refusals.strike(row(1), 0x99, "")))
        refusals.take(2)
    assert verdicts == [False, False, True]


def test_where_nothing_is_taken_no_row_is_to_blame() -> None:
    refusals = Refusals(5.0)
    refusals.take(9)  # before the first refusal, which says nothing
    struck = [refusals.strike(row(seq), 0x87, "") for _ in range(20) for seq in (1, 2, 3)]
    assert not any(map(refusals.poison, struck))


def test_a_row_waits_longer_each_time_and_begins_anew_once_it_was_taken() -> None:
    refusals = Refusals(5.0)
    refusals.strike(row(1), 0x87, "")
    assert [refusals.wait_s(1) for _ in range(6)] == [5.0, 10.0, 20.0, 40.0, WAIT_MAX_S, WAIT_MAX_S]
    assert refusals.take(1)
    assert not refusals.take(1)
    assert refusals.wait_s(1) == 5.0


@given(st.lists(st.tuples(st.integers(1, 4), st.booleans())))
def test_what_is_listed_was_refused_and_not_taken_since(steps: list[tuple[int, bool]]) -> None:
    refusals, wanted = Refusals(5.0), set[int]()
    for seq, taken in steps:
        if taken:
            assert refusals.take(seq) is (seq in wanted)
            wanted.discard(seq)
        else:
            refusals.strike(row(seq), 0x87, "no")
            wanted.add(seq)
    assert [refused.row.seq for refused in refusals.listed()] == sorted(wanted)
    assert len(refusals) == len(wanted)
    assert all(seq in refusals for seq in wanted)
