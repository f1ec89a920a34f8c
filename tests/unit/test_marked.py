"""YAML as technicians write it: text stays text, every part has its place, and every problem is told at once."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.marked import DEPTH_MAX, Document, Refused, read


def document(folder: Path, text: str | bytes) -> Document:
    path = folder / "a.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read(path)


def told(folder: Path, text: str | bytes) -> list[str]:
    """Every problem, without the folder."""
    with pytest.raises(Refused) as refused:
        document(folder, text)
    return [str(problem).removeprefix(f"{folder}/") for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("no", "no"), ("on", "on"), ("True", "True"), ("true", True), ("false", False), ("null", None), ("~", None),
        ("", None), ("00010203", "00010203"), ("11:22:33", "11:22:33"), ("12", 12), ("-3", -3), ("0x1F", 31),
        ("0o17", "0o17"), ("1_000", "1_000"), ("1.5", 1.5), ("1.0e3", 1000.0), ("1e3", "1e3"), ("00012e03", "00012e03"),
        (".5", ".5"), (".inf", ".inf"),
        ("2026-11-24", "2026-11-24"), ("'12'", "12"), ('"true"', "true"), ("3s", "3s"), ("=", "="), ("<<", "<<"),
    ],
)  # fmt: skip
def test_only_what_looks_like_a_number_or_true_or_false_is_one(tmp_path: Path, written: str, wanted: object) -> None:
    found = document(tmp_path, f"key: {written}\n").value["key"]
    assert (found, type(found)) == (wanted, type(wanted))


def test_everything_has_its_place(tmp_path: Path) -> None:
    found = document(tmp_path, "a: 1\nlist:\n  - {x: 2, y: [3, 4]}\n  - z\n")
    places = {
        ("a",): "1:4", ("list",): "3:3", ("list", 0, "x"): "3:9", ("list", 0, "y", 1): "3:19", ("list", 1): "4:5"
    }  # fmt: skip
    assert {where: str(found.mark(where)).split("yaml:")[1] for where in places} == places
    assert str(found.key_mark(("list", 0, "y"))).endswith(":3:12")


def test_what_is_not_there_stands_where_its_parent_stands(tmp_path: Path) -> None:
    found = document(tmp_path, "a:\n  b: 1\n")
    assert str(found.mark(("a", "missing", 3))) == str(found.mark(("a",)))
    assert str(document(tmp_path, "").mark(("a",))).endswith(":1:1")


def test_every_key_that_stands_twice_is_told_with_both_places(tmp_path: Path) -> None:
    assert told(tmp_path, "a: 1\nb: {c: 1, c: 2}\na: 3\n") == [
        "a.yaml:2:11: the key 'c' stands here again; it stands in line 2 already; keep one of them",
        "a.yaml:3:1: the key 'a' stands here again; it stands in line 1 already; keep one of them",
    ]


@pytest.mark.parametrize(
    ("text", "place", "sentence"),
    [
        ("a: [1, 2\nb: 3\n", "2:2", "not YAML"),
        ("a:\n\t- b\n", "2:1", "a tab indents this line; indent with spaces"),
        ("a: *nothing\n", "1:4", "not YAML"),
        ("--- 1\n--- 2\n", "2:1", "not YAML"),
        ("a: !!python/object:os.system x\n", "1:4", "is not read"),
        ("a: !mine x\n", "1:4", "is not read"),
        ("a: !!int x\n", "1:4", "is not read"),
        ("[a, b]: 1\n", "1:1", "a key must be a word"),
        (b"a: \xff\n", "1:4", "not UTF-8 (a byte 0xff)"),
        (b"a: 1\nb: \xc3\xa9\xff\n", "2:5", "not UTF-8 (a byte 0xff)"),
        ("a: " + "[" * 100 + "]" * 100, "1:44", "nested too deeply"),
        ("- " * 100, "1:83", "nested too deeply"),
        ("a: \x07\n", "1:1", "not YAML"),
        (f"a: {'9' * 5000}\n", "1:4", "is not read"),
    ],
)
def test_what_cannot_be_read_says_where_and_why(tmp_path: Path, text: str | bytes, place: str, sentence: str) -> None:
    (problem, *_) = told(tmp_path, text)
    assert sentence in problem
    assert problem.startswith(f"a.yaml:{place}:") or sentence == "not YAML", problem


@pytest.mark.parametrize("step", ["[", "{a: ", "- ", "? "])
def test_nesting_without_end_ends_the_reading_and_not_the_process(tmp_path: Path, step: str) -> None:
    (problem,) = told(tmp_path, step * 100_000)
    assert "nested too deeply" in problem or "exceeded maximum nesting depth" in problem  # libyaml may notice first


def test_aliases_that_would_unfold_without_end_are_refused(tmp_path: Path) -> None:
    assert "nested too deeply" in told(tmp_path, "a: &a [*a]\n")[0]


def test_a_file_that_is_not_there_or_is_none_says_so(tmp_path: Path) -> None:
    for path, sentence in ((tmp_path / "nowhere.yaml", "there is no such file"), (tmp_path, "this is a folder")):
        with pytest.raises(Refused, match=sentence):
            read(path)


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    assert document(tmp_path, b"\xef\xbb\xbfa: 1\n").value == {"a": 1}


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(st.characters(codec="ascii"), max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc12", min_size=1), inner, max_size=4),
    max_leaves=20,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.text("abcdef", min_size=1), PLAIN, max_size=5))
def test_what_a_writer_of_yaml_writes_is_read_back(tmp_path: Path, value: dict[str, Any]) -> None:
    assert document(tmp_path, yaml.safe_dump(value)).value == value


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | st.text("ab:-[]{}&*!'\"#| \n\t?,>%@", max_size=60))
def test_whatever_bytes_come_they_are_read_or_refused(tmp_path: Path, text: str | bytes) -> None:
    try:
        found = document(tmp_path, text)
    except Refused as refused:
        problems = refused.problems
    else:
        problems = ()
        assert found.mark(()).line >= 1
    assert all(problem.what and problem.cure for problem in problems)


def test_the_depth_that_is_read_is_the_depth_that_is_stated(tmp_path: Path) -> None:
    assert document(tmp_path, "[" * DEPTH_MAX + "]" * DEPTH_MAX).value
    assert told(tmp_path, "[" * (DEPTH_MAX + 2) + "]" * (DEPTH_MAX + 2))
