"""Databases to write to: VictoriaMetrics as a process of its own, and a stand-in that answers as it is told."""

import gzip
import json
import shutil
import socket
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import urlopen

from tests.support.lines import Point, parsed
from tests.support.processes import Server

BINARY = shutil.which("victoria-metrics") or "/usr/bin/victoria-metrics"


def influx(url: str, token: Path, more: str = "") -> str:
    """The section of gateway.yaml; retries come fast."""
    more = f", {more}" if more else ""
    return f"influx: {{url: '{url}', org: datong, bucket: stations, token: {{file: {token}}}, retry_max: 200ms{more}}}"


class VictoriaMetrics(Server):
    """It keeps one point of a device and a millisecond."""

    starts_s, ends_s = 20.0, 10.0

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "victoria-metrics")
        self.url = f"http://127.0.0.1:{self.port}"
        self.command = [
            BINARY,
            f"-storageDataPath={self._folder / 'data'}",
            f"-httpListenAddr=127.0.0.1:{self.port}",
            "-retentionPeriod=100y",
            "-dedup.minScrapeInterval=1ms",
        ]

    def sync(self) -> None:
        """Have what it has answered for on its disk: by itself it does so seconds later."""
        with urlopen(f"{self.url}/snapshot/create", timeout=10):
            pass

    def points(self, metric: str, **tags: str) -> list[tuple[str, int, float]]:
        """Device, moment in ms and value of everything that is kept of a metric."""
        chosen = ",".join(f'{name}="{value}"' for name, value in tags.items())
        asked = urlencode({"match[]": f"{metric}{{{chosen}}}", "reduce_mem_usage": 1})
        with urlopen(f"{self.url}/internal/force_flush", timeout=10):
            pass  # what was written is searched from now on
        with urlopen(f"{self.url}/api/v1/export?{asked}", timeout=10) as answer:
            series = [json.loads(line) for line in answer.read().splitlines()]
        return [
            (each["metric"].get("device", ""), at, value)
            for each in series
            for at, value in zip(each["timestamps"], each["values"], strict=True)
        ]


@dataclass
class Answer:
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


HANG = Answer(0)
"""Take the request and never say a word."""
CUT = Answer(204)
"""Take the points and go before that is said."""


class StandIn:
    """Speaks the write API and answers each write with `answer`, or as `judge` says of its points."""

    def __init__(self) -> None:
        self.answer = Answer()
        self.judge = lambda _points: self.answer
        self.writes: list[list[Point]] = []
        """The points of each write that was answered with 204."""
        self.asked: list[dict[str, Any]] = []
        """Each request: its time, its headers and its query."""
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def points(self) -> list[Point]:
        return [point for write in list(self.writes) for point in write]

    def _write(self, path: str, headers: Any, body: bytes) -> Answer:
        query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        asked = {"at": time.monotonic(), "path": urlsplit(path).path, "token": headers["Authorization"]}
        self.asked.append(asked | query)
        points = parsed(gzip.decompress(body) if headers["Content-Encoding"] == "gzip" else body)
        answer = self.judge(points)
        if answer.status == 204:
            self.writes.append(points)
        return answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                answer = stand_in._write(self.path, self.headers, self.rfile.read(int(self.headers["Content-Length"])))
                if answer is HANG:
                    stand_in._over.wait()
                    return
                if answer is CUT:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if answer.status != 204:
                    self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_: object) -> None:
                """Its word is no test's."""

        return Handler
