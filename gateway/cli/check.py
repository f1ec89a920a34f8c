"""`station-gateway check FILE`: everything that is wrong with a configuration, at once."""

import argparse
import sys
from pathlib import Path

from gateway.setup import load_all, warnings


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Say everything that is wrong with a configuration, each with file, line and cure. "
        "Exit 0: a daemon would start with it, warnings or not; 2: it would not."
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="gateway.yaml; what it names is read too")


def run(args: argparse.Namespace) -> int:
    """0 where a daemon would start with it, warnings or not. Refused: it would not."""
    setup = load_all(args.file)
    for doubt in setup.doubts:
        print(f"{doubt.mark}: warning: {doubt.what}; {doubt.cure}", file=sys.stderr)
    for warning in warnings(setup.config):
        print(f"{args.file}: warning: {warning}", file=sys.stderr)
    config = setup.config
    links = [*(s.link for s in config.serial), *(b.link for b in config.bluetooth), *(r.link for r in config.replay)]
    print(f"{args.file}: good. Station {setup.config.station}, {len(setup.roster.devices)} devices, ", end="")
    print(f"links {', '.join(links) or 'none'}, profiles {', '.join(setup.profiles.names)}")
    return 0
