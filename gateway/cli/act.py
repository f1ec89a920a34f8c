"""`station-gateway act`: make the station hear, as the daemon would when nobody accepts an alert."""

import argparse
import asyncio
import sys
from pathlib import Path

import msgspec

from drivers.asking import LONGEST
from drivers.marked import Refused
from gateway.actions import Action, LocalAlert, load_local_alert
from gateway.cli import CONFIG
from gateway.perform import perform
from gateway.summons import Outcome, Summons, encode, parse, summon

DONE, FAILED = 0, 1


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Have one of the actions below local_alert done now, as the daemon would when nobody accepts an alert. "
        "Exit 0: done; 1: not done, and why has been said; 2: local_alert is wrong in the configuration."
    )
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("name", nargs="?", metavar="NAME", help="of the action")
    way.add_argument("--serve", action="store_true", help="do what one line on standard input asks: for the unit")
    parser.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help=f"without it {CONFIG}")


def run(args: argparse.Namespace) -> int:
    return _serve(args.config) if args.serve else _try(args.name, load_local_alert(args.config))


def _try(name: str, local: LocalAlert) -> int:
    """Through the unit, so that what is tried is what will be done: as its user, in its sandbox."""
    action = local.action(name)
    if action is None:
        print(_unknown(name, local), file=sys.stderr)
        return FAILED
    outcome = asyncio.run(summon(local, action, Summons(name, "trial", "trial")))
    if outcome.failure is not None:
        print(f"{name}: {outcome.failure}", file=sys.stderr)
        return FAILED
    print(f"{name}: done in {outcome.ms / 1000:.1f} s{f': {outcome.said}' if outcome.said else ''}")
    return DONE


def _serve(config: Path) -> int:
    """One line in, one line out. The journal has both."""
    line = sys.stdin.buffer.readline(LONGEST)
    outcome = _served(line, config)
    answer = encode(outcome)
    sys.stdout.buffer.write(answer + b"\n")
    print(f"{line.decode('utf-8', 'replace').strip()} -> {answer.decode()}", file=sys.stderr)
    return FAILED if outcome.failure else DONE


def _served(line: bytes, config: Path) -> Outcome:
    """Whoever asks can have done what the technician wrote down, and nothing else."""
    try:
        summons = parse(line)
        local = load_local_alert(config)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return Outcome(f"not asked as the unit knows it: {error}")
    except Refused as refused:
        return Outcome(f"its configuration is refused: {refused}")
    action: Action | None = local.action(summons.action)
    if action is None:
        return Outcome(f"{_unknown(summons.action, local)}; the daemon reads its configuration when it starts")
    return perform(action, summons)


def _unknown(name: str, local: LocalAlert) -> str:
    known = ", ".join(action.name for action in local.actions) or "none"
    return f"no action is called {name!r} in local_alert.actions; known are {known}"
