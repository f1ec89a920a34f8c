"""Whatever the disk does, what is written is taken, in its place, and reaches the file as it is once it can."""

import sqlite3
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import StorageFailed
from gateway.model import Draft, Drop, Put
from gateway.rows import THINNED, Row
from gateway.standby import UNKNOWN, Standby, Upkeep
from gateway.store import Store
from tests.support.drafts import draft, on_disk, shed, standby
from tests.support.inside import allow

AMPLE = 1 << 20
EVERYTHING = 1 << 40


def made(folder: Path) -> Store:
    return Store(folder / "a.db", "aaaa0000")


def refuse(store: Store, *, refuses: bool = True) -> None:
    store._db.execute(f"PRAGMA query_only = {int(refuses)}")


def ids(rows: list[Row]) -> list[str]:
    return [row.id for row in rows]


def test_records_and_deletions_of_the_meantime_reach_the_file_with_the_rows(tmp_path: Path) -> None:
    store = made(tmp_path)
    it = standby(store)
    it.write([draft("a"), draft("b")], [Put("s", "old", b"1"), Put("s", "gone", b"1")], set())
    refuse(store)
    it.write([draft("c"), draft("d")], [Put("s", "old", b"2"), Drop("s", "gone")], {1})
    it.write([], [Put("s", "new", b"3")], {3})
    assert ids(it.read(0, 10)) == ["aaaa0000-2", "cccc0000-2"]
    assert it.level().count == 2
    assert not it.mend(at_once=True)
    refuse(store, refuses=False)
    assert it.mend(at_once=True)
    assert ids(store.read(0, 10)) == ["aaaa0000-2", "cccc0000-2"]
    assert store.records("s") == {"old": b"2", "new": b"3"}
    (row,) = it.write([draft("e")], [], set())
    assert (row.seq, row.id) == (5, "aaaa0000-3")


def test_what_can_wait_makes_no_epoch(tmp_path: Path) -> None:
    store = made(tmp_path)
    it = standby(store)
    it.write([draft("a")], [], set())
    refuse(store)
    with pytest.raises(StorageFailed, match="readonly"):
        it.write([], [], {1})
    assert it.taking is store


def test_a_full_disk_that_can_be_relieved_takes_it_at_once(tmp_path: Path) -> None:
    store = made(tmp_path)
    allow(store, 12)

    def relieve() -> bool:
        allow(store, AMPLE)
        return True

    it = standby(store, relieve=relieve)
    (row,) = it.write([draft("x" * 100_000)], [], set())
    assert (row.id, it.trouble) == ("aaaa0000-1", None)


def test_room_that_is_kept_for_others_is_not_taken(tmp_path: Path) -> None:
    store, low = made(tmp_path), [True]
    it = standby(store, 16 << 20, spared=lambda: low[0])
    (row,) = it.write([draft("a")], [], set())
    assert row.id == "cccc0000-1"
    assert not it.mend(at_once=True)
    low[0] = False
    assert it.mend(at_once=True)
    assert ids(store.read(0, 10)) == ["cccc0000-1"]


def test_in_memory_the_oldest_give_way_and_a_gap_says_so(tmp_path: Path) -> None:
    store = made(tmp_path)
    it = standby(store, 64 << 20, spared=lambda: True)
    for _ in range(30):
        it.write([draft("x" * 500_000)], [], set())
        it.hold()
    rows = it.read(0, 1_000)
    gaps = [row.payload.split()[1:] for row in rows if row.subject == "gap"]
    assert sum(row.size for row in rows) <= 8 << 20
    told = {number for _, _, span, _ in gaps for number in _span(span)}
    assert told | {int(row.id.split("-")[1]) for row in rows} == set(range(1, it.taking.next))


def _span(text: bytes) -> range:
    first, last = text.split(b"..")
    return range(int(first), int(last) + 1)


