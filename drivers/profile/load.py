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
    document, profile = compiled(path)
    _refuse(document, disproved(profile))
    return profile


def compiled(path: Path) -> tuple[Document, Profile]:
    """The same, with its golden frames yet to be proven."""
    document = read(path)
    file = validated(document, ProfileFile)
    _refuse(document, findings(file))
    return document, Profile(file)


def located(document: Document, found: Finding) -> Problem:
    return Problem(document.mark(found.where), found.what, found.cure)


def _refuse(document: Document, found: list[Finding]) -> None:
    if found:
        raise Refused(tuple(located(document, each) for each in found))
