"""What systemd is told, over a real datagram socket: at once or not at all, and never by waiting for it."""

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import notify as module
from gateway.notify import STALL_S, announce, notify, watch, watchdog_period


class Systemd:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.setblocking(False)

    def read(self) -> list[str]:
        """Every datagram that has arrived."""
        told = []
        while True:
            try:
                told.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return told

    async def next(self) -> str:
        async with asyncio.timeout(5):
            return (await asyncio.get_running_loop().sock_recv(self._socket, 4096)).decode()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systemd]:
    path = str(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", path)
    listening = Systemd(path)
    yield listening
    listening.close()


def fill() -> int:
    """Send until the queue is full; how many it took."""
    taken = 0
    while notify("STATUS=full"):
        taken += 1
        assert taken < 100_000
    return taken


def within(seconds: float, work: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(seconds):
            await work

    asyncio.run(bounded())


def test_lines_arrive_as_one_datagram(systemd: Systemd) -> None:
    assert notify("READY=1", "STATUS=12 packets, 3 événements")
    assert systemd.read() == ["READY=1\nSTATUS=12 packets, 3 événements"]


def test_an_abstract_socket_is_reached_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    listening = Systemd(f"\0{tmp_path}")
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{tmp_path}")
    assert notify("READY=1")
    assert listening.read() == ["READY=1"]
    listening.close()


@pytest.mark.parametrize("address", [None, ""])
def test_without_systemd_nothing_is_said_and_nothing_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, address: str | None
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    if address is not None:
        monkeypatch.setenv("NOTIFY_SOCKET", address)
    assert notify("READY=1")
    within(1.0, announce("READY=1"))


def test_a_full_queue_is_said_at_once_and_takes_nothing_away(systemd: Systemd) -> None:
    taken = fill()
    assert taken >= 1
    before = time.monotonic()
    assert not any(notify("WATCHDOG=1") for _ in range(1_000))
    assert time.monotonic() - before < 1.0
    assert systemd.read() == ["STATUS=full"] * taken


def test_ready_is_said_as_soon_as_the_queue_takes_it_and_the_loop_goes_on_meanwhile(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANNOUNCE_S", 0.001)

    async def run() -> None:
        taken = fill()
        announcing = asyncio.create_task(announce("READY=1", "STATUS=up"))
        for _ in range(10):
            await asyncio.sleep(0.002)
        assert not announcing.done()
        assert systemd.read() == ["STATUS=full"] * taken
        await announcing
        assert systemd.read() == ["READY=1\nSTATUS=up"]

    within(5.0, run())


@pytest.mark.parametrize(
    ("allowed", "period"),
    [("30000000", 10.0), ("1500000", 0.5), (None, 1.0), ("", 1.0), ("0", 1.0), ("-1", 1.0), ("x", 1.0)],
)
def test_the_watchdog_is_fed_three_times_as_often_as_systemd_wants(
    monkeypatch: pytest.MonkeyPatch, allowed: str | None, period: float
) -> None:
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    if allowed is not None:
        monkeypatch.setenv("WATCHDOG_USEC", allowed)
    assert watchdog_period() == period


def watched(monkeypatch: pytest.MonkeyPatch, body: Callable[[dict[str, float]], Coroutine[Any, Any, None]]) -> None:
    """Run `body` beside the watchdog; it moves the stages' beats, given as seconds ago."""
    monkeypatch.setenv("WATCHDOG_USEC", "3000")

    async def run() -> None:
        ago = {"desk": 0.0, "alert lane": 0.0}
        stages = {name: (lambda name=name: time.monotonic() - ago[name]) for name in ago}
        watching = asyncio.create_task(watch(stages, lambda: "4 packets"))
        await body(ago)
        watching.cancel()

    within(10.0, run())


def test_the_watchdog_is_fed_with_the_status_while_every_stage_comes_round(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(ago: dict[str, float]) -> None:
        ago["desk"] = STALL_S - 5.0  # slow, and not stalled
        assert [await systemd.next() for _ in range(5)] == ["WATCHDOG=1\nSTATUS=4 packets"] * 5

    watched(monkeypatch, body)


@pytest.mark.parametrize("stalled", ["desk", "alert lane"])
def test_the_watchdog_starves_while_one_stage_stands_still_and_is_fed_once_it_moves(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch, stalled: str
) -> None:
    async def body(ago: dict[str, float]) -> None:
        await systemd.next()
        ago[stalled] = STALL_S + 0.1
        await asyncio.sleep(0.02)
        systemd.read()
        await asyncio.sleep(0.05)
        assert systemd.read() == []
        ago[stalled] = 0.0
        assert await systemd.next() == "WATCHDOG=1\nSTATUS=4 packets"

    watched(monkeypatch, body)


def test_a_full_queue_starves_no_stage(systemd: Systemd, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(_: dict[str, float]) -> None:
        taken = fill()
        await asyncio.sleep(0.02)  # fed into a full queue meanwhile
        assert "STATUS=full" in systemd.read()
        assert taken >= 1
        assert await systemd.next() == "WATCHDOG=1\nSTATUS=4 packets"

    watched(monkeypatch, body)
