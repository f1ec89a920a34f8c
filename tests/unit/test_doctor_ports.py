"""Receivers' ports as they are looked at: real ptys, held by real programs, and a server."""

import os
import socket
import subprocess
import sys
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.config import SerialLink
from gateway.doctor import ports
from gateway.doctor.facts import Port
from gateway.doctor.ports import Held, port
from tests.support.receiver import Receiver

HOLD = "import fcntl, os, sys; held = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); {}; print(flush=True); input()"


@pytest.fixture
def pty() -> Iterator[Path]:
    """One that nobody has open."""
    master, slave = os.openpty()
    tty.setraw(slave)
    path = Path(os.ttyname(slave))
    os.close(slave)
    yield path
    os.close(master)


@contextmanager
def held(path: Path, more: str = "None") -> Iterator[int]:
    command = [sys.executable, "-c", HOLD.format(more), str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout
        program.stdout.readline()
        yield program.pid
        program.communicate("\n")


def looked(path: object, held: Held = Held.NO) -> Port:
    return port(SerialLink(port=str(path), name="a"), held)


def test_a_port_that_is_free_can_be_had(pty: Path) -> None:
    assert looked(pty) == Port("serial:a", str(pty), there=True)


def test_a_port_that_is_not_there_and_a_file_that_is_none(tmp_path: Path) -> None:
    assert looked(tmp_path / "absent") == Port("serial:a", f"{tmp_path}/absent", there=False)
    (tmp_path / "file").touch()
    assert looked(tmp_path / "file") == Port("serial:a", f"{tmp_path}/file", there=True, terminal=False)
    assert "ioctl" in (looked("/dev/full").trouble or "")


@pytest.mark.parametrize("more", ["None", "fcntl.flock(held, fcntl.LOCK_EX)"])
def test_who_has_a_port_is_named(pty: Path, more: str) -> None:
    with held(pty, more) as program:
        for by in (Held.NO, Held.WANTED):
            found = looked(pty, by)
            assert found.holders == (f"{Path(f'/proc/{program}/comm').read_text().strip()} ({program})",)
            assert found.trouble is None
    assert looked(pty).holders == ()


def test_a_lock_whose_owner_cannot_be_seen_is_told(pty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "PROC", Path("/nowhere"))
    with held(pty, "fcntl.flock(held, fcntl.LOCK_EX)"):
        assert looked(pty).trouble == "another program has locked it"
        assert looked(pty, Held.WANTED).trouble is None  # the daemon's own fault says it


def test_a_receiver_is_known_by_its_stable_path_too(receiver: Receiver) -> None:
    with held(receiver.path) as program:
        assert [holder.endswith(f"({program})") for holder in looked(receiver.path).holders] == [True]


def test_one_that_the_daemon_hears_is_left_alone(pty: Path) -> None:
    with held(pty, "fcntl.flock(held, fcntl.LOCK_EX)"):
        assert looked(pty, Held.OPEN) == Port("serial:a", str(pty), there=True)


def test_a_server_is_called_unless_the_daemon_hears_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"socket://127.0.0.1:{server.getsockname()[1]}"
        assert looked(url) == Port("serial:a", url, there=True)
    assert looked(url).trouble == "Connection refused"
    assert looked(url, Held.WANTED).trouble is None
