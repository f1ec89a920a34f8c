"""`station-gateway decode`: what bytes mean, field by field, and what is wrong with those that mean nothing."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from drivers.base import UNITS, BadFrame, Instant, Metric, Occurrence, Packet, PacketKind
from drivers.framing import Refusal
from drivers.marked import Refused
from drivers.profile.compiled import Profile
from drivers.profile.explain import explained
from drivers.profile.golden import told, wording
from drivers.profile.recognition import carriers
from drivers.profile.written import digits
from drivers.registry import Profiles

DECODED, NOTHING, USAGE = 0, 1, 2


class Quarantined(msgspec.Struct, frozen=True):
    """One line of the quarantine: bytes that were refused, and why."""

    at: str
    link: str
    reason: str
    hex: str


class Unusable(Exception):
    """What was asked cannot be done; str() says why."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Show what bytes mean. Exit 0: decoded; 1: nothing recognised; 2: wrong usage."
    parser.add_argument("hex", nargs="*", metavar="HEX", help="bytes in hex; spaces, colons and any case are welcome")
    parser.add_argument("--file", type=Path, metavar="FILE", help="a quarantine: JSON lines with at, link, reason, hex")
    parser.add_argument("--profile", metavar="NAME", help="read under this profile alone")
    parser.add_argument("--profiles", type=Path, metavar="DIR", help="a folder of site profiles")


def run(args: argparse.Namespace) -> int:
    try:
        profiles = _profiles(args.profiles, args.profile)
        found = _asked("".join(args.hex), args.file, profiles)
    except (Unusable, Refused) as refused:
        sys.stderr.write(f"decode: {refused}\n")
        return USAGE
    return DECODED if found else NOTHING


def _asked(written: str, file: Path | None, profiles: list[Profile]) -> bool:
    if bool(written) == bool(file):
        raise Unusable("give either bytes in hex, such as 03 11 00 01, or --file FILE")
    return _file(file, profiles) if file else _shown(_octets(written), profiles)


def _profiles(folder: Path | None, name: str | None) -> list[Profile]:
    profiles = Profiles.load(*([folder] if folder else []))
    if name is not None and name not in profiles.names:
        raise Unusable(f"no profile is called '{name}'; there are: {', '.join(profiles.names)}")
    wanted = [profiles[each] for each in ([name] if name else profiles.names)]
    return [profile for profile in wanted if profile.file.fields]  # the others read standard characteristics only


def _octets(written: str) -> bytes:
    try:
        return bytes.fromhex(digits(written))
    except ValueError as wrong:
        raise Unusable(
            f"'{written}' is no hex string of whole bytes; write two digits (0-9, a-f) for each byte"
        ) from wrong


def _file(path: Path, profiles: list[Profile]) -> bool:
    """Show every line of a quarantine; whether any was decoded."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as failed:
        cure = "name a quarantine.jsonl, as it lies in a station's data folder"
        raise Unusable(f"{path}: {failed.strerror}; {cure}") from failed
    found = False
    for number, line in enumerate(lines, 1):
        try:
            entry = msgspec.json.decode(line, type=Quarantined)
            octets = _octets(entry.hex)
        except (msgspec.DecodeError, Unusable) as wrong:
            sys.stderr.write(f"{path}:{number}: no quarantine line: {wrong}\n")
            continue
        sys.stdout.write(f"{entry.at} {entry.link} {entry.reason}: {octets.hex()}\n")
        found |= _shown(octets, profiles, unwrapped=entry.link.startswith("serial:"))
    return found


def _shown(octets: bytes, profiles: list[Profile], *, unwrapped: bool = False) -> bool:
    """Show `octets` under each profile; whether any could read them. See `_reports` for `unwrapped`."""
    found = False
    for profile in profiles:
        for decoded, lines in _reports(octets, profile, unwrapped=unwrapped):
            found |= decoded
            sys.stdout.writelines(f"{line}\n" for line in lines)
    if not found:
        sys.stdout.write("nothing recognised\n")
    return found


Report = tuple[bool, list[str]]
"""Whether the bytes were decoded, and what to say of them."""


def _reports(octets: bytes, profile: Profile, *, unwrapped: bool) -> Iterator[Report]:
    """As what a link delivers if they look like it; as a bare payload only where they do not.

    `unwrapped`: they may be a serial frame's body, as the quarantine keeps it where the framing was sound.
    """
    serial = profile.file.serial
    if reports := [*_serial(octets, profile), *_adverts(octets, profile)]:
        yield from reports
    elif unwrapped and serial and len(octets) >= serial.payload.at + profile.layouts[0].least:
        yield _body(octets, profile, serial.payload.at)
    else:
        yield _report(profile, "bare payload", octets)


def _serial(octets: bytes, profile: Profile) -> Iterator[Report]:
    framing, serial = profile.framing, profile.file.serial
    if framing is None or serial is None:
        return
    heard = framing.deframer().feed(octets)
    if not framing.claims(octets) and not any(isinstance(each, bytes) for each in heard):
        return
    for each in heard:
        if isinstance(each, BadFrame):
            said = "" if each.reason == Refusal.RUBBISH else f": {framing.explain(each.payload)}"
            yield False, [f"{profile.name}, serial frame: {each.reason}{said}: {each.payload.hex()}"]
        else:
            yield _body(each, profile, serial.payload.at)
    if not heard:
        yield False, [f"{profile.name}, serial frame: {framing.explain(octets)}"]


def _body(body: bytes, profile: Profile, begin: int) -> Report:
    sender = ""
    if profile.frame and len(body) >= begin + profile.layouts[0].least:
        decoded = profile.frame(Packet("bench", PacketKind.FRAME, profile.name, body, Instant(0, 0)))
        sender = f" from {decoded.address}" if decoded and decoded.address else " of the receiver itself"
        sender += "" if decoded is None or decoded.rssi is None else f", rssi {decoded.rssi} {UNITS[Metric.RSSI]}"
    return _report(profile, f"serial frame{sender}", body[begin:])


def _adverts(octets: bytes, profile: Profile) -> Iterator[Report]:
    """Sections are recognised by their prefix alone: company id and UUID are not among the bytes."""
    for kind, key, prefix, _ in carriers(profile.file.bluetooth):
        if prefix and octets.startswith(prefix):
            named = f"company 0x{key:04X}" if isinstance(key, int) else key
            yield _report(profile, f"{kind.value.replace('_', ' ')} of {named}", octets[len(prefix) :])


def _report(profile: Profile, title: str, payload: bytes) -> Report:
    try:
        said = profile.read(payload, None, None)
    except BadFrame as bad:
        why = f"{bad.reason}: {len(payload)} bytes of payload, at least {profile.layouts[0].least} are needed: {payload.hex()}"
        return False, [f"{profile.name}, {title}: {why}"]
    rows = [("at", "bytes", "field", "raw", "value")]
    rows += explained(profile, payload)
    lines = [f"{profile.name}, {title}", *_table(rows)]
    lines += [f"  occurrence: {wording(told(each))}" for each in (said.readings if said else ()) if isinstance(each, Occurrence)]
    if said and said.absurd:
        lines.append(f"  absurd, nothing is read from: {', '.join(said.absurd)}")
    if len(payload) > profile.layouts[0].least:
        lines.append(f"  passed over: {payload[profile.layouts[0].least :].hex()}")
    return True, lines


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()
