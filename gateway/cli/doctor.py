"""`station-gateway doctor`: everything on this station that could keep a press from being heard, each with its cure."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from drivers.marked import Refused
from gateway import asks
from gateway.cli import CONFIG, daemon
from gateway.cli.columns import columns, plain
from gateway.cli.language import words_for
from gateway.cli.words import Words
from gateway.doctor.examine import examine
from gateway.doctor.findings import Finding, Level, worst
from gateway.doctor.standing import Daemon, NoDaemon
from gateway.setup import load_config


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Look at this station, whether its daemon runs or not, and say of each part whether it is well; nothing is "
        "changed. As root, so that everything can be seen. "
        "Exit 0: all is well; 1: there are warnings; 2: there are errors, or the configuration is refused."
    )
    stands = f"gateway.yaml of the daemon; without it {CONFIG}"
    parser.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help=stands)
    parser.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    """The worst of what is found."""
    found, spoken = asyncio.run(examine(args.config, _daemon(args.config))), words_for(os.environ)
    if args.json:
        told = {"worst": worst(found).name.lower(), "findings": [_object(each, spoken) for each in found]}
        print(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        sys.stdout.writelines(f"{line}\n" for line in lines(found, spoken))
    return worst(found)


def lines(found: Sequence[Finding], words: Words) -> Iterator[str]:
    """Each finding as a line, and its cure below it."""
    rows = []
    for each in found:
        what, cure = told(each, words)
        rows.append((words.levels[each.sign.level], words.parts[each.sign.part], what))
        if each.sign.level is not Level.OK and cure:
            rows.append(("", "", f"-> {cure}"))
    yield from columns(rows)


def told(finding: Finding, words: Words) -> tuple[str, str]:
    """What is so, and what to do."""
    given = {"where": finding.where, "found": finding.found, "more": finding.more, "cure": finding.cure}
    what, cure = words.signs[finding.sign]
    return plain(what.format(**given)), plain(cure.format(**given))


def _object(finding: Finding, words: Words) -> dict[str, str]:
    sign, (what, cure) = finding.sign, told(finding, words)
    stands = {"level": sign.level.name.lower(), "part": sign.part.value, "sign": sign.word, "where": finding.where}
    return stands | {"what": what, "cure": cure}


def _daemon(file: Path) -> Daemon | NoDaemon:
    """What the daemon of this configuration says of itself, or why it says nothing."""
    try:
        path = load_config(file).control
    except Refused:  # which is told; a daemon may run on with what it read before
        path = daemon.SOCKET
    try:
        answer = daemon.asked(path, asks.Health())
    except OSError as error:
        return NoDaemon(str(path), error.strerror or str(error), denied=isinstance(error, PermissionError))
    if isinstance(answer, asks.Refused):
        return NoDaemon(str(path), answer.message)
    try:
        return msgspec.convert(answer.result, Daemon)
    except msgspec.ValidationError as error:
        return NoDaemon(str(path), f"a daemon of another version: {error}")
