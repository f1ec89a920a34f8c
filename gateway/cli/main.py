"""The command `station-gateway`: one module per command, each imported only when it is called."""

import argparse
import os
import signal
import sys
from importlib import import_module
from importlib.metadata import version

from drivers.marked import Refused

COMMANDS = {
    "run": "the daemon",
    "demo": "the main job on this machine with nothing attached",
    "check": "say everything that is wrong with a configuration",
    "doctor": "say what on this station is not as it should be, and what to do",
    "alerts": "what is open, its story, and your word on it",
    "act": "make the station hear, for a trial",
    "devices": "the wearables, and when each was last heard",
    "outbox": "what waits for the broker, and what it will not have",
    "decode": "show what bytes mean",
    "scan": "show live what is on the air",
    "replay": "play a capture through the pipeline",
    "profile": "begin a device profile, or prove one",
    "schema": "print the contract: JSON Schemas and the AsyncAPI document",
}


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit code that the command states; 2 with all that is wrong where a file of ours is refused."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        args = _parsed(words)
        code: int = args.run(args)
        sys.stdout.flush()
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return code


def _parsed(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="station-gateway", description="The station's link to the 398 platform.")
    parser.add_argument("--version", action="version", version=version("station-gateway"))
    parser.set_defaults(run=lambda _: _helped(parser))
    commands = parser.add_subparsers(metavar="COMMAND")
    wanted = next((word for word in words if not word.startswith("-")), None)
    for name, help_ in COMMANDS.items():
        command = commands.add_parser(name, help=help_, description=help_)
        if name == wanted:
            module = import_module(f"gateway.cli.{name}")
            module.configure(command)
            command.set_defaults(run=module.run)
    return parser.parse_args(words)


def _helped(parser: argparse.ArgumentParser) -> int:
    parser.print_help(sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
