"""How a scan is shown: a table that is drawn anew on a terminal, a line for each packet elsewhere."""

import shutil
import sys
from collections.abc import Iterator
from typing import Protocol

from drivers.base import Address, Instant
from gateway.cli.onair import Entry, OnAir
from gateway.cli.sheet import table
from gateway.health import Faults
from gateway.roster import Roster
from gateway.wire import rfc3339

HOME, CLEAR, END_OF_LINE, BELOW = "\x1b[H", "\x1b[2J", "\x1b[K", "\x1b[J"
HEAD = ("device", "id", "link", "rssi", "per s", "last", "says")


class View(Protocol):
    """`hear` takes what was heard; `draw` is called now and then."""

    def hear(self, entry: Entry) -> None: ...
    def draw(self, now: Instant) -> None: ...


class Lines:
    """Everything as it comes; faults go to standard error, each once."""

    def __init__(self, roster: Roster, faults: Faults) -> None:
        self._roster, self._faults = roster, faults
        self._told: set[str] = set()

    def hear(self, entry: Entry) -> None:
        rssi = "-" if entry.rssi is None else str(entry.rssi)
        who = entry.device or "-", _name(entry.device, self._roster) or "-"
        print(rfc3339(entry.at.wall_ms)[11:23], entry.link, *who, rssi, _said(entry), sep="  ", flush=True)

    def draw(self, now: Instant) -> None:  # noqa: ARG002 - the View's word
        faults = set(_faults(self._faults))
        for fault in sorted(faults - self._told):
            print(f"scan: {fault}", file=sys.stderr, flush=True)
        self._told = faults


class Screen:
    """The whole terminal, for as long as it lasts; what was drawn last stays."""

    def __init__(self, roster: Roster, faults: Faults) -> None:
        self._roster, self._faults = roster, faults
        self._on_air = OnAir()
        sys.stdout.write(CLEAR)

    def hear(self, entry: Entry) -> None:
        self._on_air.hear(entry)

    def draw(self, now: Instant) -> None:
        width, height = shutil.get_terminal_size()
        head = f"{len(self._on_air)} devices, {self._on_air.heard} packets; Ctrl-C ends it"
        lines = [head, *_faults(self._faults), *table([HEAD, *rows(self._on_air, self._roster, now.mono_ms)])]
        shown = "".join(f"{line[:width]}{END_OF_LINE}\n" for line in lines[: height - 1])
        sys.stdout.write(f"{HOME}{shown}{BELOW}")
        sys.stdout.flush()


def rows(on_air: OnAir, roster: Roster, now_ms: int) -> Iterator[tuple[str, ...]]:
    """A row for each device, and one for each further thing that it says."""
    for device in on_air:
        last, name = device.last, _name(device.last.device, roster)
        rssi = "" if last.rssi is None else str(last.rssi)
        ago = f"{(now_ms - last.at.mono_ms) / 1000:.0f} s"
        head: tuple[str, ...] = (last.device or "-", name, last.link, rssi, f"{device.rate(now_ms):.1f}", ago)
        for part in device.parts:
            yield *head, _said(part)
            head = ("",) * len(head)


def _faults(faults: Faults) -> Iterator[str]:
    return (f"{fault.where}: {fault.what}; {fault.cure}" for fault in faults)


def _said(entry: Entry) -> str:
    return f"{entry.what}: {entry.text}" if entry.text else entry.what


def _name(device: Address | None, roster: Roster) -> str:
    known = roster.find(device) if device is not None else None
    return known.id if known is not None else ""
