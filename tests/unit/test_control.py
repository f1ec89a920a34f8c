"""The control socket: whatever is said to it is answered with a reason, within bounds, and nobody is kept waiting."""

import asyncio
import json
import os
import pwd
import socket
import stat
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import control
from gateway.control import CONNECTIONS, LINE_MAX, Control
from gateway.errors import ControlDown

ME = f"box-{pwd.getpwuid(os.getuid()).pw_name}"


async def echo(line: bytes, asker: str) -> bytes:
    return json.dumps([line.decode(errors="replace"), asker]).encode()


@asynccontextmanager
async def serving(path: Path) -> AsyncIterator[Control]:
    served = Control(path, echo)
    up = asyncio.Event()
    running = asyncio.create_task(served.run(up.set))
    await asyncio.wait({running, asyncio.ensure_future(up.wait())}, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        running.result()
    try:
        yield served
    finally:
        running.cancel()
        await asyncio.wait({running})


async def said(path: Path, octets: bytes) -> list[Any]:
    """Everything that is answered to these bytes, once the writing half is closed."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(octets)
    writer.write_eof()
    async with asyncio.timeout(5):
        answers = (await reader.read()).splitlines()
    writer.close()
    return [json.loads(answer) for answer in answers]


def test_each_line_is_answered_in_its_turn_and_the_kernel_tells_who_asks(tmp_path: Path) -> None:
    async def run() -> None:
        path = tmp_path / "control.sock"
        async with serving(path):
            assert await said(path, b"one\ntwo\nlast") == [["one\n", ME], ["two\n", ME], ["last", ME]]
            assert await said(path, b"") == []

    asyncio.run(run())


def test_a_user_without_a_name_is_told_by_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(uid: int) -> object:
        raise KeyError(uid)

    async def run() -> None:
        path = tmp_path / "control.sock"
        async with serving(path):
            monkeypatch.setattr(control.pwd, "getpwuid", unknown)
            assert await said(path, b"who") == [["who", f"box-uid-{os.getuid()}"]]

    asyncio.run(run())


def test_only_the_user_and_the_group_may_connect_and_the_folder_is_made(tmp_path: Path) -> None:
    async def run() -> None:
        path = tmp_path / "run" / "control.sock"
        async with serving(path):
            found = path.stat()
            assert stat.S_ISSOCK(found.st_mode)
            assert (found.st_mode & 0o777, found.st_gid) == (0o660, os.getegid())
            assert path.parent.stat().st_mode & 0o007 == 0
        assert not path.exists()

    asyncio.run(run())


@pytest.mark.parametrize("length", [107, 108, 300])
def test_its_path_may_be_longer_than_the_kernel_takes(tmp_path: Path, length: int) -> None:
    async def run() -> None:
        path = tmp_path / ("x" * (length - len(f"{tmp_path}//control.sock"))) / "control.sock"
        assert len(str(path)) == length
        for _ in range(2):
            async with serving(path):
                assert stat.S_ISSOCK(path.stat().st_mode)
                with pytest.raises(ControlDown, match="another gateway answers"):
                    async with serving(path):
                        pass
            assert not path.exists()

    asyncio.run(run())


def test_a_dead_socket_is_replaced(tmp_path: Path) -> None:
    async def run() -> None:
        path = tmp_path / "control.sock"
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(path))
        async with serving(path):
            assert await said(path, b"x") == [["x", ME]]

    asyncio.run(run())


def test_a_living_socket_stays_and_goes_on_answering(tmp_path: Path) -> None:
    async def run() -> None:
        path = tmp_path / "control.sock"
        async with serving(path):
            with pytest.raises(ControlDown) as down:
                async with serving(path):
                    pass
            assert (down.value.fault, str(down.value)) == ("control_taken", f"{path}: another gateway answers there")
            assert await said(path, b"x") == [["x", ME]]

    asyncio.run(run())


def test_a_living_socket_whose_queue_is_full_stays_too(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as living:
        living.bind(str(path))
        living.listen(0)
        waiting = []
        while len(waiting) < 10:
            peer = socket.socket(socket.AF_UNIX)
            peer.setblocking(False)
            waiting.append(peer)
            try:
                peer.connect(str(path))
            except BlockingIOError:
                break
        with pytest.raises(ControlDown) as down:
            asyncio.run(Control(path, echo).run(lambda: None))
        assert down.value.fault == "control_taken"
        for peer in waiting:
            peer.close()


@pytest.mark.parametrize("there", ["file", "folder", "nowhere"])
def test_where_no_socket_can_be_nothing_is_touched_and_the_cure_is_told(tmp_path: Path, there: str) -> None:
    path = tmp_path / ("a/b/control.sock" if there == "nowhere" else "control.sock")
    if there == "file":
        path.write_text("the technician's")
    elif there == "folder":
        path.mkdir()
    with pytest.raises(ControlDown) as down:
        asyncio.run(Control(path, echo).run(lambda: None))
    assert down.value.fault == "control_absent"
    assert str(path) in str(down.value)
    assert "`control:`" in down.value.cure
    assert there != "file" or path.read_text() == "the technician's"


def test_a_line_without_end_is_refused_and_the_connection_ends(tmp_path: Path) -> None:
    async def run() -> None:
        path = tmp_path / "control.sock"
        async with serving(path):
            longest = b"x" * (LINE_MAX - 1)
            assert await said(path, longest + b"\n") == [[longest.decode() + "\n", ME]]
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(b"ok\n" + b"y" * (2 * LINE_MAX))
            async with asyncio.timeout(5):
                answers = [json.loads(line) for line in (await reader.read()).splitlines()]
            assert answers[0] == ["ok\n", ME]
            assert answers[1:] == [
                {"status": "error", "code": "too_large", "message": f"a line has at most {LINE_MAX} bytes"}
            ]
            writer.close()

    asyncio.run(run())


def test_there_are_never_more_connections_than_the_limit_and_whoever_leaves_makes_room(tmp_path: Path) -> None:
    async def run() -> None:
        path = tmp_path / "control.sock"
        async with serving(path) as served:
            peers = [await asyncio.open_unix_connection(path) for _ in range(CONNECTIONS)]
            for reader, writer in peers:
                writer.write(b"here\n")
                assert await reader.readline()
            (refused,) = await said(path, b"")
            assert (refused["status"], refused["code"]) == ("error", "busy")
            peers.pop()[1].close()
            async with asyncio.timeout(5):
                while served._open >= CONNECTIONS:
                    await asyncio.sleep(0.005)
            assert await said(path, b"x") == [["x", ME]]
            for _, writer in peers:
                writer.close()

    asyncio.run(run())


def test_who_asks_nothing_or_reads_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "IDLE_S", 0.05)

    async def floods(line: bytes, asker: str) -> bytes:
        return b"x" * (4 << 20)

    async def run() -> None:
        path = tmp_path / "control.sock"
        served = Control(path, floods)
        running = asyncio.create_task(served.run(lambda: None))
        async with asyncio.timeout(5):
            while not path.exists():
                await asyncio.sleep(0.005)
            silent, _ = await asyncio.open_unix_connection(path)
            assert await silent.read() == b""
            _, deaf = await asyncio.open_unix_connection(path)
            deaf.transport.pause_reading()  # type: ignore[attr-defined]
            deaf.write(b"tell me\n")
            while served._open:
                await asyncio.sleep(0.005)
        running.cancel()

    asyncio.run(run())


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=300), max_size=6), st.booleans())
def test_no_bytes_whatever_end_it(chunks: list[bytes], half: bool) -> None:
    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "control.sock"
            async with serving(path):
                _, writer = await asyncio.open_unix_connection(path)
                for chunk in chunks:
                    writer.write(chunk)
                if half:
                    writer.write_eof()
                writer.close()
                octets = b"".join(chunks)
                assert len(await said(path, octets)) == len(octets.split(b"\n")) - octets.endswith(b"\n") - (not octets)

    asyncio.run(run())
