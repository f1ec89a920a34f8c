"""Which language people are spoken to in."""

from collections.abc import Mapping

from gateway.cli.chinese import CHINESE
from gateway.cli.english import ENGLISH
from gateway.cli.words import Words


def words_for(environment: Mapping[str, str]) -> Words:
    """The language that the locale asks for: Chinese, or English for all others."""
    asked = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    return CHINESE if asked.lower().startswith("zh") else ENGLISH
