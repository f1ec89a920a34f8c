"""`station-gateway demo`: the main job on this machine with nothing attached."""

import argparse
import asyncio
import math
import sys
from urllib.parse import unquote

from gateway.cli.call_centre import BrokerAt, DemoFailed
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
        "with USER:PASSWORD@ before HOST where it wants them (others on this machine can read them)"
    )
    parser.add_argument("--broker", type=_broker_at, metavar="URL", help=instead)


def run(args: argparse.Namespace) -> int:
    try:
        from gateway.cli.stage import play  # noqa: PLC0415 - needs the extra
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in EXTRA:
            raise
        print(NO_EXTRA, file=sys.stderr)
        return 2
    try:
        return asyncio.run(play(args.seconds, args.broker))
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
    user, colon, password = login.partition(":")
    return BrokerAt(url, username=unquote(user) if at else None, password=unquote(password) if colon else None)
