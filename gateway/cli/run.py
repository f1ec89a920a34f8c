"""`station-gateway run`: the daemon, until SIGTERM."""

import argparse
import asyncio
import sys
from pathlib import Path

import structlog

from gateway import logs
from gateway.app import serve
from gateway.cli import CONFIG
from gateway.errors import GatewayError
from gateway.setup import load_all

SWITCH_S = 0.001
"""How long one thread may hold the interpreter while another waits: a commit's answer must not wait 5 ms."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Run the daemon until SIGTERM or Ctrl-C. Exit 0: stopped; 1: the data folder cannot be had; "
        "2: the configuration is wrong, and everything that is wrong with it has been said."
    )
    stands = f"gateway.yaml; without it {CONFIG}"
    parser.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help=stands)


def run(args: argparse.Namespace) -> int:
    """0 stopped, 1 where the data folder cannot be had. Refused: the configuration is wrong."""
    setup = load_all(args.config)
    config = setup.config
    logs.configure(config.log.level.value, config.log.format.value)
    sys.setswitchinterval(SWITCH_S)
    try:
        asyncio.run(serve(config, setup.roster, setup.profiles))
    except (GatewayError, OSError) as error:
        why = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
        structlog.get_logger("app").error("cannot run", why=why, data=str(config.data))
        return 1
    return 0
