"""Asking a unit over a real socket: its answer, or in words why there is none."""

import asyncio
import os
import tempfile
from pathlib import Path

import msgspec
import pytest

from drivers.asking import NoAnswer, asked
from tests.support.units import Serve, listening, saying


class Answer(msgspec.Struct, frozen=True):
    ok: bool


def ask(socket: Path, serve: Serve | None = None, seconds: float = 5.0) -> Answer | str:
    """What comes back, or why nothing does."""

    async def run() -> Answer:
        if serve is None:
            return await asked(socket, "a-unit", b"do it", seconds, Answer)
        async with listening(socket, serve):
            return await asked(socket, "a-unit", b"do it", seconds, Answer)

    try:
        return asyncio.run(run())
    except NoAnswer as why:
        return str(why)


@pytest.fixture
def socket(tmp_path: Path) -> Path:
    return tmp_path / "unit.sock"


def test_one_line_there_and_one_line_back(socket: Path) -> None:
    heard = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readline())
        writer.write(b'{"ok": true}\n')
        writer.close()

    assert ask(socket, serve) == Answer(ok=True)
    assert heard == [b"do it\n"]


def test_where_nobody_listens_the_cure_is_told(socket: Path) -> None:
    said = f"{socket}: nobody listens there: `systemctl enable --now a-unit.socket`"
    assert ask(socket) == said

    async def abandoned() -> None:
        (await asyncio.start_unix_server(saying(b""), socket)).close()

    asyncio.run(abandoned())
    assert socket.exists()
    assert ask(socket) == said


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give up its rights for a moment")
def test_a_socket_that_may_not_be_used_is_told() -> None:
    async def run(socket: Path) -> None:
        async with listening(socket, saying(b"")):
            os.chmod(socket, 0o600)
            os.seteuid(65534)
            try:
                await asked(socket, "a-unit", b"do it", 5.0, Answer)
            finally:
                os.seteuid(0)

    with tempfile.TemporaryDirectory() as folder, pytest.raises(NoAnswer, match="group, station-gateway"):
        os.chmod(folder, 0o755)
        asyncio.run(run(Path(folder) / "unit.sock"))


@pytest.mark.parametrize("answer", [b"", b"\n", b"rubbish\n", b"{}\n", b'{"ok": "yes"}\n', b"x" * 10_000])
def test_an_answer_that_is_none_is_told(socket: Path, answer: bytes) -> None:
    said = str(ask(socket, saying(answer)))
    assert said.startswith(f"{socket}: no answer that can be read (")
    assert said.endswith("see `journalctl -u 'a-unit@*'`")


def test_a_unit_that_hangs_is_given_up(socket: Path) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    assert ask(socket, hang, 0.05) == f"{socket}: no answer within 0.05 s"
