"""Bytes that nothing understood: within bounds, whole on the disk, and readable by the bench's own command."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import Instant
from gateway.quarantine import KEPT, PAYLOAD_MAX, Quarantine, write_atomically
from tests.support.command import command
from tests.support.moments import WALL_MS

AT = Instant(WALL_MS, 0)
OLD, NEW = b"old" * 50_000, b"new" * 50_000
KILLED = """
import sys
from pathlib import Path
from gateway.quarantine import write_atomically
while True:
    for content in (b"old" * 50_000, b"new" * 50_000):
        write_atomically(Path(sys.argv[1]), content)
        print("x", flush=True)
"""


def saved(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_an_entry_says_when_where_why_and_what(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q")
    quarantine.add("serial:a", "checksum", b"\xa5\x5a\x00", AT)
    quarantine.save()
    assert saved(tmp_path / "q") == [
        {"at": "2026-11-24T00:00:00.000Z", "link": "serial:a", "reason": "checksum", "hex": "a55a00"}
    ]


def test_a_poured_flood_keeps_the_latest_thousand_and_a_bounded_part_of_each(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q")
    for number in range(KEPT + 200):
        quarantine.add("a", str(number), number.to_bytes(2) * PAYLOAD_MAX, AT)
    quarantine.save()
    entries = saved(tmp_path / "q")
    assert [int(entry["reason"]) for entry in entries] == list(range(200, KEPT + 200))
    assert {len(entry["hex"]) for entry in entries} == {2 * PAYLOAD_MAX}
    assert (tmp_path / "q").stat().st_size < KEPT * (2 * PAYLOAD_MAX + 200)


@given(st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=600)), min_size=1, max_size=20))
def test_any_bytes_and_words_are_kept_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, entries: list[tuple[str, bytes]]
) -> None:
    path = tmp_path_factory.mktemp("q") / "q"
    quarantine = Quarantine(path)
    for reason, payload in entries:
        quarantine.add("a", reason, payload, AT)
    quarantine.save()
    found = [(entry["reason"], bytes.fromhex(entry["hex"])) for entry in saved(path)]
    assert found == [(reason, payload[:PAYLOAD_MAX]) for reason, payload in entries]


def test_the_bench_reads_what_was_saved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    quarantine = Quarantine(tmp_path / "q")
    quarantine.add("serial:a", "checksum", bytes.fromhex("a55a1103020100bd0311000109584861f00c681084b1"), AT)
    quarantine.add("ble:hci0", "absurd skin_temperature", bytes.fromhex("98030311000109584861ffff6810"), AT)
    quarantine.save()
    status, out, err = command(capsys, "decode", str(tmp_path / "q"))
    assert (status, err) == (0, "")
    assert "serial:a checksum\n398-reference, serial line: checksum: " in out
    assert "expected 84b0: a55a11" in out
    assert "ble:hci0 absurd skin_temperature\n398-reference, manufacturer data of company 0xFFFF\n" in out
    assert "occurrence: sos, counter 17, fresh" in out


def test_nothing_new_is_not_written_again(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q")
    quarantine.save()
    assert not (tmp_path / "q").exists()
    quarantine.add("a", "b", b"", AT)
    quarantine.save()
    (tmp_path / "q").unlink()
    quarantine.save()
    assert not (tmp_path / "q").exists()
    quarantine.add("a", "c", b"", AT)
    quarantine.save()
    assert [entry["reason"] for entry in saved(tmp_path / "q")] == ["b", "c"]


def test_what_could_not_be_saved_is_saved_later(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "later" / "q")
    quarantine.add("a", "b", b"\x01", AT)
    with pytest.raises(FileNotFoundError):
        quarantine.save()
    (tmp_path / "later").mkdir()
    quarantine.save()
    assert len(saved(tmp_path / "later" / "q")) == 1


def test_a_file_is_replaced_with_its_mode_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for content, mode in ((OLD, 0o640), (NEW, 0o600)):
        write_atomically(path, content, mode)
        assert path.read_bytes() == content
        assert stat.S_IMODE(path.stat().st_mode) == mode
    assert os.listdir(tmp_path) == ["a"]


def test_a_replacement_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "inside").touch()
    with pytest.raises(OSError, match="taken"):
        write_atomically(tmp_path / "taken", NEW)
    assert os.listdir(tmp_path) == ["taken"]
    assert (tmp_path / "taken" / "inside").exists()


def test_a_killed_writer_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for rounds in (1, 8, 17):
        with subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            for _ in range(rounds):
                writer.stdout.readline()
            writer.kill()
        assert path.read_bytes() in (OLD, NEW)
