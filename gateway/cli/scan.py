"""`station-gateway scan`: what is on the air just now, by device, decoded where a profile knows it."""

import argparse
import asyncio
import contextlib
import math
import signal
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from drivers.base import Driver, Instant, LinkDown, Packet
from drivers.registry import Profiles
from drivers.replay import written
from gateway import logs
from gateway.cli import CONFIG
from gateway.cli.given import Unusable, framed, positive
from gateway.cli.onair import Entry, entries
from gateway.cli.screen import Lines, Screen, View
from gateway.cli.setting import setting
from gateway.clock import Clock
from gateway.health import Faults
from gateway.links import build_links
from gateway.setup import Setup

HEARD, NOTHING, USAGE = 0, 1, 2
DRAW_S = 0.5
RETRY_S = 2.0
CURES = {"serial_busy": "`systemctl stop station-gateway` if the daemon has it; else see `fuser -v` on the port"}
"""What helps on the bench, where that is something else than what helps the daemon."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Show live what is heard, by device: decoded values, signal strength, rate, and what no profile knows as hex. "
        "Listens to the links of the configuration, or to those named here. "
        "Exit 0: something was heard; 1: nothing was, or no link could be opened; 2: wrong usage."
    )
    stands = f"gateway.yaml, for its links, devices and profiles; without it {CONFIG}"
    parser.add_argument("--config", type=Path, metavar="FILE", help=stands)
    adapter = "listen to this Bluetooth adapter instead; may be given several times"
    parser.add_argument("--adapter", action="append", default=[], metavar="NAME", help=adapter)
    port = "listen to this serial receiver instead; may be given several times"
    parser.add_argument("--port", action="append", default=[], metavar="PORT", help=port)
    parser.add_argument("--profile", metavar="NAME", help="what the receivers at --port send; else 398-reference")
    parser.add_argument("--baud", type=int, metavar="N", help="bits per second of the receivers at --port")
    parser.add_argument("--profiles", type=Path, metavar="DIR", help="a folder of site profiles")
    parser.add_argument("--seconds", type=positive, metavar="N", help="end after N seconds; without it on Ctrl-C")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write a capture, for decode and replay")


def run(args: argparse.Namespace) -> int:
    logs.hush()
    try:
        setup = _setup(args)
        with _capture(args.save) as capture:
            return asyncio.run(_scan(setup, args.seconds, capture))
    except Unusable as refused:
        sys.stderr.write(f"scan: {refused}\n")
        return USAGE


def _setup(args: argparse.Namespace) -> Setup:
    """What to listen to and with. Unusable where that is nothing; Refused where the configuration is wrong."""
    how = {name: value for name in ("profile", "baud") if (value := getattr(args, name)) is not None}
    ports = [{"port": port} | how for port in args.port]
    links: dict[str, Any] = {"serial": ports, "bluetooth": [{"adapter": adapter} for adapter in args.adapter]}
    setup = setting(args.config, args.profiles, links if args.port or args.adapter else None)
    if not (setup.config.serial or setup.config.bluetooth or setup.config.replay):
        ways = "--adapter hci0, --port /dev/serial/by-id/… or --config FILE"
        raise Unusable(f"{args.config or CONFIG} names no links, or is not there: say what to listen to with {ways}")
    if args.profile and args.profile not in (names := framed(args.profile, setup.profiles)):
        raise Unusable(f"no profile is called '{args.profile}'; did you mean {' or '.join(names)}?")
    return setup


@contextlib.contextmanager
def _capture(path: Path | None) -> Iterator[BinaryIO | None]:
    """The file to save to. Nothing that stands there already is written over."""
    if path is None:
        yield None
        return
    try:
        with path.open("xb") as file:
            yield file
    except FileExistsError as error:
        raise Unusable(f"{path} is there already; name a file that is not") from error
    except OSError as error:
        raise Unusable(f"{path}: {(error.strerror or 'cannot be written').lower()}") from error


class _Ears:
    """The Listener: what is heard is shown, counted and saved."""

    def __init__(self, profiles: Profiles, view: View, capture: BinaryIO | None) -> None:
        self.heard = 0
        self._profiles, self._view, self._capture = profiles, view, capture
        self._began: int | None = None

    def packet(self, packet: Packet) -> None:
        self.heard += 1
        for entry in entries(packet, self._profiles):
            self._view.hear(entry)
        if self._capture is not None:
            began = self._began = packet.received.mono_ms if self._began is None else self._began
            self._capture.write(written(packet, (packet.received.mono_ms - began) / 1000))

    def rejected(self, link: str, reason: str, payload: bytes, received: Instant) -> None:
        self._view.hear(Entry(received, link, None, None, reason, payload.hex()))


class _Links:
    """All links, each kept going; `hopeless` once every one has failed and none ever worked."""

    def __init__(self, drivers: list[Driver], faults: Faults) -> None:
        self._drivers, self._faults = drivers, faults
        self._worked: set[str] = set()
        self._failed: set[str] = set()

    @property
    def hopeless(self) -> bool:
        return not self._worked and len(self._failed) == len(self._drivers)

    async def listen(self, ears: _Ears) -> None:
        await asyncio.gather(*(self._keep(driver, ears) for driver in self._drivers))

    async def _keep(self, driver: Driver, ears: _Ears) -> None:
        while True:
            try:
                await driver.run(ears, partial(self._works, driver.name))
            except LinkDown as down:
                self._failed.add(driver.name)
                self._faults.begin(down.fault, driver.name, str(down), CURES.get(down.fault, down.cure))
            await asyncio.sleep(RETRY_S)

    def _works(self, name: str) -> None:
        self._worked.add(name)
        self._faults.end(name)


async def _scan(setup: Setup, seconds: float | None, capture: BinaryIO | None) -> int:
    clock = Clock()
    faults = Faults(clock.moment)
    view: View = Screen(setup.roster, faults) if sys.stdout.isatty() else Lines(setup.roster, faults)
    links = build_links(setup.config, setup.profiles, setup.roster, clock, faults, bench=True)
    ears, kept = _Ears(setup.profiles, view, capture), _Links([link.driver for link in links.values()], faults)
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, over.set)
    end = loop.time() + (math.inf if seconds is None else seconds)
    listening = asyncio.create_task(kept.listen(ears))
    try:
        while not (over.is_set() or kept.hopeless or listening.done() or loop.time() >= end):
            view.draw(clock.now())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(DRAW_S, end - loop.time())):
                    await over.wait()
        view.draw(clock.now())
    finally:
        listening.cancel()
        await asyncio.wait({listening})
    return HEARD if ears.heard else NOTHING
