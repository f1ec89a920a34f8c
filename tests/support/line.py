"""A line between a station and its broker: slow, far, lossy, or silently dead, as a mobile uplink is.

Both ways have one bottleneck each, first in first out, that all connections share. A lost segment comes again after
the time that TCP takes to notice, and what is behind it on its connection waits for it.
"""

import queue
import random
import socket
import threading
import time
from typing import Self

SEGMENT = 1_400
NOTICED_S = 0.6


class Line:
    """`rate` in bytes a second, `delay_s` one way, `loss` of segments. While `silent` nothing passes or ends."""

    def __init__(self, to: int, *, rate: float = 1e9, delay_s: float = 0.0, loss: float = 0.0, seed: int = 1) -> None:
        self.silent = False
        self._to, self._rate, self._delay_s, self._loss = to, rate, delay_s, loss
        self._chance, self._lock = random.Random(seed), threading.Lock()
        self._free = {"up": 0.0, "down": 0.0}
        self._open: list[socket.socket] = []
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]

    @property
    def url(self) -> str:
        return f"mqtt://localhost:{self.port}"

    def __enter__(self) -> Self:
        _begin(self._let_in)
        return self

    def __exit__(self, *_: object) -> None:
        self._door.close()
        for each in self._open:
            each.close()

    def _let_in(self) -> None:
        while True:
            try:
                near, _ = self._door.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                near.close()
                continue
            self._open += [near, far]
            for way, source, sink in (("up", near, far), ("down", far, near)):
                due: queue.Queue[tuple[float, bytes]] = queue.Queue()
                _begin(self._read, way, source, due)
                _begin(self._write, sink, due)

    def _read(self, way: str, source: socket.socket, due: "queue.Queue[tuple[float, bytes]]") -> None:
        last, segment = 0.0, b"-"
        while segment:
            try:
                segment = source.recv(SEGMENT)
            except OSError:
                segment = b""
            last = max(last, self._arrival(way, len(segment)))
            due.put((last, segment))

    def _arrival(self, way: str, size: int) -> float:
        with self._lock:
            self._free[way] = max(time.monotonic(), self._free[way]) + size / self._rate
            stall = NOTICED_S + self._delay_s if self._chance.random() < self._loss else 0.0
            return self._free[way] + self._delay_s + stall

    def _write(self, sink: socket.socket, due: "queue.Queue[tuple[float, bytes]]") -> None:
        while True:
            at, segment = due.get()
            while (left := at - time.monotonic()) > 0 or self.silent:
                time.sleep(max(left, 0.01))
            try:
                if not segment:
                    sink.shutdown(socket.SHUT_RDWR)
                    return
                sink.sendall(segment)
            except OSError:
                return


def _begin(work: object, *arguments: object) -> None:
    threading.Thread(target=work, args=arguments, daemon=True).start()  # type: ignore[arg-type]
