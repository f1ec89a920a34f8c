import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.errors import StorageFailed, StoreDamaged
from gateway.model import Drop, Put
from gateway.rows import Row, runs
from gateway.salvage import kept
from gateway.store import Store
from tests.support.drafts import draft, on_disk

CRASHER = """
import os, signal, sys
from pathlib import Path
from gateway.store import Store
from tests.support.drafts import draft, on_disk
store = Store(Path(sys.argv[1]), "aaaa0000")
for number in range(10_000):
    rows = store.write([draft(str(number))], [], [], 0)
    print(rows[0].seq, flush=True)
"""


def test_rows_are_numbered_without_holes_and_frozen_as_they_go_out(tmp_path):
    store = Store(tmp_path / "a.db", "aaaa0000")
    rows = store.write([draft("one"), draft("two")], [], [], 5)
    assert [(row.seq, row.payload, row.made_ms) for row in rows] == [
        (1, b"aaaa0000-1 one", 5), (2, b"aaaa0000-2 two", 5)
    ]  # fmt: skip
    assert store.read(0, 10) == rows


def test_numbers_go_on_after_every_row_has_left_and_the_file_was_reopened(tmp_path):
    store = Store(tmp_path / "a.db", "aaaa0000")
    store.write([draft(), draft()], [], [], 0)
    store.write([], [], [1, 2], 0)
    store.close()
    again = Store(tmp_path / "a.db", "bbbb0000")
    assert (again.epoch, again.next, again.standing.count, again.standing.bytes, again.unclean) == (
        "aaaa0000",
        3,
        0,
        0,
        False,
    )


def test_a_file_that_was_not_closed_says_so(tmp_path):
    Store(tmp_path / "a.db", "aaaa0000").write([draft()], [], [], 0)
    assert Store(tmp_path / "a.db", "bbbb0000").unclean


def test_records_are_kept_and_dropped_in_the_transaction_of_their_rows(tmp_path):
    store = Store(tmp_path / "a.db", "aaaa0000")
    store.write([draft()], [Put("alert", "1", b"x"), Put("device", "1", b"y")], [], 0)
    store.write([], [Drop("device", "1"), Put("alert", "1", b"z")], [], 0)
    assert (store.records("alert"), store.records("device")) == ({"1": b"z"}, {})


def test_records_are_read_while_another_has_the_file_and_nothing_is_made_where_there_is_none(tmp_path):
    path = tmp_path / "a.db"
    store = Store(path, "aaaa0000")
    store.write([], [Put("alert", "1", b"one"), Put("device", "1", b"other")], [], 0)
    assert kept(path, "alert") == {"1": b"one"}
    with pytest.raises(StorageFailed, match="cannot be read"):
        kept(tmp_path / "absent.db", "alert")
    (tmp_path / "rubbish.db").write_bytes(b"rubbish" * 1_000)
    with pytest.raises(StorageFailed, match="cannot be read"):
        kept(tmp_path / "rubbish.db", "alert")
    assert sorted(found.name for found in tmp_path.glob("*.db")) == ["a.db", "rubbish.db"]


def test_a_transaction_that_fails_leaves_nothing_and_uses_no_number(tmp_path):
    store = Store(tmp_path / "a.db", "aaaa0000")
    store.write([draft()], [], [], 0)
    store._db.execute("PRAGMA query_only = 1")
    with pytest.raises(StorageFailed, match=r"a\.db"):
        store.write([draft()], [Put("alert", "1", b"x")], [1], 0)
    store._db.execute("PRAGMA query_only = 0")
    assert [row.seq for row in store.write([draft()], [], [], 0)] == [2]
    assert (store.standing.count, store.records("alert")) == (2, {})


def test_the_oldest_without_a_subject_are_found_up_to_a_size(tmp_path):
    store = Store(tmp_path / "a.db", "aaaa0000")
    store.write([draft("x" * 1_000, "kept" if number == 1 else None) for number in range(100)], [], [], 0)
    assert [row.seq for row in store.oldest(1)] == [1]
    assert [row.seq for row in store.oldest(5_000)] == [1, 3, 4, 5, 6]
    assert len(store.oldest(1 << 30)) == 99


def test_what_has_left_is_given_back_to_the_disk(tmp_path):
    store = Store(tmp_path / "a.db", "aaaa0000")
    rows = store.write([draft("x" * 10_000) for _ in range(500)], [], [], 0)
    assert on_disk(store.path) > 5_000_000
    store.write([], [], [row.seq for row in rows], 0)
    assert store.used < 100_000
    while store.give_back():
        pass
    assert on_disk(store.path) < 500_000


def test_the_log_keeps_to_its_share_but_for_one_transaction(tmp_path):
    store = Store(tmp_path / "a.db", "aaaa0000", log_max=256 << 10)
    for _ in range(200):
        rows = store.write([draft("x" * 10_000)], [], [], 0)
        store.write([], [], [row.seq for row in rows], 0)
    assert on_disk(store.path) < 512 << 10


def test_rows_from_elsewhere_keep_their_bytes_and_ids_and_new_ones_come_after_them(tmp_path):
    other = Store(tmp_path / "other.db", "0dd0ba11")
    rows = other.write([draft("a"), draft("b")], [], [], 5)
    store = Store(tmp_path / "a.db", "aaaa0000", place=2)
    store.adopt(rows, [Put("alert", "1", b"x")], ())
    (own,) = store.write([draft("c")], [], [], 6)
    assert (own.seq, own.id) == (3, "aaaa0000-1")
    assert store.read(0, 10) == [*rows, own]
    assert store.records("alert") == {"1": b"x"}


