"""What was set aside is known by its id, whatever places the lane has given anew since."""

from gateway.aside import MOST, SPACE, Aside
from gateway.model import Drop, Put
from gateway.refusals import Refused
from gateway.rows import Row
from gateway.standby import UNKNOWN
from tests.support.drafts import shed


def row(seq: int, epoch: str = "aaaa0000") -> Row:
    return Row(seq, f"{epoch}-{seq}", None, 0, "topic", b"payload")


def opened(kept: dict[str, bytes]) -> Aside:
    return Aside(lambda given: shed([given])[0], kept, lambda: 0)


def test_after_a_restart_it_is_there_and_shares_its_place_with_no_row_of_the_lane() -> None:
    kept: dict[str, bytes] = {}
    for seq in (UNKNOWN, 7, 9):
        (put,) = opened({}).keep(Refused(row(seq), 0x87, "Not authorized", 3, 0))
        assert isinstance(put, Put)
        kept[put.key] = put.value
    again = opened(kept)
    found = [each.row for each in again]
    assert [each.id for each in found] == [row(seq).id for seq in (UNKNOWN, 7, 9)]
    assert len({each.seq for each in found}) == 3
    assert all(each.seq < UNKNOWN for each in found)
    assert row(7) in again
    assert row(7, "bbbb0000") not in again
    assert again.drop(found[1]) == [Drop(SPACE, "aaaa0000-7")]
    assert again.drop(found[1]) == []


def test_beyond_its_bound_the_oldest_is_dropped() -> None:
    aside = opened({})
    for seq in range(1, MOST + 1):
        assert len(aside.keep(Refused(row(seq), 0x87, "", 3, 0))) == 1
    assert aside.keep(Refused(row(MOST + 1), 0x87, "", 3, 0))[1:] == [Drop(SPACE, "aaaa0000-1")]
    assert len(aside) == MOST
