"""From a profile's file to a profile ready for use, or to everything that is wrong with it."""

from pathlib import Path
from typing import Any

from drivers.marked import Document, Problem, Refused, read
from drivers.profile.checks import findings
from drivers.profile.compiled import Profile
from drivers.profile.golden import disproved
from drivers.profile.model import ProfileFile
from drivers.profile.shape import Finding, Where
from drivers.profile.written import number
from drivers.validated import validated


def load(path: Path) -> Profile:
    """The profile in `path`, its golden frames proven. Refused: with every problem and its place."""
    document = read(path)
    file = validated(document, ProfileFile)
    _refuse(document, findings(file))
    profile = Profile(file)
    _refuse(document, disproved(profile))
    return profile


def _refuse(document: Document, found: list[Finding]) -> None:
    if found:
        places = [document.mark(_as_written(document.value, finding.where)) for finding in found]
        raise Refused(
            tuple(Problem(mark, finding.what, finding.cure) for mark, finding in zip(places, found, strict=True))
        )


def _as_written(value: Any, where: Where) -> Where:
    """The same place with keys as they stand in the file: 128 may be written 0x80 there."""
    if not where:
        return ()
    step, *inner = where
    if isinstance(value, dict) and isinstance(step, int):
        step = next((key for key in value if number(key) == step), str(step))
    try:
        return (step, *_as_written(value[step], tuple(inner)))
    except (KeyError, IndexError, TypeError):
        return ()
