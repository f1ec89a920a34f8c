"""Tables on a terminal, where a Chinese character is as wide as two others."""

import unicodedata
from collections.abc import Iterator, Sequence

GAP = "  "


def width(text: str) -> int:
    """How many cells of a terminal it takes."""
    return sum(_cells(character) for character in text)


def plain(text: str) -> str:
    """What others have written, without what would steer the terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)


def columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Each row as a line, every column as wide as its widest cell."""
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell + " " * (wide - width(cell)) for cell, wide in zip(row, widths, strict=True))
        yield GAP.join(cells).rstrip()


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
