"""`station-gateway devices`: the wearables of the roster, and when each was last heard."""

import argparse
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from gateway import asks
from gateway.cli import daemon, telling
from gateway.cli.daemon import DONE, NO_DAEMON, REFUSED, NoDaemon, Unanswered
from gateway.cli.language import words_for
from gateway.cli.words import Words


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "The wearables of this station: when each was last heard, over which link and how well, its battery and its "
        "open alerts. Exit 0: done; 1: no such device, or refused with a reason; 2: wrong usage; 3: no daemon runs."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, help_ in (("list", "every wearable of the roster"), ("show", "one of them, with its open alerts")):
        sub = verbs.add_parser(verb, help=help_, description=help_)
        daemon.configure(sub)
        if verb != "list":
            sub.add_argument("device", metavar="ID", help="its id, or the beginning of it")


def run(args: argparse.Namespace) -> int:
    spoken, given = words_for(os.environ), getattr(args, "device", "")
    try:
        result = daemon.ask(args, asks.Device(given) if given else asks.Devices(), spoken, given)
    except Unanswered as unanswered:
        print(unanswered, file=sys.stderr)
        return NO_DAEMON if isinstance(unanswered, NoDaemon) else REFUSED
    daemon.say(args, result, _lines(result, spoken))
    return DONE


def _lines(result: dict[str, Any], spoken: Words) -> Iterator[str]:
    now = datetime.now(UTC)
    if "device" in result:
        return telling.wearable(msgspec.convert(result["device"], telling.Wearable), spoken, now)
    return telling.wearables(msgspec.convert(result["devices"], list[telling.Wearable]), spoken, now)
