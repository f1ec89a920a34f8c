"""`station-gateway replay FILE`: a capture through the real pipeline, and what it comes to."""

import argparse
import asyncio
import contextlib
import math
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from drivers.base import Auth, Instant, Measurement, Metric, Packet
from drivers.replay import CaptureLine, parsed
from gateway import logs
from gateway.cli import CONFIG
from gateway.cli.delivery import Undelivered, delivering
from gateway.cli.given import Unusable, positive
from gateway.cli.rehearsal import Rehearsal, StillClock, rehearsing
from gateway.cli.setting import setting
from gateway.cli.sheet import worded
from gateway.config import BluetoothLink, Config, ReplayLink, SerialLink
from gateway.errors import UplinkDown
from gateway.health import LinkCounters
from gateway.model import Alert, Moment, Reason, Sample, Wearable
from gateway.setup import Setup

THROUGH, UNDELIVERED, USAGE = 0, 1, 2


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Play a capture through the real pipeline, on a data folder of its own and without a broker, and show the "
        "alerts and readings that it comes to. They are the same at any speed: time runs as the capture says. "
        "Exit 0: the capture is through; 1: with --live, the broker did not take all of it; 2: wrong usage."
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a capture, as `scan --save` writes it")
    stands = f"gateway.yaml, for its devices and profiles; without it {CONFIG}, if that is there"
    parser.add_argument("--config", type=Path, metavar="FILE", help=stands)
    parser.add_argument("--profiles", type=Path, metavar="DIR", help="a folder of site profiles")
    speed = parser.add_mutually_exclusive_group()
    speed.add_argument("--speed", type=positive, default=1.0, metavar="N", help="so many times as fast as it was heard")
    speed.add_argument("--fast", action="store_const", dest="speed", const=math.inf, help="as fast as it goes")
    live = "send it to the configured broker as well; every alert and reading is then test: true"
    parser.add_argument("--live", action="store_true", help=live)


def run(args: argparse.Namespace) -> int:
    """0 when the capture is through, 1 where the broker did not take it, 2 where there is nothing to play."""
    logs.hush()
    try:
        capture = Capture(args.file)
        setup = setting(args.config, args.profiles)
        asyncio.run(_replay(capture, setup, args.speed, live=args.live))
    except Unusable as refused:
        sys.stderr.write(f"replay: {refused}\n")
        return USAGE
    except (UplinkDown, Undelivered) as down:
        sys.stderr.write(f"replay: {down}; {down.cure}\n")
        return UNDELIVERED
    return THROUGH


class Capture:
    """A file that was looked through once: what is no line of a capture has been told. `links` is what heard it."""

    def __init__(self, path: Path) -> None:
        self._path, self._own = path, f"replay:{path.name}"
        self.links = {self._link(line) for line in self._lines(sys.stderr.write)}
        if not self.links:
            raise Unusable(f"{path}: no packet is in it; name a capture, as `station-gateway scan --save` writes it")

    def packets(self, began: Instant) -> Iterator[tuple[float, Packet]]:
        """Every packet, and its time in seconds from the beginning, which never goes back."""
        t = 0.0
        for line in self._lines(lambda _: None):
            t = max(t, line.t or 0.0)
            ms = round(t * 1000)
            yield t, line.packet(self._link(line), Instant(began.wall_ms + ms, began.mono_ms + ms))

    def _lines(self, tell: Callable[[str], object]) -> Iterator[CaptureLine]:
        try:
            with self._path.open("rb") as file:
                for number, text in enumerate(file, 1):
                    try:
                        line = parsed(text)
                        bytes.fromhex(line.payload)
                    except ValueError as wrong:
                        tell(f"{self._path}:{number}: no line of a capture: {wrong}\n")
                    else:
                        yield line
        except OSError as failed:
            raise Unusable(f"{self._path}: {(failed.strerror or 'cannot be read').lower()}; name a capture") from failed

    def _link(self, line: CaptureLine) -> str:
        """What heard it, where that is a link's name; else the file."""
        link = line.link or ""
        return link if link.startswith(("serial:", "ble:", "replay:")) else self._own


async def _replay(capture: Capture, setup: Setup, speed: float, *, live: bool) -> None:
    zones, clock = dict.fromkeys(capture.links) | _zones(setup.config), StillClock()
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="station-gateway-replay-")))
        stage = rehearsing(setup, folder, zones, clock, Shown(clock.shown), test=live)
        rehearsal = await stack.enter_async_context(stage)
        if live:
            broker = await stack.enter_async_context(delivering(setup.config, rehearsal.stage))
            print(f"sent to {broker}, all of it test: true")
        await _played(capture.packets(clock.shown), rehearsal, speed)
        print(_summary(rehearsal.pipeline.links))


async def _played(packets: Iterator[tuple[float, Packet]], rehearsal: Rehearsal, speed: float) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    for t, packet in packets:
        await asyncio.sleep(max(0.0, began + t / speed - loop.time()))
        await rehearsal.hear(packet)
    await rehearsal.end()


def _zones(config: Config) -> dict[str, str | None]:
    links: list[SerialLink | BluetoothLink | ReplayLink] = [*config.serial, *config.bluetooth, *config.replay]
    return {link.link: link.zone for link in links}


class Shown:
    """What the capture comes to, a line for each, by the seconds since its beginning."""

    def __init__(self, began: Instant) -> None:
        self._began = began

    def alert(self, alert: Alert, reason: Reason, now: Moment) -> None:
        about = [f"{alert.press_count} presses"] if alert.press_count > 1 else []
        marks = ("late", alert.late), ("not confirmed", not alert.confirmed), ("test", alert.key.test)
        about += [word for word, holds in marks if holds]
        about += [] if alert.auth is Auth.NONE else [alert.auth.value]
        about += [f"heard by {each.link}{'' if each.rssi is None else f' at {each.rssi}'}" for each in alert.heard_by]
        kind = f"{alert.key.kind.value} {alert.key.service or ''}".rstrip()
        self._say(now, "alert", alert.wearable, f"{kind} {alert.state.value} ({reason.value}); {'; '.join(about)}")

    def reading(self, sample: Sample) -> None:
        measured = (worded(Measurement(Metric(name), value)) for name, value in sample.values.items())
        self._say(sample.at, "reading", sample.wearable, "; ".join(measured))

    def _say(self, at: Moment, what: str, wearable: Wearable | None, said: str) -> None:
        seconds = (at.mono_ms - self._began.mono_ms) / 1000
        print(f"{seconds:9.3f}  {what:7}  {_who(wearable)}  {said}")


def _who(wearable: Wearable | None) -> str:
    """As the roster calls it; on the bench an address says more than a pseudonym."""
    if wearable is None:
        return "-"
    return wearable.device if wearable.registered else f"{wearable.address} (not registered)"


def _summary(links: Mapping[str, LinkCounters]) -> str:
    """The counters, so that it shows where things stop."""
    counted = {name: sum(getattr(link, name) for link in links.values()) for name in ("packets", "readings", "events")}
    rejected = sum((link.rejected for link in links.values()), Counter())
    passed = rejected + Counter(unknown=sum(link.unknown for link in links.values()))
    said = ", ".join(f"{count} {name}" for name, count in counted.items())
    return f"{said}; not read: {', '.join(f'{n} {why}' for why, n in passed.items())}" if passed else said
