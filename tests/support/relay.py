"""A serial device server with a relay on its control lines, over the network as RFC 2217 has it."""

import socket
import threading
import time
from typing import Any, Self

import serial
from serial.rfc2217 import PortManager


class Relay:
    """`pulled` lists each change of a line that a client asked for, with when that was."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"rfc2217://127.0.0.1:{self._listening.getsockname()[1]}"
        self.pulled: list[tuple[str, bool, float]] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()

    def changes(self) -> list[tuple[str, bool]]:
        """Of which line, to what; a line that is set to what it was is no change."""
        state = {"rts": True, "dtr": True}  # as Linux leaves them where a port is opened
        found = []
        for line, level, _ in self.pulled:
            if state[line] != level:
                state[line] = level
                found.append((line, level))
        return found

    def held(self, line: str) -> float:
        """Seconds for which it was set."""
        (up,) = (at for name, level, at in self.pulled if name == line and level)
        return next(at for name, level, at in self.pulled if name == line and not level and at > up) - up

    def _serve(self) -> None:
        peer, _ = self._listening.accept()
        with peer:
            manager = PortManager(_Port(self.pulled), _Writer(peer))
            while octets := peer.recv(1024):
                b"".join(manager.filter(octets))


class _Writer:
    def __init__(self, peer: socket.socket) -> None:
        self.write = peer.sendall


class _Port:
    """As much of a port as the server side of RFC 2217 asks for."""

    def __init__(self, pulled: list[tuple[str, bool, float]]) -> None:
        self._port: Any = serial.serial_for_url("loop://")
        self._pulled = pulled

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("rts", "dtr"):
            self._pulled.append((name, bool(value), time.monotonic()))
        object.__setattr__(self, name, value) if name.startswith("_") else setattr(self._port, name, value)
