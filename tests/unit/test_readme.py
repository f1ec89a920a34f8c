"""README.md: every command that it shows with an answer is run, and answers so."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import command

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
BENCH = README.split("## Bench work", 1)[1].split("\n## ", 1)[0]


def shown() -> Iterator[tuple[list[str], str]]:
    """Each command and what it answers, in the page's order."""
    words: list[str] = []
    answer = ""
    for line in BENCH.splitlines():
        if line.startswith("    $ "):
            if words:
                yield words, answer
            words, answer = shlex.split(line.removeprefix("    $ ")), ""
        elif line.startswith("    "):
            answer += f"{line.removeprefix('    ')}\n"
    yield words, answer


def test_the_bench_work_is_as_the_page_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for words, answer in shown():
        if words[0] == "cat":
            Path(words[1]).write_text(answer)
        else:
            assert command(capsys, *words[1:]) == (0, answer, ""), words


def test_the_page_shows_every_command_of_the_bench() -> None:
    named = {words[1] for words, _ in shown() if words[0] == "station-gateway"}
    assert named == {"decode", "replay", "profile"}
    assert "`scan` shows" in BENCH
