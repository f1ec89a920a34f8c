"""`station-gateway outbox`: what waits for the broker, what it will not have, and all of it for another way out."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from gateway import asks
from gateway.cli import daemon, shelf, telling
from gateway.cli.columns import columns, plain
from gateway.cli.daemon import DONE, NO_DAEMON, REFUSED, NoDaemon, Unanswered
from gateway.cli.language import words_for
from gateway.cli.words import Words
from gateway.config import Config
from gateway.errors import GatewayError
from gateway.stock import ALL


class Row(msgspec.Struct, frozen=True):
    id: str
    topic: str
    made: datetime
    state: str
    code: int
    reason: str


class Lane(msgspec.Struct, frozen=True):
    lane: str
    waiting: int
    bytes: int
    rows: tuple[Row, ...]

    def count(self, state: str) -> int:
        return sum(row.state == state for row in self.rows)


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "The messages on the disk of this station. Exit 0: done; 1: no such message or lane, or refused with a reason; "
        "2: wrong usage; 3: no daemon runs, and list and export tell what its files hold."
    )
    helps = {
        "list": "how much waits, and what the broker refuses and why",
        "retry": "try again now what was refused or set aside",
        "export": "a lane's messages as JSON lines, those set aside first; nothing is taken out of it",
    }
    for verb, sub in daemon.configure(parser, helps):
        if verb == "retry":
            sub.add_argument("row", metavar="ID", help=f"the message's id, or `{ALL}`")
        elif verb == "export":
            sub.add_argument("lane", metavar="LANE", help="`alert` or `telemetry`")


def run(args: argparse.Namespace) -> int:
    spoken = words_for(os.environ)
    try:
        if args.verb == "export":
            _write(lambda after: daemon.ask(args, asks.Export(args.lane, after), spoken, args.lane))
        else:
            given = getattr(args, "row", "")
            result = daemon.ask(args, asks.Retry(given) if given else asks.Outbox(), spoken, given)
            daemon.say(args, result, _lines(result, spoken))
    except NoDaemon as gone:
        print(gone, file=sys.stderr)
        return _without(args, spoken)
    except Unanswered as unanswered:
        print(unanswered, file=sys.stderr)
        return REFUSED
    return DONE


def _without(args: argparse.Namespace, spoken: Words) -> int:
    """Tell what the files hold, where they are known and it is only to be told."""
    config = daemon.config_of(args)
    if config is not None and args.verb != "retry":
        try:
            _from_files(args, config, spoken)
        except GatewayError as unreadable:
            print(unreadable, file=sys.stderr)
    return NO_DAEMON


def _from_files(args: argparse.Namespace, config: Config, spoken: Words) -> None:
    print(spoken.from_files, file=sys.stderr)
    if args.verb == "export":
        _write(lambda after: shelf.exported(config, args.lane, after))
    else:
        result = shelf.stocked(config)
        daemon.say(args, result, _lines(result, spoken))


def _write(page: Callable[[int], dict[str, Any]]) -> None:
    """One line for each message, page after page."""
    after: int | None = 0
    while after is not None:
        found = page(after)
        sys.stdout.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in found["rows"])
        after = found["next"]


def _lines(result: dict[str, Any], spoken: Words) -> Iterator[str]:
    if "lanes" not in result:
        yield from (spoken.retried.format(row=row) for row in result["rows"])
        return
    lanes = msgspec.convert(result["lanes"], list[Lane])
    for lane in lanes:
        refused, aside = lane.count("refused"), lane.count("set_aside")
        yield spoken.lanes.format(lane=lane.lane, waiting=lane.waiting, bytes=lane.bytes, refused=refused, aside=aside)
    yield from _table([row for lane in lanes for row in lane.rows], spoken)


def _table(rows: list[Row], spoken: Words) -> Iterator[str]:
    if not rows:
        yield spoken.nothing_refused
        return
    states, now = {"refused": spoken.row_refused, "set_aside": spoken.row_aside}, datetime.now(UTC)
    head = (spoken.number, spoken.since, spoken.state, spoken.reason)
    told = [
        (row.id, telling.since(row.made, spoken, now), states[row.state], f"{row.code} {plain(row.reason)}")
        for row in rows
    ]
    yield ""
    yield from columns([head, *told])
