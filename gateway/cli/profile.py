"""`station-gateway profile`: begin a device profile from a captured frame, and prove one by its golden frames."""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from drivers.marked import Problem, Refused, Where
from drivers.profile.compiled import Profile
from drivers.profile.golden import disproved
from drivers.profile.load import compiled, load, located
from drivers.registry import SHIPPED
from gateway.cli import given
from gateway.cli.bench import Bench
from gateway.cli.given import Heard, Stream, Unusable
from gateway.cli.skeleton import Part, of_frame, of_line, of_section, skeleton, unframed

GOOD, DISPROVED, USAGE = 0, 1, 2


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Begin a device profile from a captured frame, or prove profiles by their golden frames. "
        "Exit 0: it is written, or all golden frames are as stated; 1: one is not; "
        "2: wrong usage, or a file that is no profile."
    )
    acts = parser.add_subparsers(required=True, metavar="new|test")
    about = "a skeleton of a profile, with the captured frame as its golden frame, to go on with"
    new = acts.add_parser("new", help=about, description=f"Write {about}.")
    new.add_argument("name", metavar="NAME", help="the profile's name: lower-case letters, digits and hyphens")
    given.configure(new, files=False)
    new.add_argument("--output", type=Path, metavar="FILE", help="where to write it; without it on standard output")
    new.set_defaults(act=_new)
    about = "say of every golden frame whether the profile reads it as it states"
    test = acts.add_parser("test", help=about, description=f"{about.capitalize()}.")
    default = f"profiles, or folders of them; without any, the shipped ones in {SHIPPED}"
    test.add_argument("paths", nargs="*", type=Path, default=[SHIPPED], metavar="FILE|DIR", help=default)
    test.set_defaults(act=_test)


def run(args: argparse.Namespace) -> int:
    try:
        code: int = args.act(args)
    except Unusable as refused:
        sys.stderr.write(f"profile: {refused}\n")
        return USAGE
    return code


def _new(args: argparse.Namespace) -> int:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", args.name):
        raise Unusable(f"'{args.name}' is no name for a profile; write lower-case letters, digits and hyphens")
    text = skeleton(args.name, _part(args))
    if args.output is None:
        sys.stdout.write(text)
        return GOOD
    try:
        with args.output.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as failed:
        why = "is there already" if isinstance(failed, FileExistsError) else (failed.strerror or "failed").lower()
        raise Unusable(f"{args.output}: {why}; name another file with --output") from failed
    try:
        load(args.output)
    except Refused as lacking:
        sys.stderr.write(f"written; this is still to be filled in:\n{lacking}\n")
    return GOOD


def _part(args: argparse.Namespace) -> Part:
    """What was captured, as a skeleton needs it."""
    bench = Bench(given.loaded(args.profiles, None, lambda _: None), lambda _: None)
    if args.line:
        return of_line(" ".join(args.line).strip())
    (captured,) = given.given(args, bench.profiles)
    if isinstance(captured, Stream):
        return _serial(captured, bench)
    sections = captured.packets if isinstance(captured, Heard) else ()
    if not sections or not sections[0].payload:
        raise Unusable("no bytes are left to make fields of; give an advert with manufacturer or service data")
    return of_section(sections[0])


def _serial(captured: Stream, bench: Bench) -> Part:
    frames = [outcome for outcome in bench.read(captured).outcomes if outcome.packet is not None]
    if not frames or frames[0].packet is None:
        return unframed(captured.octets)
    return of_frame(captured.octets, frames[0], bench.profiles[str(frames[0].packet.key)])


def _test(args: argparse.Namespace) -> int:
    """All that is wrong with each file; the worst of the exit codes."""
    return max(_proved(path) for path in _files(args.paths))


def _files(paths: list[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        inside = sorted(path.glob("*.y*ml")) if path.is_dir() else [path]
        if not inside:
            raise Unusable(f"{path}: no profile is in this folder; they are called NAME.yaml")
        found += inside
    return found


def _proved(path: Path) -> int:
    try:
        document, profile = compiled(path)
    except Refused as refused:
        print(f"{path}\n{refused}")
        return USAGE
    wrong: dict[Where, list[Problem]] = {}
    for found in disproved(profile):
        wrong.setdefault(found.where[:2], []).append(located(document, found))
    frames = list(_frames(profile))
    print(f"{path}: {profile.name}, {len(frames) - len(wrong)} of {len(frames)} as stated")
    for where, name in frames:
        print(f"  {'WRONG' if where in wrong else 'ok':5}  {name}")
        for problem in wrong.get(where, ()):
            print(f"         {problem}")
    return DISPROVED if wrong else GOOD


def _frames(profile: Profile) -> Iterator[tuple[Where, str]]:
    """Every golden frame: its place in the file, and what it is."""
    for number, golden in enumerate(profile.file.golden):
        yield ("golden", number), golden.name
    for number, write in enumerate(profile.file.golden_writes):
        yield ("golden_writes", number), f"buzz {write.buzz} to {write.address}"
