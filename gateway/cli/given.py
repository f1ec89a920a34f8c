"""What the bench is given to read: bytes written in arguments, or a file of captured or refused ones."""

import argparse
import math
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

import msgspec

from drivers.base import BASE_UUID, Address, Instant, KeyOf, Packet, PacketKind
from drivers.ble.sections import Sections, walk
from drivers.profile.golden import ANY_ADDRESS
from drivers.registry import Profiles
from drivers.replay import CaptureLine, parsed

LINK = "bench"
AT = Instant(0, 0)
AUTO = "auto"
LONGEST = 1 << 20
"""Bytes of a file's line that are looked at."""


class Unusable(Exception):
    """What was asked cannot be done; str() says why, and what to write instead."""


class Heard(msgspec.Struct, frozen=True):
    """Packets of one moment: the sections of one advert, or a single one. `where` is the line of the file."""

    packets: tuple[Packet, ...]
    sender: Address | None
    where: str = ""
    sections: Sections | None = None

    @property
    def single(self) -> bool:
        """Whether it is one section by itself, without what else the advert says, such as the device's name."""
        return not self.where and self.sections is None


class Stream(msgspec.Struct, frozen=True):
    """Bytes of a serial line, and the profiles whose frames may be in them. `text`: they are a line without its end."""

    octets: bytes
    names: tuple[str, ...]
    text: bool = False


class Quarantined(msgspec.Struct, frozen=True):
    """A line of the quarantine: bytes that were refused, and why."""

    at: str
    link: str
    reason: str
    hex: str
    where: str = ""

    @property
    def octets(self) -> bytes:
        return bytes.fromhex(self.hex)


Given = Heard | Stream | Quarantined


def configure(parser: argparse.ArgumentParser, *, files: bool) -> None:
    """The ways to give bytes; `files` too, where several packets are welcome."""
    ways = parser.add_mutually_exclusive_group(required=True)
    ways.add_argument("--advert", nargs="+", metavar="HEX", help="a whole advert (AD structures), walked into sections")
    of_company = "manufacturer data without its company ID, which is given in hex"
    ways.add_argument("--manufacturer", nargs="+", metavar=("ID", "HEX"), help=of_company)
    of_service = "service data without its UUID, which has 16, 32 or 128 bits"
    ways.add_argument("--service", nargs="+", metavar=("UUID", "HEX"), help=of_service)
    if files:
        ways.add_argument("--characteristic", nargs="+", metavar=("UUID", "HEX"), help="a value read or notified")
    framing = (
        "bytes of a serial line. FRAMING is the profile whose frames they are, a part of such names, "
        f"a way of framing such as start_length, or {AUTO} for all that have a serial side"
    )
    ways.add_argument("--serial", nargs="+", metavar=("FRAMING", "HEX"), help=framing)
    ways.add_argument("--line", nargs="+", metavar="TEXT", help="a line of text from a serial receiver, in quotes")
    if files:
        file = "a capture (`scan --save`), or a quarantine.jsonl of a station's data folder"
        ways.add_argument("file", nargs="*", default=[], metavar="FILE", help=file)
        parser.add_argument("--address", metavar="MAC", help="who sent it, where the bytes do not say so")
    parser.set_defaults(characteristic=None, file=[], address=None)
    parser.add_argument("--profiles", type=Path, metavar="DIR", help="a folder of site profiles")


def given(args: argparse.Namespace, profiles: Profiles) -> Iterator[Given]:
    """What was asked to be read. Unusable where it cannot be."""
    sender = address(args.address) if args.address else None
    if args.advert:
        sections = walk(octets(args.advert))
        yield Heard(tuple(sections.packets(LINK, AT, sender or ANY_ADDRESS)), sender, "", sections)
    elif args.manufacturer:
        yield _one(PacketKind.MANUFACTURER, company(args.manufacturer[0]), args.manufacturer, sender)
    elif args.service:
        yield _one(PacketKind.SERVICE_DATA, uuid(args.service[0]), args.service, sender)
    elif args.serial:
        yield Stream(_behind(args.serial), framed(args.serial[0], profiles))
    elif args.line:
        yield Stream(" ".join(args.line).strip("\r\n").encode(), framed(AUTO, profiles), text=True)
    elif args.characteristic:
        yield _one(PacketKind.CHARACTERISTIC, uuid(args.characteristic[0]), args.characteristic, sender)
    else:
        for name in args.file:
            yield from _file(name, args.file, sender)


def octets(words: Iterable[str]) -> bytes:
    """Hex digits in one or several words, of any case; spaces, colons, commas, dashes and 0x are welcome."""
    found = ""
    for word in re.split(r"[\s:,-]+", " ".join(words)):
        digits = word.lower().removeprefix("0x")
        if len(digits) % 2 or re.search(r"[^0-9a-f]", digits):
            raise Unusable(f"'{word}' is not hex; write two digits (0-9, a-f) for each byte")
        found += digits
    return bytes.fromhex(found)


def company(word: str) -> int:
    digits = word.lower().removeprefix("0x")
    if not re.fullmatch(r"[0-9a-f]{1,4}", digits):
        raise Unusable(f"'{word}' is no company ID; write up to four hex digits, such as 0x0059")
    return int(digits, 16)


