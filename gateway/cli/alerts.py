"""`station-gateway alerts`: what is open, the story of one, and a word on it from whoever stands at the box."""

import argparse
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from gateway import asks
from gateway.cli import daemon, shelf, telling
from gateway.cli.daemon import DONE, NO_DAEMON, REFUSED, NoDaemon, Unanswered
from gateway.cli.language import words_for
from gateway.cli.words import Words
from gateway.errors import GatewayError


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "The alerts of this station. Exit 0: done; 1: no such alert, or refused with a reason; 2: wrong usage; "
        "3: no daemon runs, and list and show tell what its files hold."
    )
    helps = {
        "list": "what is open, the gravest first",
        "show": "one alert, and everything that happened to it",
        "accept": "you see to it: repetition ends, and the call centre is told",
        "clear": "it is over",
    }
    for verb, sub in daemon.configure(parser, helps):
        if verb != "list":
            sub.add_argument("alert", metavar="ID", help="the beginning of its id, or the id of its device")
        if verb in ("accept", "clear"):
            who = "who you are, as a pseudonym of a-z, 0-9 and -; your user name is told anyway"
            sub.add_argument("--by", type=_label, metavar="NAME", help=who)


def run(args: argparse.Namespace) -> int:
    spoken, given = words_for(os.environ), getattr(args, "alert", "")
    try:
        result = daemon.ask(args, _ask(args), spoken, given)
    except NoDaemon as gone:
        print(gone, file=sys.stderr)
        return _without(args, given, spoken)
    except Unanswered as unanswered:
        print(unanswered, file=sys.stderr)
        return REFUSED
    daemon.say(args, result, _lines(args.verb, result, spoken))
    return DONE


def _ask(args: argparse.Namespace) -> asks.Ask:
    match args.verb:
        case "list":
            return asks.Alerts()
        case "show":
            return asks.Show(args.alert)
        case "accept":
            return asks.Accept(args.alert, args.by)
        case _:
            return asks.Clear(args.alert, args.by)


def _without(args: argparse.Namespace, given: str, spoken: Words) -> int:
    """Tell what the files hold, where they are known and it is only to be told."""
    config = daemon.config_of(args)
    if config is not None and args.verb in ("list", "show"):
        try:
            result = shelf.shown(config, given) if given else shelf.listed(config)
        except (GatewayError, OSError) as unreadable:
            print(unreadable, file=sys.stderr)
        else:
            print(spoken.from_files, file=sys.stderr)
            daemon.say(args, result, _lines(args.verb, result, spoken))
    return NO_DAEMON


def _lines(verb: str, result: dict[str, Any], spoken: Words) -> Iterator[str]:
    now = datetime.now(UTC)
    if verb == "list":
        yield from telling.alerts(msgspec.convert(result["alerts"], list[telling.Alert]), spoken, now)
        return
    alert = msgspec.convert(result["alert"], telling.Alert)
    if verb == "show":
        yield from telling.alert(alert, msgspec.convert(result["story"], list[telling.Line]), spoken, now)
    else:
        yield (spoken.accepted if verb == "accept" else spoken.cleared).format(alert=alert.id, by=alert.by)


def _label(text: str) -> str:
    try:
        return msgspec.convert(text, asks.Label)
    except msgspec.ValidationError:
        raise argparse.ArgumentTypeError(f"{text!r}: write 1 to 24 of the characters a-z, 0-9 and -") from None
