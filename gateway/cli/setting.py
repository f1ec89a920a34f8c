"""The station that the bench works for: as configured, or none at all."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from drivers.registry import Profiles
from gateway.cli import CONFIG
from gateway.cli.given import Unusable
from gateway.config import Config
from gateway.roster import Roster
from gateway.setup import Setup, load_all

NOWHERE = {"station": "bench", "mqtt": {"brokers": ["mqtt://localhost"]}}
"""Nothing is sent to that broker."""


def setting(file: Path | None, profiles: Path | None, links: dict[str, Any] | None = None) -> Setup:
    """As `file` says, or the configuration in its usual place; as nothing where there is none, or `links` say enough.

    `profiles` is a folder to read instead of the configured one. Refused: with all that is wrong with the files.
    """
    if file is None and (links or not CONFIG.exists()):
        setup = Setup(_config({}), Roster(()), Profiles.load())
    else:
        setup = load_all(file or CONFIG, bench=True)
    config = _config(links) if links else setup.config
    named = Profiles.load(profiles, key_of=setup.roster.key_of) if profiles else setup.profiles
    return Setup(config, setup.roster, named)


def _config(links: dict[str, Any]) -> Config:
    try:
        return Config.model_validate(NOWHERE | links)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        raise Unusable(f"{first['input']!r} is {first['msg'].removeprefix('Value error, ')}") from wrong
