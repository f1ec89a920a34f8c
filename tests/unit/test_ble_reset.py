"""Asking the privileged unit over a real socket: by its own script, and by others that do not answer as it does."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from drivers.ble import reset
from drivers.ble.reset import Answer, Step, ask

SCRIPT = Path(__file__).parents[2] / "systemd/reset-radio.py"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(socket: Path, serve: Serve) -> AsyncIterator[None]:
    async with await asyncio.start_unix_server(serve, socket):
        yield


def saying(answer: bytes) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        writer.close()

    return serve


def unit(sysfs: Path) -> Serve:
    """As systemd does it: a process for each connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pipe, nowhere = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        command = [sys.executable, "-I", str(SCRIPT), "--sysfs", str(sysfs)]
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=nowhere)
        said, _ = await process.communicate(await reader.readline())
        writer.write(said)
        writer.close()

    return serve


def asked(socket: Path, serve: Serve | None = None, adapter: str | None = "hci0") -> Answer:
    async def run() -> Answer:
        if serve is None:
            return await ask(Step.UNBLOCK, adapter, socket)
        async with listening(socket, serve):
            return await ask(Step.UNBLOCK, adapter, socket)

    return asyncio.run(run())


@pytest.fixture
def socket(tmp_path: Path) -> Path:
    return tmp_path / "reset.sock"


def test_the_units_own_script_does_the_step_and_says_so(socket: Path, tmp_path: Path) -> None:
    switch = tmp_path / "sys/class/rfkill/rfkill0"
    switch.mkdir(parents=True)
    for name, text in {"type": "bluetooth", "name": "hci0", "soft": "1", "hard": "0"}.items():
        (switch / name).write_text(text)
    assert asked(socket, unit(tmp_path / "sys")) == Answer(ok=True, did=("unblocked rfkill0 (hci0)",))
    assert (switch / "soft").read_text() == "0"
    said = asked(socket, unit(tmp_path / "sys"), "hci1")
    assert said == Answer(ok=False, why="rfkill knows no Bluetooth radio hci1")


def test_where_nobody_listens_the_cure_is_told(socket: Path) -> None:
    said = asked(socket)
    assert (said.ok, "enable --now station-gateway-reset.socket" in str(said.why)) == (False, True)

    async def abandoned() -> None:
        (await asyncio.start_unix_server(saying(b""), socket)).close()

    asyncio.run(abandoned())
    assert socket.exists()
    assert asked(socket) == said


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give up its rights for a moment")
def test_a_socket_that_may_not_be_used_is_told() -> None:
    async def run(socket: Path) -> Answer:
        async with listening(socket, saying(b"")):
            os.chmod(socket, 0o600)
            os.seteuid(65534)
            try:
                return await ask(Step.UNBLOCK, None, socket)
            finally:
                os.seteuid(0)

    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        said = asyncio.run(run(Path(folder) / "reset.sock"))
    assert (said.ok, "group, station-gateway" in str(said.why)) == (False, True)


@pytest.mark.parametrize("answer", [b"", b"\n", b"rubbish\n", b'{"did": []}\n', b'{"ok": "yes"}\n', b"x" * 10_000])
def test_an_answer_that_is_none_is_told(socket: Path, answer: bytes) -> None:
    said = asked(socket, saying(answer))
    assert not said.ok
    assert str(said.why).startswith(f"{socket}: no answer that can be read (")
    assert "journalctl" in str(said.why)


def test_a_unit_that_hangs_is_given_up(socket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reset, "ANSWER_S", 0.05)

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    assert asked(socket, hang) == Answer(ok=False, why=f"{socket}: no answer within 0.05 s")
