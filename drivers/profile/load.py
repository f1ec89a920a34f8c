"""From a profile's file to a profile ready for use, or to everything that is wrong with it."""

from pathlib import Path

from drivers.marked import Document, Problem, Refused, read
from drivers.profile.checks import findings
from drivers.profile.compiled import Profile
from drivers.profile.golden import disproved
from drivers.profile.model import ProfileFile
from drivers.profile.shape import Finding
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
        raise Refused(tuple(Problem(document.mark(each.where), each.what, each.cure) for each in found))
