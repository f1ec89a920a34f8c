"""`station-gateway demo`: the main job on this machine with nothing attached."""

import argparse
import asyncio
import math
import sys
from pathlib import Path
from urllib.parse import unquote

from gateway.cli.call_centre import BrokerAt, DemoFailed
from gateway.sections import Secret
from gateway.written import broker

LEAST_S = 2.0
"""Somebody must have the time to press."""
EXTRA = ("amqtt", "rich")
NO_EXTRA = "demo: it needs the packages amqtt and rich; pip install 'station-gateway[demo]' brings them"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Simulated wearables press, the real daemon carries it to a real broker, and a call centre accepts and clears. "
        "Exit 0: every press arrived as one alert; 1: one did not; 2: the demo could not be played."
    )
    end = f"end after N seconds, {LEAST_S:.0f} or more; without it on Ctrl-C"
    parser.add_argument("--seconds", type=_seconds, metavar="N", help=end)
    instead = (
        "a broker of yours instead of one of its own: mqtt://HOST:PORT or mqtts://HOST:PORT, "
        "with USER@ before HOST where it wants a name"
    )
    parser.add_argument("--broker", type=_broker_at, metavar="URL", help=instead)
    wanted = "file with the password for USER; an argument could be read by everybody on this machine"
    parser.add_argument("--password-file", type=Path, metavar="FILE", help=wanted)


def run(args: argparse.Namespace) -> int:
    try:
        from gateway.cli.stage import play  # noqa: PLC0415 - needs the extra
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in EXTRA:
            raise
        print(NO_EXTRA, file=sys.stderr)
        return 2
    try:
        return asyncio.run(play(args.seconds, _let_in(args.broker, args.password_file)))
    except (OSError, DemoFailed) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2


def _seconds(written: str) -> float:
    try:
        seconds = float(written)
    except ValueError:
        seconds = 0.0
    if not LEAST_S <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{written!r} is no time for a demo; write {LEAST_S:.0f} or more, in seconds")
    return seconds


def _broker_at(written: str) -> BrokerAt:
    scheme, _, rest = written.partition("://")
    login, at, place = rest.rpartition("@")
    try:
        url = broker(f"{scheme}://{place}")
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from None
    if ":" in login:
        raise argparse.ArgumentTypeError(
            "a password is not written here; name the file that holds it with --password-file"
        )
    return BrokerAt(url, username=unquote(login) if at else None)


def _let_in(broker_at: BrokerAt | None, password: Path | None) -> BrokerAt | None:
    """With the password from its file. DemoFailed where nobody is named whose it would be."""
    if password is None:
        return broker_at
    if broker_at is None or broker_at.username is None:
        raise DemoFailed("--password-file wants a name beside it: --broker mqtt://USER@HOST:PORT")
    return broker_at._replace(password=Secret(file=password).read())
