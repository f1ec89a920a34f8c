"""A port on a real pty, and one over TCP: held alone, heard to the last byte, left as soon as it is gone."""

import asyncio
import os
import termios
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from drivers.base import Instant, LinkDown, PacketKind, Write
from drivers.registry import Profiles
from drivers.serial_port import SerialPort
from gateway.cli.street import Code, serial_frame
from tests.support.air import band, burst
from tests.support.listening import SOON_S, hearing
from tests.support.processes import free_port
from tests.support.receiver import Receiver

REFERENCE = "398-reference"
FRAMING = Profiles.load().framing(REFERENCE)
FRAME = serial_frame(band(1).number, burst(band(1), Code.SOS)[0])


def port(where: object, name: str = "serial:rx") -> SerialPort:
    return SerialPort(name, str(where), REFERENCE, FRAMING, lambda: Instant(1_000, 5))


def descriptors() -> set[str]:
    """What this process holds open, terminals and sockets alone."""
    links = (Path(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd"))
    targets = {os.readlink(link) for link in links if os.path.islink(link)}
    return {target for target in targets if target.startswith(("/dev/pts", "socket:"))}


async def refused(where: object) -> LinkDown:
    """How a port that cannot be opened ends."""
    with pytest.raises(LinkDown) as told:
        async with hearing(port(where)):
            raise AssertionError("it came up")
    return told.value


async def ended(task: "asyncio.Task[None]") -> LinkDown:
    with pytest.raises(LinkDown) as told:
        await asyncio.wait_for(task, SOON_S)
    return told.value


@pytest.mark.parametrize("portion", [1, 7, len(FRAME), 5 * len(FRAME)])
def test_frames_are_heard_however_they_are_cut(receiver: Receiver, portion: int) -> None:
    async def run() -> None:
        async with hearing(port(receiver.path)) as (heard, _):
            line = FRAME * 5
            for at in range(0, len(line), portion):
                receiver.write(line[at : at + portion])
                await asyncio.sleep(0)
            await heard.until(lambda h: len(h.packets) == 5)
            assert {packet.payload for packet in heard.packets} == {FRAMING.deframer().feed(FRAME)[0]}
            first = heard.packets[0]
            assert (first.link, first.kind, first.key) == ("serial:rx", PacketKind.FRAME, REFERENCE)
            assert (first.received, heard.rejected) == (Instant(1_000, 5), [])

    asyncio.run(run())


def test_rubbish_is_told_and_the_frame_after_it_is_heard(receiver: Receiver) -> None:
    async def run() -> None:
        async with hearing(port(receiver.path)) as (heard, _):
            receiver.write(b"rubbish" + FRAME[:-1] + b"\x00" + FRAME)
            await heard.until(lambda h: bool(h.packets))
            assert heard.rejected[0][0] == "checksum"

    asyncio.run(run())


def test_what_waits_in_the_port_when_it_is_opened_is_heard(receiver: Receiver) -> None:
    receiver.write(FRAME * 3)

    async def run() -> None:
        async with hearing(port(receiver.path)) as (heard, _):
            await heard.until(lambda h: len(h.packets) == 3)

    asyncio.run(run())


def test_several_ports_are_heard_at_once(tmp_path: Path, receiver: Receiver) -> None:
    async def run() -> None:
        with Receiver(tmp_path / "other") as other:
            one, two = hearing(port(receiver.path, "serial:a")), hearing(port(other.path, "serial:b"))
            async with one as (first, _), two as (second, _):
                for _ in range(50):
                    receiver.write(FRAME)
                    other.write(FRAME)
                await first.until(lambda h: len(h.packets) == 50)
                await second.until(lambda h: len(h.packets) == 50)
                assert {packet.link for packet in first.packets} == {"serial:a"}

    asyncio.run(run())


def test_a_port_is_held_by_one_alone_until_it_lets_go(receiver: Receiver) -> None:
    async def run() -> None:
        async with hearing(port(receiver.path)):
            told = await refused(receiver.path)
            assert (told.fault, "fuser" in told.cure) == ("serial_busy", True)
        async with hearing(port(receiver.path)) as (heard, _):
            receiver.write(FRAME)
            await heard.until(lambda h: bool(h.packets))

    asyncio.run(run())


def test_a_port_that_is_not_there_is_named_with_the_cure(tmp_path: Path) -> None:
    told = asyncio.run(refused(tmp_path / "nowhere"))
    assert told.fault == "serial_absent"
    assert str(told) == f"{tmp_path}/nowhere: the receiver is not there"
    assert "/dev/serial/by-id" in told.cure


def test_what_is_no_terminal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(FRAME)
    assert asyncio.run(refused(tmp_path / "file")).fault == "serial_failed"


def test_an_unplugged_receiver_ends_the_link_at_once(receiver: Receiver) -> None:
    async def run() -> None:
        async with hearing(port(receiver.path)) as (_, task):
            receiver.unplug()
            assert (await ended(task)).fault == "serial_absent"

    asyncio.run(run())


def test_bytes_for_a_device_reach_the_line_whole(receiver: Receiver) -> None:
    async def run() -> None:
        line = port(receiver.path)
        async with hearing(line):
            long = bytes(range(256)) * 100  # more than a pty takes at once
            await asyncio.wait_for(line.write(Write("serial:rx", "00000001", long)), SOON_S)
            async with asyncio.timeout(SOON_S):
                while len(receiver.sent_down) < len(long):
                    await asyncio.sleep(0.01)
            assert receiver.sent_down == long

    asyncio.run(run())


async def _pending(line: SerialPort, octets: int) -> "asyncio.Task[None]":
    writing = asyncio.create_task(line.write(Write("serial:rx", "00000001", bytes(octets))))
    await asyncio.sleep(0)
    return writing


def test_a_line_that_takes_nothing_holds_a_bounded_amount_and_nobody_for_ever() -> None:
    master, slave = os.openpty()

    async def run() -> None:
        line = port(os.ttyname(slave))
        async with hearing(line) as (_, task):
            first, second = await _pending(line, 60_000), await _pending(line, 60_000)  # a pty takes 12 KiB or so
            with pytest.raises(LinkDown) as told:
                await asyncio.wait_for(second, SOON_S)
            assert (told.value.fault, first.done()) == ("serial_failed", False)
            task.cancel()
            with pytest.raises(LinkDown):
                await asyncio.wait_for(first, SOON_S)

    try:
        asyncio.run(run())
    finally:
        os.close(slave)
        os.close(master)


def test_a_write_to_a_port_that_is_away_says_so(tmp_path: Path) -> None:
    async def run() -> None:
        with pytest.raises(LinkDown) as told:
            await port(tmp_path / "nowhere").write(Write("serial:rx", "00000001", b"\x02"))
        assert told.value.fault == "serial_absent"

    asyncio.run(run())


def test_however_it_ends_nothing_stays_open(tmp_path: Path, receiver: Receiver) -> None:
    async def run() -> None:
        async with hearing(port(receiver.path)):
            pass
        await refused(tmp_path / "nowhere")
        await refused(f"socket://127.0.0.1:{free_port()}")

    before = descriptors()
    asyncio.run(run())
    assert descriptors() == before


def test_the_port_is_raw_and_reads_wait_for_a_byte(receiver: Receiver) -> None:
    async def run() -> None:
        async with hearing(port(receiver.path)) as (heard, _):
            attributes = termios.tcgetattr(receiver._slave)
            assert not attributes[3] & (termios.ICANON | termios.ECHO)
            assert attributes[6][termios.VMIN] in (1, b"\x01")
            receiver.write(b"\x03\x04\x1a\r\n" + FRAME)  # what a terminal would take for itself
            await heard.until(lambda h: bool(h.packets))
            assert heard.rejected == [("rubbish", b"\x03\x04\x1a\r\n")]

    asyncio.run(run())


Served = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def over_tcp(serve: Served, then: Callable[[str], Awaitable[None]]) -> None:
    async def run() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            await then(f"socket://127.0.0.1:{server.sockets[0].getsockname()[1]}")

    asyncio.run(run())


def test_a_receiver_behind_tcp_is_heard_and_written_to_like_a_port() -> None:
    got: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for at in range(len(FRAME)):
            writer.write(FRAME[at : at + 1])
            await writer.drain()
        got.append(await reader.readexactly(4))
        writer.close()

    async def then(url: str) -> None:
        line = port(url)
        async with hearing(line) as (heard, task):
            await heard.until(lambda h: bool(h.packets))
            await line.write(Write("serial:rx", "00000001", b"buzz"))
            told = await ended(task)
            assert (got, told.fault) == ([b"buzz"], "serial_absent")

    over_tcp(serve, then)


def test_a_receiver_s_server_that_is_away_is_named() -> None:
    url = f"socket://127.0.0.1:{free_port()}"
    told = asyncio.run(refused(url))
    assert (told.fault, url in str(told)) == ("serial_unreachable", True)