def test_a_backlog_that_has_filled_the_disk_gives_way_to_what_comes(tmp_path: Path) -> None:
    store, low = made(tmp_path), [False]
    it = standby(store, 64 << 20, spared=lambda: low[0])
    it.write([draft("x" * 100_000) for _ in range(200)], [], set())
    low[0] = True
    before = on_disk(store.path)
    for _ in range(3):
        it.write([draft("new")], [], set())
        it.hold()
    assert on_disk(store.path) < before * 8 // 10
    low[0] = False
    assert it.mend(at_once=True)
    rows = it.read(0, 1_000)
    assert rows[0].seq > 1
    assert sum(row.payload.endswith(b"new") for row in rows) == 3


def test_a_file_that_turns_out_damaged_is_left_for_a_new_one_and_places_go_on(tmp_path: Path) -> None:
    store = made(tmp_path)

    def reopen(place: int):  # type: ignore[no-untyped-def]
        return Store(tmp_path / "b.db", "bbbb0000", place=place), [draft("gap", "gap")]

    it = Standby(store, None, Upkeep(shed, lambda _: None, lambda: "cccc0000", reopen))
    it.write([draft("a"), draft("b")], [], set())
    store._db.execute("UPDATE row SET payload = x'00' WHERE seq = 2")
    assert ids(it.read(0, 10)) == ["bbbb0000-1"]
    (row,) = it.write([draft("c")], [], set())
    assert (row.seq, row.id) == (4, "bbbb0000-2")


def test_a_file_that_cannot_be_had_at_first_is_taken_up_later_with_all_it_held(tmp_path: Path) -> None:
    earlier = made(tmp_path)
    earlier.write([draft("old")], [], [], 0)
    earlier.close()

    def reopen(place: int):  # type: ignore[no-untyped-def]
        return Store(tmp_path / "a.db", "dddd0000", place=place), []

    it = Standby(None, None, Upkeep(shed, lambda _: None, lambda: "cccc0000", reopen), "it is not there")
    (row,) = it.write([draft("a")], [], set())
    assert (row.seq, row.id, str(it.trouble)) == (UNKNOWN, "cccc0000-1", "it is not there")
    assert ids(it.read(it.before, 10)) == ["cccc0000-1"]
    assert it.mend(at_once=True)
    assert ids(it.read(it.before, 10)) == ["cccc0000-1", "aaaa0000-1"]
    (row,) = it.write([draft("b")], [], {row.seq})
    assert (row.seq, row.id) == (2, "aaaa0000-2")


def test_what_is_in_memory_alone_at_the_end_is_said(tmp_path: Path) -> None:
    store = made(tmp_path)
    it = standby(store)
    refuse(store)
    it.write([draft("a")], [], set())
    refuse(store, refuses=False)
    with pytest.raises(StorageFailed, match="1 messages were in memory alone"):
        it.close()


