"""Asking the privileged unit over a real socket: by its own script, and by others that do not answer as it does."""

import asyncio
import sys
from pathlib import Path

import pytest

from drivers.ble.reset import Answer, Step, ask
from tests.support.units import Serve, listening, saying

SCRIPT = Path(__file__).parents[2] / "systemd/reset-radio.py"


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


def test_where_no_answer_comes_that_is_said(socket: Path) -> None:
    said = asked(socket)
    assert (said.ok, "enable --now station-gateway-reset.socket" in str(said.why)) == (False, True)
    said = asked(socket, saying(b"rubbish\n"))
    assert (said.ok, "journalctl -u 'station-gateway-reset@*'" in str(said.why)) == (False, True)
