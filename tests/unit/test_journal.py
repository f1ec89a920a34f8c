"""A story survives what a box goes through, within its bounds; and where the disk refuses, only the story is lost."""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import story
from gateway.health import Faults
from gateway.journal import WAITING, Journal, files, told
from gateway.model import AlertState, Reason
from gateway.story import StoryLine
from tests.support.moments import moment


def line(number: int, subject: str = "01k-a") -> StoryLine:
    return StoryLine(subject, number, story.Committed(f"aaaa0000-{number}"))


def journal(folder: Path, half: int = 8 << 20) -> Journal:
    return Journal(folder, Faults(lambda: moment(0)), half)


def written(folder: Path, *lines: StoryLine, half: int = 8 << 20) -> None:
    async def run() -> None:
        kept = journal(folder, half)
        for each in lines:
            kept.tell(each)
            await kept.flush()
        await kept.close()

    asyncio.run(run())


def test_each_alert_finds_its_own_lines_in_their_order(tmp_path: Path) -> None:
    lines = [line(number, f"01k-{'ab'[number % 2]}") for number in range(10)]
    written(tmp_path, *lines)
    assert told(tmp_path, "01k-a") == lines[::2]
    assert told(tmp_path, "01k-b") == lines[1::2]
    assert told(tmp_path, "01k") == []


def test_a_line_that_names_another_alert_in_its_words_is_not_that_alert_s(tmp_path: Path) -> None:
    named = StoryLine("01k-b", 1, story.Recorded('"subject":"01k-a"'))
    written(tmp_path, named)
    assert told(tmp_path, "01k-a") == []
    assert told(tmp_path, "01k-b") == [named]


def test_what_was_told_is_read_even_before_it_is_written(tmp_path: Path) -> None:
    async def run() -> None:
        kept = journal(tmp_path)
        kept.tell(line(1))
        assert await kept.of("01k-a") == [line(1)]
        kept.tell(line(2))
        assert await kept.of("01k-a") == [line(1), line(2)]

    asyncio.run(run())


def test_the_task_writes_what_is_told_soon(tmp_path: Path) -> None:
    async def run() -> None:
        kept = journal(tmp_path)
        running = asyncio.create_task(kept.run())
        for number in range(3):
            kept.tell(line(number))
            async with asyncio.timeout(5):
                while told(tmp_path, "01k-a") != [line(n) for n in range(number + 1)]:
                    await asyncio.sleep(0.01)
        running.cancel()

    asyncio.run(run())


def test_a_restart_goes_on_where_the_story_ended_though_its_last_line_was_torn_off(tmp_path: Path) -> None:
    written(tmp_path, line(1), line(2))
    now, _ = files(tmp_path)
    whole = now.read_bytes()
    for end in range(whole.rindex(b"\n"), len(whole)):
        now.write_bytes(whole[:end])
        written(tmp_path, line(3))
        assert told(tmp_path, "01k-a") == [line(1), line(3)]


def test_both_files_are_bounded_and_the_oldest_lines_go(tmp_path: Path) -> None:
    lines = [line(number) for number in range(200)]
    written(tmp_path, *lines, half=2_000)
    now, before = files(tmp_path)
    assert before.stat().st_size < 2_100
    assert not now.exists() or now.stat().st_size < 2_100
    kept = told(tmp_path, "01k-a")
    assert 20 < len(kept) < 60
    assert kept == lines[-len(kept) :]


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    written(tmp_path, line(1))
    assert files(tmp_path)[0].stat().st_mode & 0o777 == 0o600


def test_a_full_disk_loses_the_story_counts_it_and_says_so_and_the_story_goes_on_once_there_is_room(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        now, _ = files(tmp_path)
        now.symlink_to("/dev/full")
        faults = Faults(lambda: moment(0))
        kept = Journal(tmp_path, faults)
        kept.tell(line(1))
        kept.tell(line(2))
        await kept.flush()
        (fault,) = faults
        assert (kept.lost, fault.fault, fault.where) == (2, "story_unsaved", "story")
        assert fault.what == f"{now}: No space left on device"
        now.unlink()
        kept.tell(line(3))
        assert await kept.of("01k-a") == [line(3)]
        assert (kept.lost, len(faults)) == (2, 0)

    asyncio.run(run())


def test_a_disk_that_hangs_costs_lines_and_no_memory(tmp_path: Path) -> None:
    async def run() -> None:
        kept = journal(tmp_path)
        for number in range(WAITING + 5):
            kept.tell(line(number))
        assert kept.lost == 5
        assert len(await kept.of("01k-a")) == WAITING

    asyncio.run(run())


HAPPENINGS = st.one_of(*(st.from_type(each) for each in story.Happening.__args__))


@settings(max_examples=50)
@given(st.lists(st.tuples(HAPPENINGS, st.booleans()), max_size=10), st.binary(max_size=40))
def test_every_happening_is_read_as_it_was_told_with_rubbish_in_front(
    happened: list[tuple[story.Happening, bool]], rubbish: bytes
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files(folder)[0].write_bytes(rubbish)
        lines = [StoryLine("01k-a", number, what, synced) for number, (what, synced) in enumerate(happened)]
        written(folder, *lines)
        assert told(folder, "01k-a") == lines


def test_the_form_of_a_line_is_what_older_files_hold(tmp_path: Path) -> None:
    files(tmp_path)[0].write_text(
        '{"subject":"01k-a","at":1,"what":{"type":"heard","link":"serial:a","rssi":-60}}\n'
        '{"subject":"01k-a","at":2,"what":{"type":"of a later version","link":"serial:a"}}\n'
        '{"subject":"01k-a","at":3,"what":{"type":"decided","reason":"accept","state":"accepted","by":"desk-3"},'
        '"synced":false}\n'
    )
    assert told(tmp_path, "01k-a") == [
        StoryLine("01k-a", 1, story.Heard("serial:a", -60)),
        StoryLine("01k-a", 3, story.Decided(Reason.ACCEPT, AlertState.ACCEPTED, "desk-3"), synced=False),
    ]