@settings(max_examples=30)
@given(st.lists(st.sampled_from(["write", "settle", "refuse", "allow", "mend", "damage"]), max_size=30))
def test_whatever_the_disk_does_every_row_is_read_once_until_it_is_settled(
    tmp_path_factory: pytest.TempPathFactory, plan: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("standby")
    store = made(folder)
    epochs = iter(f"{number:08x}" for number in range(1, 100))
    it = Standby(store, None, Upkeep(shed, lambda _: None, lambda: next(epochs), lambda _: (made(folder), [])))
    known: dict[int, Row] = {}
    for step in plan:
        match step:
            case "write":
                known |= {row.seq: row for row in it.write([draft(), draft()], [], set())}
            case "settle" if known:
                seq = min(known)
                try:
                    it.write([draft()], [], {seq})
                except StorageFailed:
                    continue
                del known[seq]
                known[it.last] = it.read(it.last - 1, 1)[0]
            case "refuse" | "allow":
                refuse(store, refuses=step == "refuse")
            case "mend":
                it.mend(at_once=True)
        assert it.read(it.before, 1_000) == [known[seq] for seq in sorted(known)]
        assert it.level().count == len(known)
    assert len({row.id for row in known.values()}) == len(known)
    assert isinstance(store._db, sqlite3.Connection)


class Ledger:
    """A lane with a small cap, and every number that it has ever given."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "a.db", "aaaa0000", log_max=256 << 10)
        self.low = False
        self._epochs = (f"{number:08x}" for number in range(1, 100))
        upkeep = Upkeep(gone, halved, lambda: next(self._epochs), self._reopen, spared=lambda: self.low)
        self.it = Standby(self.store, 1 << 20, upkeep)
        self.given: set[str] = set()
        self.settled: set[str] = set()

    def _reopen(self, place: int) -> tuple[Store, list[Draft]]:
        raise AssertionError("the file is sound")

    def write(self, settled: list[Row]) -> None:
        try:
            self.it.write([draft("x" * 10_000) for _ in range(10)], [], {row.seq for row in settled})
        finally:
            self.it.hold()
        self.settled |= {row.id for row in settled}

    def audit(self) -> list[Row]:
        """What is there; every number is, or was settled, or a gap tells of it, and of no more than was given."""
        rows = self.it.read(self.it.before, 10_000)
        for standing in (store.standing for store in self.it._stores):
            self.given |= {f"{standing.epoch}-{number}" for number in range(1, standing.next)}
        told = [row.payload.split()[2:5] for row in rows if row.subject == "gap"]
        lost = {f"{epoch.decode()}-{number}" for epoch, span, _ in told for number in _span(span)}
        assert {row.id for row in rows} | self.settled | lost == self.given
        assert len({row.seq for row in rows}) == len({row.id for row in rows}) == len(rows)
        assert self.it.level().count == len(rows)
        return rows


def gone(rows: Sequence[Row]) -> list[Draft]:
    """The gaps, each of one epoch."""
    return [gap for _, group in groupby(rows, lambda row: row.epoch) for gap in shed(list(group))]


def halved(rows: Sequence[Row]) -> list[Draft] | None:
    """Stands for thinning: of two rows one stays, and what is too little does not."""
    if len(rows) < 4:
        return None
    return [*gone(rows), *(draft("x" * 10_000, THINNED) for _ in rows[::2])]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["write", "settle", "low", "ample", "refuse", "allow", "mend"]), max_size=40))
def test_whatever_is_thinned_and_shed_every_number_is_there_or_settled_or_told(
    tmp_path_factory: pytest.TempPathFactory, plan: list[str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.standby.MEMORY_CAP", 200 << 10)
        ledger = Ledger(tmp_path_factory.mktemp("thin"))
        for step in plan:
            match step:
                case "write":
                    ledger.write([])
                    ledger.write([])
                case "settle":
                    ledger.write([row for row in ledger.audit() if row.subject != "gap"][:3])
                case "low" | "ample":
                    ledger.low = step == "low"
                case "refuse" | "allow":
                    refuse(ledger.store, refuses=step == "refuse")
                case "mend":
                    ledger.it.mend(at_once=True)
            ledger.audit()
        ledger.low = False
        refuse(ledger.store, refuses=False)
        ledger.it.mend(at_once=True)
        ledger.write([])
        ledger.audit()
        while ledger.it.give_back():
            pass
        assert on_disk(ledger.store.path) <= 1 << 20


def test_a_full_disk_is_relieved_by_thinning_in_the_file_and_the_file_keeps_its_places_apart(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    for _ in range(5):
        ledger.write([])
    ledger.low = True
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.standby.MEMORY_CAP", 200 << 10)
        ledger.write([])
    thin = [row for row in ledger.audit() if row.subject == THINNED]
    assert [row.epoch for row in thin] == ["aaaa0000"] * len(thin)
    assert len(thin) > 0
    assert max(row.seq for row in thin) < ledger.it.last - 8
    ledger.low = False
    assert ledger.it.mend(at_once=True)
    ledger.audit()
