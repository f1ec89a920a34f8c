"""The running daemon, asked over its control socket."""

import argparse
import json
import os
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from gateway.asks import Answer, Ask, Refused, encode, parse_answer
from gateway.cli import CONFIG
from gateway.cli.words import Words
from gateway.config import Config
from gateway.control import reachable
from gateway.setup import load_config

Parser = argparse.ArgumentParser
DONE, REFUSED, NO_DAEMON = 0, 1, 3
SOCKET: Path = Config.model_fields["control"].default
PATIENCE_S = 15.0
"""Longer than the daemon waits for its disk."""


class Unanswered(Exception):
    """The daemon will not, or may not be asked; str() says why, in the words of whoever asked."""


class NoDaemon(Unanswered):
    """Nobody answers."""


def configure(parser: Parser, helps: Mapping[str, str]) -> Iterator[tuple[str, Parser]]:
    """A parser for each verb, as `helps` explains it, that takes where the daemon is and how it is to be told."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, help_ in helps.items():
        sub = verbs.add_parser(verb, help=help_, description=help_)
        way = sub.add_mutually_exclusive_group()
        way.add_argument("--config", type=Path, metavar="FILE", help=f"gateway.yaml of the daemon; without it {CONFIG}")
        way.add_argument("--socket", type=Path, metavar="PATH", help="its control socket")
        sub.add_argument("--json", action="store_true", help="for programs")
        yield verb, sub


def config_of(args: argparse.Namespace) -> Config | None:
    """The daemon's configuration; None where only its socket is named, or nothing is. Refused: the file is wrong."""
    if args.socket is not None or (args.config is None and not os.access(CONFIG, os.R_OK)):
        return None
    return load_config(args.config or CONFIG)


def ask(args: argparse.Namespace, wanted: Ask, words: Words, given: str = "") -> dict[str, Any]:
    """The daemon's result; `given` is what a refusal is about. Unanswered where there is none."""
    config = config_of(args)
    path: Path = args.socket or (config.control if config else SOCKET)
    try:
        answer = asked(path, wanted)
    except PermissionError as error:
        raise Unanswered(words.denied.format(path=path)) from error
    except OSError as error:
        raise NoDaemon(words.no_daemon.format(path=path, why=error.strerror or error)) from error
    if isinstance(answer, Refused):
        why = words.refusals.get(answer.code, answer.message)
        raise Unanswered(words.refused.format(given=given, why=why) if given else why)
    return answer.result


def say(args: argparse.Namespace, result: dict[str, Any], lines: Iterable[str]) -> None:
    """As JSON where that is asked for, else in words."""
    if args.json:
        print(json.dumps(result, ensure_ascii=False, indent=2))
    else:
        sys.stdout.writelines(f"{line}\n" for line in lines)


def asked(path: Path, wanted: Ask) -> Answer:
    """What the daemon behind a socket answers. OSError where nobody does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(PATIENCE_S)
        with reachable(path) as name:
            line.connect(name)
        with suppress(BrokenPipeError):  # it has said why before it hung up
            line.sendall(encode(wanted) + b"\n")
        with line.makefile("rb") as answers:
            heard = answers.readline()
    if not heard.endswith(b"\n"):
        raise ConnectionError("it hung up")
    try:
        answer: Answer = parse_answer(heard)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConnectionError("it is no gateway") from error
    return answer
