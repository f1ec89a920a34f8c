"""The command line called in this process: how it ended, and what it said."""

from typing import NamedTuple

import pytest
import structlog

from gateway.cli.main import main


class Said(NamedTuple):
    status: int
    out: str
    err: str


def command(capsys: pytest.CaptureFixture[str], *words: str) -> Said:
    try:
        status = main(list(words))
    except SystemExit as ended:  # argparse's own refusals
        status = int(ended.code or 0)
    finally:
        structlog.reset_defaults()
    said = capsys.readouterr()
    return Said(status, said.out, said.err)
