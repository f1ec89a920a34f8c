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
from gateway.trials import MINUTES, MINUTES_MAX


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "The wearables of this station: when each was last heard, over which link and how well, its battery and its "
        "open alerts; and test windows. Exit 0: done; 1: no such device, or refused with a reason; 2: wrong usage; "
        "3: no daemon runs."
    )
    helps = {
        "list": "every wearable of the roster",
        "show": "one of them, with its open alerts",
        "test": "for some minutes its first SOS is a test: no repetition, nobody is sent; every further one is real",
    }
    for verb, sub in daemon.configure(parser, helps):
        if verb != "list":
            sub.add_argument("device", metavar="ID", help="its id, or the beginning of it")
        if verb == "test":
            lengths, what = range(1, MINUTES_MAX + 1), f"how long it waits for the press: 1 to {MINUTES_MAX}"
            sub.add_argument("--minutes", type=int, choices=lengths, default=MINUTES, metavar="N", help=what)


def run(args: argparse.Namespace) -> int:
    spoken, given = words_for(os.environ), getattr(args, "device", "")
    try:
        result = daemon.ask(args, _ask(args), spoken, given)
    except Unanswered as unanswered:
        print(unanswered, file=sys.stderr)
        return NO_DAEMON if isinstance(unanswered, NoDaemon) else REFUSED
    daemon.say(args, result, _lines(result, spoken))
    return DONE


def _ask(args: argparse.Namespace) -> asks.Ask:
    match args.verb:
        case "list":
            return asks.Devices()
        case "show":
            return asks.Device(args.device)
        case _:
            return asks.Test(args.device, args.minutes)


def _lines(result: dict[str, Any], spoken: Words) -> Iterator[str]:
    now = datetime.now(UTC)
    if "until" in result:
        return iter([telling.trial(msgspec.convert(result, telling.Trial), spoken)])
    if "device" in result:
        return telling.wearable(msgspec.convert(result["device"], telling.Wearable), spoken, now)
    return telling.wearables(msgspec.convert(result["devices"], list[telling.Wearable]), spoken, now)
