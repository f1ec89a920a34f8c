"""What every part of a profile file is, and how what is wrong with one is told."""

from typing import NamedTuple

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """Frozen; a key that is not known is refused; the docstring under a field is what a technician is told of it."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


Where = tuple[str | int, ...]


class Finding(NamedTuple):
    """`where` is the place in the document, as keys and numbers from its top."""

    where: Where
    what: str
    cure: str
