"""What the demo plays on: a broker, a pty and a pipe to send through, the daemon, and the street that presses.

A simulated street of wearables sends through a real pty and through a pipe of adverts; the real daemon, a process of
its own, carries it to a real broker, and a call centre at its other side accepts and clears what arrives.
"""

import asyncio
import contextlib
import itertools
import json
import logging
import math
import os
import random
import secrets
import signal
import socket
import sys
import tempfile
import time
import tty
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Self

from amqtt.broker import Broker

from gateway.cli import picture
from gateway.cli.call_centre import BrokerAt, CallCentre, DemoFailed
from gateway.cli.street import Code, Street, Wearable, advert_line, serial_frame
from gateway.config import Version

WEARABLES = 40
FIRST = 0x00010001
FIRST_PRESS_S = 0.5
PRESS_EVERY_S = 0.8
CODES = [Code.SOS] * 6 + [Code.FALL, Code.SHOPPING, Code.RIDE, Code.CALLBACK]
ARRIVE_S = 10.0
"""So long a press has to arrive once no other will be made."""
LEAVE_S = 2.0
"""The same after Ctrl-C."""
READY_S = 20.0
RSSI = -67
FRAME_S = 0.02
DRAW_S = 0.25
CONFIG = """\
station: {station}
data: data
control: control.sock
mqtt:
  brokers: ["{broker}"]
  version: "{version}"
  reconnect_max: 1s
  session_expiry: 1min
{login}
serial: [{{port: {pty}, name: receiver}}]
replay: [{{file: adverts, name: adverts}}]
log: {{format: json}}
"""


async def play(seconds: float | None, theirs: BrokerAt | None) -> int:
    """0 when every press arrived as one alert, 1 when not. DemoFailed where something it needs cannot be had."""
    over = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(name, over.set)
    station = f"demo-{secrets.token_hex(3)}"
    with tempfile.TemporaryDirectory(prefix="station-gateway-demo-") as made:
        folder = Path(made)
        async with _broker(theirs) as broker, CallCentre(broker, station) as centre:
            with _Antenna(folder) as antenna:
                _configure(folder, station, broker, antenna.port)
                async with _Daemon(folder) as daemon:
                    with picture.shown(centre, station, broker.url) as draw:
                        await _Walk(antenna, centre).run(seconds, over, daemon, draw)
                return picture.summary(centre, daemon.faults())


@contextlib.asynccontextmanager
async def _broker(theirs: BrokerAt | None) -> AsyncIterator[BrokerAt]:
    """The given broker, or one of our own on a free port."""
    if theirs is not None:
        yield theirs
        return
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
        yield BrokerAt(f"mqtt://127.0.0.1:{port}", Version.THREE)
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


def _configure(folder: Path, station: str, broker: BrokerAt, pty: str) -> None:
    login = ""
    if broker.username is not None:
        login += f"  username: {json.dumps(broker.username)}\n"
    if broker.password is not None:
        (folder / "password").write_text(broker.password)
        login += "  password: {file: password}\n"
    config = CONFIG.format(station=station, broker=broker.url, version=broker.version.value, login=login, pty=pty)
    (folder / "gateway.yaml").write_text(config)
    bands = (Wearable(FIRST + n) for n in range(WEARABLES))
    line = '  - {{id: {}, address: "{}", wearer: w-{:04}}}\n'
    entries = (line.format(name_of(n), band.address, n) for n, band in enumerate(bands))
    (folder / "devices.yaml").write_text("devices:\n" + "".join(entries))


def name_of(index: int) -> str:
    return f"band-{index:04}"


class _Daemon:
    """The real daemon, in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = folder / "log"
        self._process: asyncio.subprocess.Process

    async def __aenter__(self) -> Self:
        """Return when it is ready; DemoFailed, with what it said, where it does not become so."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified, self._log.open("wb") as log:
            notified.bind("")  # the kernel chooses a name, which is as short as a socket's must be
            notified.setblocking(False)
            name = notified.getsockname().decode().replace("\0", "@")
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "gateway.cli.main", "run", "--config", str(self._folder / "gateway.yaml")),
                stderr=log,
                env=os.environ | {"NOTIFY_SOCKET": name},
                start_new_session=True,  # Ctrl-C is for the demo, which then ends the daemon in order
            )
            ready = asyncio.create_task(asyncio.get_running_loop().sock_recv(notified, 4096))
            ended = asyncio.create_task(self._process.wait())
            await asyncio.wait({ready, ended}, timeout=READY_S, return_when=asyncio.FIRST_COMPLETED)
            ended.cancel()
            if not ready.done():
                ready.cancel()
                await self.__aexit__()
                raise DemoFailed(f"the daemon did not become ready; it said:\n{self._log.read_text()}")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.terminate()
        await self._process.wait()

    def alive(self) -> None:
        """DemoFailed where it has ended."""
        if self._process.returncode is not None:
            said = "".join(self._log.read_text().splitlines(keepends=True)[-3:])
            raise DemoFailed(f"the daemon has ended with {self._process.returncode}; it said last:\n{said}")

    def faults(self) -> list[str]:
        """What was broken and has not been mended since, each with its cure."""
        open_ = {}
        for line in self._log.read_text().splitlines():
            told = json.loads(line) if line.startswith("{") else {}
            match told.get("event"):
                case "fault":
                    open_[told["fault"], told["where"]] = f"{told['what']}; {told['cure']}"
                case "fault over":
                    open_.pop((told["fault"], told["where"]), None)
        return list(dict.fromkeys(open_.values()))


class _Walk:
    """The street lives, somebody presses now and then, and what arrives is followed."""

    def __init__(self, antenna: _Antenna, centre: CallCentre) -> None:
        self._antenna, self._centre = antenna, centre
        self._chance = random.Random()  # noqa: S311 - a game
        self._street = Street([Wearable(FIRST + n) for n in range(WEARABLES)], self._chance)
        self._turns = itertools.cycle(self._chance.sample(range(WEARABLES), WEARABLES))

    async def run(self, seconds: float | None, over: asyncio.Event, daemon: _Daemon, draw: Callable[[], None]) -> None:
        began = time.monotonic()
        end = began + seconds if seconds is not None else math.inf
        self._street.begin(began)
        press_at, draw_at = began + FIRST_PRESS_S, began
        while not self._over(end, LEAVE_S if over.is_set() else ARRIVE_S):
            now = time.monotonic()
            daemon.alive()
            if over.is_set():
                end = min(end, now)
            if press_at <= now < end:
                self._press(now)
                press_at = now + self._chance.uniform(0.5, 1.5) * PRESS_EVERY_S
            for band, payload in self._street.frames(now):
                self._antenna.send(band, payload)
            self._centre.follow(now)
            if now >= draw_at:
                draw()
                draw_at = now + DRAW_S
            await asyncio.sleep(FRAME_S)
        draw()

    def _over(self, end: float, patience: float) -> bool:
        """The time is up, and what was pressed has arrived or has had its time."""
        now = time.monotonic()
        return now >= end and (not self._centre.awaited or now >= self._centre.last_press + patience)

    def _press(self, now: float) -> None:
        index, code = next(self._turns), self._chance.choice(CODES)
        self._street.press(index, code, now)
        self._centre.expect(name_of(index), code, now)