def uuid(word: str) -> str:
    """As the drivers write it, 128 bits in lower case."""
    digits = word.lower().strip("{}").removeprefix("0x").replace("-", "")
    if not re.fullmatch(r"[0-9a-f]{4}|[0-9a-f]{8}|[0-9a-f]{32}", digits):
        raise Unusable(f"'{word}' is no UUID; write 4, 8 or 32 hex digits, such as 0xFCD2")
    if len(digits) < 32:
        return digits.rjust(8, "0") + BASE_UUID
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def address(word: str) -> Address:
    digits = re.sub(r"[:-]|^0x", "", word.lower())
    if not re.fullmatch(r"[0-9a-f]{12}|[0-9a-f]{8}", digits):
        raise Unusable(f"'{word}' is no address; write it like C0:98:00:01:02:03, or 8 hex digits of a serial receiver")
    return digits


def framed(word: str, profiles: Profiles) -> tuple[str, ...]:
    """The profiles that `--serial` means."""
    serial = {name: side for name in profiles.names if (side := profiles[name].file.serial) is not None}
    if word in serial:
        return (word,)
    alike = [
        name
        for name, side in serial.items()
        if word == AUTO or word in side.framing.model_fields_set or word.lower() in name
    ]
    if not alike:
        there = ", ".join(serial) or "none"
        raise Unusable(f"no profile with a serial side is called '{word}', or framed so; there are: {there}")
    return tuple(alike)


def positive(written: str) -> float:
    """An option's number."""
    try:
        number = float(written)
    except ValueError:
        number = 0.0
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{written!r} is no number above 0")
    return number


def loaded(folder: Path | None, name: str | None, key_of: KeyOf) -> Profiles:
    """The profiles that the bench reads with: the shipped ones with those of `folder`, or one of them alone."""
    profiles = Profiles.load(*([folder] if folder else []), key_of=key_of)
    if name is None:
        return profiles
    if name not in profiles.names:
        raise Unusable(f"no profile is called '{name}'; there are: {', '.join(profiles.names)}")
    return Profiles([profiles[name]], key_of)


def _one(kind: PacketKind, key: int | str, words: Sequence[str], sender: Address | None) -> Heard:
    return Heard((Packet(LINK, kind, key, _behind(words), AT, sender or ANY_ADDRESS),), sender)


def _behind(words: Sequence[str]) -> bytes:
    if len(words) < 2:
        raise Unusable(f"nothing stands behind '{words[0]}'; write the bytes there, in hex")
    return octets(words[1:])


def _file(name: str, words: Sequence[str], sender: Address | None) -> Iterator[Given]:
    """What a file's lines hold; the adjoining sections of one advert together."""
    path = Path(name)
    try:
        with path.open("rb") as file:
            lines = enumerate(iter(lambda: file.readline(LONGEST), b""), 1)
            found = (line for number, text in lines if text.strip() and (line := _line(f"{path}:{number}", text)))
            for _, together in groupby(found, _moment):
                yield from _joined(list(together), sender)
    except OSError as failed:
        raise Unusable(_unreadable(name, words, failed)) from failed


def _unreadable(name: str, words: Sequence[str], failed: OSError) -> str:
    if re.fullmatch(r"(?i)[0-9a-fx\s:-]+", " ".join(words)):
        instead = "--manufacturer ID HEX, --service UUID HEX, --serial FRAMING HEX, --advert HEX"
        return f"'{' '.join(words)}' is no file, and bytes are not read without what they are; write {instead}"
    return f"{name}: {(failed.strerror or 'cannot be read').lower()}; name a capture, or a quarantine.jsonl"


Line = tuple[str, CaptureLine | Quarantined]


def _line(where: str, text: bytes) -> Line | None:
    """One line; what is none is said, and passed over."""
    try:
        if b'"hex"' in text:
            refused = msgspec.json.decode(text, type=Quarantined)
            return where, msgspec.structs.replace(refused, hex=octets([refused.hex]).hex(), where=where)
        line = parsed(text)
        octets([line.payload])
    except (ValueError, RecursionError, Unusable) as wrong:
        sys.stderr.write(f"{where}: no line of a capture or a quarantine: {wrong}\n")
        return None
    return where, line


def _moment(line: Line) -> object:
    """What the sections of one advert share, and nothing else does."""
    where, told = line
    if isinstance(told, Quarantined) or told.t is None or told.address is None or told.kind is PacketKind.FRAME:
        return where
    return told.t, told.link, told.address


def _joined(lines: list[Line], sender: Address | None) -> Iterator[Given]:
    where, first = lines[0]
    if isinstance(first, Quarantined):
        yield first
        return
    told = [line for _, line in lines if isinstance(line, CaptureLine)]
    packets = [_sent(line.packet(line.link or LINK, AT), sender) for line in told]
    yield Heard(tuple(packets), told[0].packet(LINK, AT).address or sender, where)


def _sent(packet: Packet, sender: Address | None) -> Packet:
    if packet.address is not None or packet.kind is PacketKind.FRAME:
        return packet
    return msgspec.structs.replace(packet, address=sender or ANY_ADDRESS)
