"""The port for Prometheus: what it answers to whom, few at once, and a port that is taken is told."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway import metrics
from gateway.errors import MetricsDown
from gateway.exports import Metrics as Where
from gateway.health import LinkCounters
from gateway.metrics import CONNECTIONS, Metrics
from gateway.report import Report
from tests.support.inside import open_office
from tests.support.processes import free_port


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[tuple[int, LinkCounters]]:
    async with open_office(folder) as office:
        link, port, up = LinkCounters(up=True), free_port(), asyncio.Event()
        report = Report(office.wire, {"serial:a": link}, {"alert": office.lane}, office.faults, office.clock.moment())
        served = asyncio.create_task(Metrics(Where(port=port), report, office.clock).run(up.set))
        await up.wait()
        try:
            yield port, link
        finally:
            served.cancel()
            await asyncio.wait({served})


async def asked(port: int, request: bytes) -> tuple[bytes, bytes]:
    """Status line and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    head, _, body = (await asyncio.wait_for(reader.read(), 10)).partition(b"\r\n\r\n")
    writer.close()
    return head.split(b"\r\n")[0], body


def packets(body: bytes) -> float:
    families = {family.name: family for family in text_string_to_metric_families(body.decode())}
    return families["station_gateway_packets"].samples[0].value


def test_each_scrape_tells_what_is_so_at_that_moment(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tmp_path) as (port, link):
            for count in (0, 7):
                link.packets = count
                status, body = await asked(port, b"GET /metrics?x=1 HTTP/1.1\r\nHost: a\r\n\r\n")
                assert (status, packets(body)) == (b"HTTP/1.1 200 OK", count)
            assert b"process_resident_memory_bytes " in body

    asyncio.run(run())


def test_openmetrics_is_given_to_who_asks_for_it(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tmp_path) as (port, _):
            accept = b"aCCept: application/openmetrics-text;version=1.0.0\r\n"
            _, body = await asked(port, b"GET /metrics HTTP/1.1\r\n" + accept + b"\r\n")
            assert body.endswith(b"# EOF\n")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 404 Not Found"),
        (b"POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 405 Method Not Allowed"),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", b"HTTP/1.1 405 Method Not Allowed"),
        (b"GET\r\n\r\n", b"HTTP/1.1 404 Not Found"),
        (b"x" * 20_000, b""),
    ],
)
def test_everything_else_is_refused_or_hung_up_on(tmp_path: Path, request_: bytes, status: bytes) -> None:
    async def run() -> None:
        async with serving(tmp_path) as (port, _):
            assert (await asked(port, request_))[0] == status
            assert (await asked(port, b"GET /metrics HTTP/1.1\r\n\r\n"))[0] == b"HTTP/1.1 200 OK"

    asyncio.run(run())


def test_few_are_served_at_once_and_who_says_nothing_is_hung_up_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "PATIENCE_S", 0.5)

    async def run() -> None:
        async with serving(tmp_path) as (port, _):
            mute = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS)]
            assert (await asked(port, b"GET /metrics HTTP/1.1\r\n\r\n"))[0] == b"HTTP/1.1 503 Service Unavailable"
            assert [await asyncio.wait_for(reader.read(), 10) for reader, _ in mute] == [b""] * CONNECTIONS
            assert (await asked(port, b"GET /metrics HTTP/1.1\r\n\r\n"))[0] == b"HTTP/1.1 200 OK"
            for _, writer in mute:
                writer.close()

    asyncio.run(run())


def test_a_port_that_is_taken_is_a_fault_with_its_cure(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_office(tmp_path) as office:
            report = Report(office.wire, {}, {"alert": office.lane}, office.faults, office.clock.moment())
            with socket.create_server(("127.0.0.1", 0)) as taken:
                port = taken.getsockname()[1]
                with pytest.raises(MetricsDown, match=f"127.0.0.1:{port}: .*in use") as down:
                    await Metrics(Where(port=port), report, office.clock).run(lambda: None)
            assert (down.value.fault, "`port`" in down.value.cure) == ("metrics_absent", True)

    asyncio.run(run())
