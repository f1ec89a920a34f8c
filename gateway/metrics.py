"""Health as numbers for Prometheus, on a port of this box. What is scraped is made of what `health` says, and no more.

One connection is one answer, and few are served at once: whoever scrapes must not be felt by an alert.
"""

import asyncio
from collections.abc import Callable, Iterator
from http import HTTPStatus

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from gateway.clock import Clock
from gateway.errors import MetricsDown
from gateway.exports import Metrics as Where
from gateway.report import Report
from gateway.tallies import tallied

ASKED_MAX = 8192
"""Bytes of a request; browsers send two thousand."""
CONNECTIONS = 4
PATIENCE_S = 5.0


class Metrics:
    """`report` is asked anew for each scrape."""

    def __init__(self, where: Where, report: Report, clock: Clock) -> None:
        self._where = where
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Health(report, clock))
        ProcessCollector(registry=self._registry)
        self._open = 0

    async def run(self, up: Callable[[], None]) -> None:
        """Serve until cancelled. MetricsDown where the port cannot be had."""
        host, port = self._where.host, self._where.port
        try:
            server = await asyncio.start_server(self._connected, host, port, limit=ASKED_MAX)
        except OSError as error:
            cure = "name another `port` in `metrics:`, or stop whoever has it: `ss -tlnp`"
            raise MetricsDown("metrics_absent", f"{host}:{port}: {error.strerror or error}", cure) from error
        async with server:
            up()
            await server.serve_forever()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            async with asyncio.timeout(PATIENCE_S):
                asked = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._answer(asked) if self._open <= CONNECTIONS else _busy())
                await writer.drain()
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # it has gone, or is no reader of numbers
        finally:
            self._open -= 1
            writer.close()

    def _answer(self, asked: bytes) -> bytes:
        """What an HTTP request gets; only its first line and `Accept` matter."""
        line, *headers = asked.decode("latin-1").split("\r\n")
        method, _, rest = line.partition(" ")
        if method != "GET":
            return _reply(HTTPStatus.METHOD_NOT_ALLOWED)
        if rest.split(" ")[0].partition("?")[0] != "/metrics":
            return _reply(HTTPStatus.NOT_FOUND, b"the numbers are below /metrics\n")
        accepted = next((value for name, _, value in map(_parted, headers) if name.lower() == "accept"), "")
        encode, kind = choose_encoder(accepted)
        return _reply(HTTPStatus.OK, encode(self._registry), kind)


class _Health(Collector):
    def __init__(self, report: Report, clock: Clock) -> None:
        self._report, self._clock = report, clock

    def collect(self) -> Iterator[Metric]:
        wire = self._report.wire
        return tallied(self._report.health(self._clock), wire.version, wire.station)


def _parted(header: str) -> tuple[str, str, str]:
    return header.partition(":")


def _busy() -> bytes:
    return _reply(HTTPStatus.SERVICE_UNAVAILABLE)


def _reply(status: HTTPStatus, body: bytes = b"", kind: str = "text/plain; charset=utf-8") -> bytes:
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode("latin-1") + body
