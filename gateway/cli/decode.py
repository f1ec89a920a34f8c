"""`station-gateway decode`: what bytes mean, field by field, and what is wrong with those that mean nothing."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from drivers.base import Address, KeyOf
from gateway.cli import given
from gateway.cli.bench import Bench, Read
from gateway.cli.given import Unusable
from gateway.cli.objects import Numbers, devices, strays
from gateway.cli.sheet import Sheet

DECODED, NOTHING, USAGE = 0, 1, 2
Show = Callable[[Read], None]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Show what bytes mean: which profile reads them, every field with its bytes, and why other profiles do not. "
        "Exit 0: something was decoded; 1: nothing was; 2: wrong usage."
    )
    given.configure(parser, files=True)
    parser.add_argument("--profile", metavar="NAME", help="read under this profile alone")
    key = parser.add_mutually_exclusive_group()
    key.add_argument("--key-file", type=Path, metavar="FILE", help="file with the sender's key, in hex")
    bench = "the same key as an argument, for the bench only: everybody on this machine can read it meanwhile"
    key.add_argument("--key", metavar="HEX", help=bench)
    parser.add_argument("--json", action="store_true", help="JSON lines, one object for each device heard")


def run(args: argparse.Namespace) -> int:
    """0 where something was decoded, 1 where nothing was, 2 where what was asked makes no sense."""
    try:
        key_of = _keys(args)
        bench = Bench(given.loaded(args.profiles, args.profile, key_of), key_of)
        show = _as_objects(bench) if args.json else _as_sheet(bench, key_of)
        found = False
        for each in given.given(args, bench.profiles):
            read = bench.read(each)
            show(read)
            found |= read.decoded
    except Unusable as refused:
        sys.stderr.write(f"decode: {refused}\n")
        return USAGE
    return DECODED if found else NOTHING


def _keys(args: argparse.Namespace) -> KeyOf:
    """The key given is the sender's, where one is named, and else everybody's."""
    key = given.octets([args.key]) if args.key else _read(args.key_file) if args.key_file else None
    sender = given.address(args.address) if args.address else None

    def key_of(device: Address) -> bytes | None:
        return key if sender in (None, device) else None

    return key_of


def _read(file: Path) -> bytes:
    try:
        return given.octets([file.read_text(encoding="ascii").strip()])
    except (OSError, ValueError, Unusable) as wrong:  # what stands in it is a secret and is not told back
        why = (wrong.strerror or "cannot be read").lower() if isinstance(wrong, OSError) else "holds no key in hex"
        raise Unusable(f"{file}: {why}; write the key's hex digits into it, and nothing else") from wrong


def _as_objects(bench: Bench) -> Show:
    numbers = Numbers()

    def show(read: Read) -> None:
        for device in devices(read, bench.profiles, numbers):
            sys.stdout.write(f"{msgspec.json.encode(device).decode()}\n")
        if read.decoded:
            sys.stderr.writelines(f"decode: passed over, {stray}\n" for stray in strays(read))

    return show


def _as_sheet(bench: Bench, key_of: KeyOf) -> Show:
    sheet = Sheet(bench.profiles, key_of)

    def show(read: Read) -> None:
        sys.stdout.writelines(f"{line}\n" for line in sheet.lines(read))

    return show
