"""Profiles to test with: the shipped one, and the same with one change; and the names of all that are shipped."""

from pathlib import Path

SHIPPED = Path(__file__).parents[2] / "drivers/profiles/398-reference.yaml"
NAMES = tuple(sorted(path.stem for path in SHIPPED.parent.glob("*.yaml")))
"""All that are shipped: each file has the name of its profile."""


def altered(folder: Path, old: str, new: str) -> Path:
    """A copy of the shipped profile in `folder`, with `new` where `old` stands once."""
    text = SHIPPED.read_text()
    assert text.count(old) == 1
    path = folder / "altered.yaml"
    path.write_text(text.replace(old, new))
    return path
