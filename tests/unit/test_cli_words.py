"""Both languages have every word, say them with the same gaps to fill, and nothing is left in the other language."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter

import msgspec
import pytest

from gateway import story
from gateway.alerts import Refusal
from gateway.cli.chinese import CHINESE
from gateway.cli.english import ENGLISH
from gateway.cli.language import words_for
from gateway.cli.words import Told, Words
from gateway.doctor.findings import Level, Part, Sign
from gateway.model import AlertKind, AlertState, Reason, Severity
from gateway.protection import Flaw, State

GATEWAY = Path(words_for.__code__.co_filename).parents[1]
SOURCES = [GATEWAY / name for name in ("asks.py", "commands.py", "control.py", "stock.py")]
LANGUAGES = pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=["english", "chinese"])


def every(words: Words) -> Iterator[tuple[str, str]]:
    """Each word with its name; of a table each entry."""
    for name, value in msgspec.structs.asdict(words).items():
        if isinstance(value, Mapping):
            for key, text in value.items():
                said = text._asdict() if isinstance(text, Told) else {"": text}
                yield from ((f"{name}.{key}{part and '.'}{part}", each) for part, each in said.items())
        else:
            yield name, value


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@LANGUAGES
def test_every_kind_state_severity_reason_and_happening_has_its_word(words: Words) -> None:
    assert words.kinds.keys() == set(AlertKind)
    assert words.states.keys() == set(AlertState)
    assert words.severities.keys() == set(Severity)
    assert words.reasons.keys() == set(Reason)
    assert words.protection.keys() == set(State)
    assert words.flaws.keys() == set(Flaw)
    assert words.happenings.keys() == set(story.Happening.__args__)
    assert (words.levels.keys(), words.parts.keys(), words.signs.keys()) == (set(Level), set(Part), set(Sign))
    assert words.refusals.keys() >= {refusal.value for refusal in Refusal}


@LANGUAGES
def test_no_word_is_empty(words: Words) -> None:
    assert [name for name, text in every(words) if not (text.strip() or name.endswith(".cure"))] == []


@LANGUAGES
def test_what_is_not_well_has_a_cure_and_what_is_has_none(words: Words) -> None:
    assert {sign for sign, told in words.signs.items() if not told.cure} == {s for s in Sign if s.level is Level.OK}


def test_both_languages_have_the_same_words_with_the_same_gaps() -> None:
    english, chinese = dict(every(ENGLISH)), dict(every(CHINESE))
    assert english.keys() == chinese.keys()
    quoted = {f"signs.{sign}.cure" for sign, told in ENGLISH.signs.items() if told.cure == "{cure}"}
    ours = english.keys() - quoted  # what the daemon's own code says of a cure is in English
    assert {name: gaps(english[name]) for name in ours} == {name: gaps(chinese[name]) for name in ours}


def test_every_word_is_in_its_own_language() -> None:
    han = re.compile(r"[\u4e00-\u9fff]")
    assert [name for name, text in every(ENGLISH) if not text.isascii()] == []
    same = {"service", "comma", "because", "by", "happenings.<class 'gateway.story.Decided'>", "refused"}
    others = {name for name, text in every(CHINESE) if re.fullmatch(r"({\w+}[：:, ]*)*", text) and "signs" in name}
    assert {name for name, text in every(CHINESE) if not han.search(text)} - others == same


def test_every_code_that_the_box_answers_with_has_a_sentence() -> None:
    code = re.compile(r'(?:RequestRefused|Refused|_in_time|only)\(\s*(?:\w+, )*"([a-z_]+)"')
    sources = [module.read_text(encoding="utf-8") for module in SOURCES]
    used = {found for source in sources for found in code.findall(source)}
    assert used >= {"busy", "ambiguous", "too_short", "not_yet", "waits", "unknown_device", "too_large", "invalid"}
    assert used <= ENGLISH.refusals.keys()


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, ENGLISH),
        ({"LANG": "C.UTF-8"}, ENGLISH),
        ({"LANG": "zh_CN.UTF-8"}, CHINESE),
        ({"LANG": "zh_TW"}, CHINESE),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "en_GB.UTF-8"}, ENGLISH),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, CHINESE),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "", "LC_MESSAGES": "de_DE"}, ENGLISH),
    ],
)
def test_the_locale_chooses_the_language(environment: dict[str, str], words: Words) -> None:
    assert words_for(environment) is words