def test_places_below_zero_go_behind_the_others_when_the_file_is_opened(tmp_path):
    store = Store(tmp_path / "a.db", "aaaa0000")
    store.write([draft("a")], [], [], 0)
    store.adopt([Row(-(1 << 62), "cccc0000-1", None, 0, "topic", b"m")], [], ())
    assert [row.id for row in store.read(-(1 << 63), 10)] == ["cccc0000-1", "aaaa0000-1"]
    store.close()
    again = Store(tmp_path / "a.db", "bbbb0000")
    (last,) = again.write([draft("b")], [], [], 0)
    assert [row.id for row in again.read(0, 10)] == ["aaaa0000-1", "cccc0000-1", last.id]
    assert last.id == "aaaa0000-2"


@pytest.mark.parametrize("of", ["row SET payload = x'00'", "row SET topic = 7", "record SET value = x'01'"])
def test_what_is_not_as_it_was_written_is_damage(tmp_path, of):
    store = Store(tmp_path / "a.db", "aaaa0000")
    store.write([draft("a")], [Put("alert", "1", b"x")], [], 0)
    store._db.execute(f"UPDATE {of}")
    with pytest.raises(StoreDamaged, match="not as it was written"):
        (store.read(0, 10), store.records("alert"))
    store.abandon()
    with pytest.raises(StoreDamaged, match="not as it was written"):
        Store(tmp_path / "a.db", "aaaa0000")


def test_a_log_that_has_lost_what_a_killed_process_had_committed_is_damage(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", CRASHER, str(tmp_path / "a.db")], stdout=subprocess.PIPE, text=True
    ) as crasher:
        for _ in range(20):
            crasher.stdout.readline()
        crasher.send_signal(signal.SIGKILL)
    log = tmp_path / "a.db-wal"
    octets = bytearray(log.read_bytes())
    octets[len(octets) // 2] ^= 1
    log.write_bytes(octets)
    with pytest.raises(StoreDamaged, match="has lost"):
        Store(tmp_path / "a.db", "aaaa0000")


def test_waiting_rows_of_each_alert_are_counted(tmp_path):
    store = Store(tmp_path / "a.db", "aaaa0000")
    store.write([draft(subject="a"), draft(subject="a"), draft(subject="b"), draft()], [], [], 7)
    store.write([], [], [2], 8)
    assert (store.subjects(), store.oldest_ms()) == ({"a": 1, "b": 1}, 7)


def test_what_is_no_database_is_damaged_and_what_cannot_be_opened_is_not(tmp_path):
    (tmp_path / "a.db").write_bytes(os.urandom(8192))
    with pytest.raises(StoreDamaged):
        Store(tmp_path / "a.db", "aaaa0000")
    with pytest.raises(StorageFailed) as failed:
        Store(tmp_path / "no" / "a.db", "aaaa0000")
    assert not isinstance(failed.value, StoreDamaged)


def test_what_a_killed_process_had_committed_is_there(tmp_path):
    for round_ in range(5):
        path = tmp_path / f"{round_}.db"
        with subprocess.Popen([sys.executable, "-c", CRASHER, str(path)], stdout=subprocess.PIPE, text=True) as crasher:
            seen = [int(crasher.stdout.readline()) for _ in range(20 + 37 * round_)]
            crasher.send_signal(signal.SIGKILL)
            seen += [int(line) for line in crasher.stdout.read().split()]
        store = Store(path, "bbbb0000")
        rows = [row.seq for row in store.read(0, 20_000)]
        assert rows == list(range(1, store.next))
        assert set(seen) <= set(rows)


@given(st.sets(st.integers(0, 60)))
def test_runs_hold_each_number_once_and_have_no_hole_in_common(numbers):
    found = list(runs(numbers))
    assert [number for first, last in found for number in range(first, last + 1)] == sorted(numbers)
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(found))


class Life(RuleBasedStateMachine):
    """Writes, settlements and crashes against a plain model."""

    @initialize(folder=st.integers(0, 2**62))
    def begin(self, folder):
        self.path = f"/tmp/test-store-{os.getpid()}-{folder}"
        os.makedirs(self.path)
        self.open()
        self.rows, self.next = {}, 1

    def open(self):
        from pathlib import Path  # noqa: PLC0415

        self.store = Store(Path(self.path) / "a.db", "aaaa0000")

    @rule(texts=st.lists(st.text(max_size=5), max_size=4))
    def write(self, texts):
        for row in self.store.write([draft(text) for text in texts], [], [], 0):
            assert row.seq == self.next
            self.rows[row.seq] = row.payload
            self.next += 1

    @rule(seqs=st.lists(st.integers(1, 30), max_size=5))
    def settle(self, seqs):
        self.store.write([], [], seqs, 0)
        for seq in seqs:
            self.rows.pop(seq, None)

    @rule(clean=st.booleans())
    def reopen(self, clean):
        if clean:
            self.store.close()
        else:
            self.store._db.close()
        self.open()
        assert self.store.unclean is not clean

    @invariant()
    def as_the_model(self):
        if hasattr(self, "store"):
            assert {row.seq: row.payload for row in self.store.read(0, 1_000)} == self.rows
            assert self.store.standing.count == len(self.rows)
            assert self.store.standing.bytes == sum(row.size for row in self.store.read(0, 1_000))

    def teardown(self):
        if hasattr(self, "store"):
            self.store._db.close()
            shutil.rmtree(self.path)


Life.TestCase.settings = settings(max_examples=25, stateful_step_count=15)
test_any_sequence_agrees_with_a_plain_model = Life.TestCase


def test_the_disk_is_asked_to_keep_each_commit(tmp_path):
    store = Store(tmp_path / "a.db", "aaaa0000")
    assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert sqlite3.threadsafety in (1, 3)
