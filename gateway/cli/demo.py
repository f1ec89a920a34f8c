"""`station-gateway demo`: the main job on this machine with nothing attached.

A simulated street of wearables sends through a real pty and through a pipe of adverts; the real daemon, a process of
its own, carries it to a real broker, and a call centre at its other side accepts and clears what arrives.
"""

import argparse
import asyncio
import contextlib
import importlib
import itertools
import logging
import os
import random
import secrets
import signal
import socket
import sys
import tempfile
import time
import tty
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from gateway.cli.call_centre import CallCentre
from gateway.cli.street import Code, Street, Wearable, advert_line, serial_frame

WEARABLES = 40
FIRST = 0x00010001
PRESS_EVERY_S = 0.8
CODES = [Code.SOS] * 6 + [Code.FALL, Code.SHOPPING, Code.RIDE, Code.CALLBACK]
ARRIVE_S = 15.0
READY_S = 20.0
RSSI = -67
FRAME_S = 0.02
LINE = "station: {station}\ndata: data\nmqtt: {{brokers: [{broker}], version: '{version}'}}\n"
LINKS = "serial: [{{port: {pty}, name: receiver}}]\nreplay: [{{file: adverts, name: adverts}}]\nlog: {{format: json}}\n"
NO_EXTRA = "the demo needs the extra packages amqtt and rich: pip install 'station-gateway[demo]'"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, metavar="N", help="end after N seconds; without it on Ctrl-C")
    parser.add_argument("--broker", metavar="URL", help="mqtt://HOST:PORT instead of a broker of its own")


def run(args: argparse.Namespace) -> int:
    """0 when every press arrived as one alert, 1 when not, 2 where something it needs is missing."""
    try:
        picture = importlib.import_module("gateway.cli.picture")
        importlib.import_module("amqtt.broker")
    except ImportError:
        print(NO_EXTRA, file=sys.stderr)
        return 2
    try:
        return asyncio.run(_demo(args.seconds, args.broker, picture))
    except (OSError, ValueError, DemoFailed) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2


class DemoFailed(Exception):
    """The demo could not be set up; its text says why."""


async def _demo(seconds: float | None, broker: str | None, picture: Any) -> int:
    over = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, over.set)
    with tempfile.TemporaryDirectory(prefix="station-gateway-demo-") as made:
        folder, station = Path(made), f"demo-{secrets.token_hex(3)}"
        async with _broker(broker) as url:
            with _Antenna(folder) as antenna, CallCentre(url, station) as centre:
                _configure(folder, station, url, antenna, "5" if broker else "3.1.1")
                daemon = await _start(folder)
                try:
                    street = _Walk(antenna, centre)
                    with picture.shown(centre, station, url) as draw:
                        await street.run(seconds, over, daemon, draw)
                finally:
                    if daemon.returncode is None:
                        daemon.terminate()
                    await daemon.wait()
                code: int = picture.summary(centre)
                return code


@contextlib.asynccontextmanager
async def _broker(url: str | None) -> AsyncIterator[str]:
    """The given broker, or one of our own on a free port."""
    if url is not None:
        yield url
        return
    from amqtt.broker import Broker  # noqa: PLC0415 - an extra

    for name in ("amqtt", "transitions"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    await broker.start()
    try:
        yield f"mqtt://127.0.0.1:{port}"
    finally:
        await broker.shutdown()


class _Antenna:
    """A pty that a receiver would be, and a pipe of adverts. Even wearables are on the wire, odd ones on the air,
    and every fifth is heard by both, so that copies meet."""

    def __init__(self, folder: Path) -> None:
        self._pipe = folder / "adverts"

    def __enter__(self) -> "_Antenna":
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        os.mkfifo(self._pipe)
        self._adverts = os.open(self._pipe, os.O_RDWR | os.O_NONBLOCK)
        self.port = os.ttyname(self._slave)
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in (self._master, self._slave, self._adverts):
            os.close(descriptor)

    def send(self, band: Wearable, payload: bytes) -> None:
        """What a full line does not take is lost, as on the air; the wearable repeats itself."""
        on_both = band.number % 5 == 0
        with contextlib.suppress(BlockingIOError):
            if on_both or band.number % 2 == 0:
                os.write(self._master, serial_frame(band.number, payload, RSSI))
            if on_both or band.number % 2:
                os.write(self._adverts, advert_line(band.address, payload, RSSI))


def _configure(folder: Path, station: str, url: str, antenna: _Antenna, version: str) -> None:
    text = LINE.format(station=station, broker=url, version=version) + LINKS.format(pty=antenna.port)
    (folder / "gateway.yaml").write_text(text)
    bands = (Wearable(FIRST + n) for n in range(WEARABLES))
    line = '  - {{id: {}, address: "{}", wearer: w-{:04}}}\n'
    entries = (line.format(name_of(n), band.address, n) for n, band in enumerate(bands))
    (folder / "devices.yaml").write_text("devices:\n" + "".join(entries))


def name_of(index: int) -> str:
    return f"band-{index:04}"


async def _start(folder: Path) -> asyncio.subprocess.Process:
    """The real daemon; DemoFailed, with what it said, where it does not become ready."""
    told = folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified, (folder / "log").open("wb") as log:
        notified.bind(str(told))
        notified.setblocking(False)
        daemon = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway.cli.main", "run", "--config", str(folder / "gateway.yaml")),
            stderr=log,
            env=os.environ | {"NOTIFY_SOCKET": str(told)},
            start_new_session=True,  # Ctrl-C is for the demo, which then ends the daemon in order
        )
        try:
            async with asyncio.timeout(READY_S):
                await asyncio.get_running_loop().sock_recv(notified, 4096)
        except TimeoutError:
            daemon.kill()
            raise DemoFailed(f"the daemon did not become ready:\n{(folder / 'log').read_text()}") from None
    return daemon


class _Walk:
    """The street lives, somebody presses now and then, and what arrives is followed."""

    def __init__(self, antenna: _Antenna, centre: CallCentre) -> None:
        self._antenna, self._centre = antenna, centre
        self._chance = random.Random()  # noqa: S311 - a game
        self._street = Street([Wearable(FIRST + n) for n in range(WEARABLES)], self._chance)
        self._turns = itertools.cycle(self._chance.sample(range(WEARABLES), WEARABLES))

    async def run(
        self, seconds: float | None, over: asyncio.Event, daemon: asyncio.subprocess.Process, draw: Any
    ) -> None:
        began = time.monotonic()
        end = began + seconds if seconds is not None else float("inf")
        self._street.begin(began)
        press_at, draw_at = began + 1.0, began
        while not self._over(over, end):
            now = time.monotonic()
            if daemon.returncode is not None:
                raise DemoFailed(f"the daemon has ended with {daemon.returncode}")
            if now >= press_at and now < end and not over.is_set():
                self._press(now)
                press_at = now + self._chance.uniform(0.5, 1.5) * PRESS_EVERY_S
            for band, payload in self._street.frames(now):
                self._antenna.send(band, payload)
            self._centre.follow(now)
            if now >= draw_at:
                draw()
                draw_at = now + 0.25
            await asyncio.sleep(FRAME_S)
        draw()

    def _over(self, over: asyncio.Event, end: float) -> bool:
        """The time is up, and what was pressed has arrived or has had its time."""
        now = time.monotonic()
        if over.is_set():
            end = min(end, now)
        return now >= end and (not self._centre.awaited or now >= self._centre.last_press + ARRIVE_S)

    def _press(self, now: float) -> None:
        index = next(self._turns)
        self._street.press(index, self._chance.choice(CODES), now)
        self._centre.expect(name_of(index), now)
