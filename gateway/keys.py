"""The keys of devices that prove who they are: a text file, `device-id hexkey` on each line, `#` before a comment.

What is wrong in it is told by its place: no word of the file is repeated, for the key may stand where the id should.
"""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from drivers.marked import Mark, Problem, Refused

KEY = r"[0-9a-fA-F]{32}"
"""128 bits: what BTHome, MiBeacon and their like take."""


def load_keys(path: Path, ids: Collection[str] | None) -> dict[str, bytes]:
    """Keys by the device's id; `ids` are those of the roster, None where it could not be read.

    Refused: with every problem, each at its line.
    """
    keys: dict[str, bytes] = {}
    lines: dict[str, int] = {}
    problems: list[Problem] = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        words = list(re.finditer(r"\S+", text.partition("#")[0]))
        if not words:
            continue
        marks = [Mark(str(path), number, word.start() + 1) for word in words]
        if len(words) != 2:
            problems.append(Problem(marks[0], "not a device's id and its key", "write both, with a space between"))
            continue
        ident, key = (word[0] for word in words)
        wrong = list(_wrong(ident, key, marks, ids, lines))
        problems += wrong
        lines.setdefault(ident, number)
        if not wrong:
            keys[ident] = bytes.fromhex(key)
    if problems:
        raise Refused(tuple(problems))
    return keys


def _wrong(
    ident: str, key: str, marks: list[Mark], ids: Collection[str] | None, lines: dict[str, int]
) -> Iterator[Problem]:
    if ident in lines:
        yield Problem(marks[0], f"this device has a key in line {lines[ident]} already", "keep one of them")
    elif ids is not None and ident not in ids:
        yield Problem(marks[0], "no device of the roster has this id", "write it as it stands there, or take it out")
    if not re.fullmatch(KEY, key):
        yield Problem(marks[1], f"not a key: {len(key)} characters", "write its 16 bytes as 32 hex digits")
