"""Each answer of a database means one thing: it is in, it never will be, or it is to be tried again, and why."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.errors import DatabaseBusy, RowRefused, UplinkDown
from gateway.exports import Influx
from gateway.sections import Secret
from gateway.sinks.influx import Database
from tests.support.database import HANG, Answer, StandIn
from tests.support.processes import free_port

LINES = b"telemetry,device=band-0001 steps=1 1764057600000\ntelemetry,device=band-0002 steps=2 1764057600000"


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with StandIn() as server:
        yield server


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("s3cret\n")
    return path


def database(url: str, token: Path, *, ca: Path | None = None, timeout: int = 2_000) -> Database:
    influx = Influx(url=url, org="datong", bucket="stations", token=Secret(file=token), ca=ca)
    return Database(influx.model_copy(update={"timeout": timeout}))


def test_a_write_is_one_request_with_the_token_and_nanoseconds(stand_in: StandIn, token: Path) -> None:
    database(stand_in.url, token).write(LINES)
    (asked,) = stand_in.asked
    del asked["at"]
    assert asked == {
        "path": "/api/v2/write", "token": "Token s3cret", "org": "datong", "bucket": "stations", "precision": "ns"
    }  # fmt: skip
    assert [point.tags["device"] for point in stand_in.points()] == ["band-0001", "band-0002"]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_it_will_never_take_is_refused_with_its_own_words(stand_in: StandIn, token: Path, status: int) -> None:
    stand_in.answer = Answer(status, {}, b'{"code":"invalid","message":"partial write:\\n beyond retention"}')
    with pytest.raises(RowRefused, match=rf"answers {status} \(partial write: beyond retention\)"):
        database(stand_in.url, token).write(LINES)


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (401, "influx_refused"), (403, "influx_refused"), (404, "influx_refused"),
        (200, "influx_strange"), (302, "influx_strange"), (500, "influx_strange"), (502, "influx_strange"),
    ],
)  # fmt: skip
def test_everything_else_keeps_the_row_and_names_what_is_wrong(
    stand_in: StandIn, token: Path, status: int, fault: str
) -> None:
    stand_in.answer = Answer(status, {"Location": f"{stand_in.url}/portal"}, b"<html>" + b"x" * 1_000)
    with pytest.raises(UplinkDown, match=f"answers {status}") as down:
        database(stand_in.url, token).write(LINES)
    assert (down.value.fault, len(str(down.value)) < 300, len(stand_in.asked)) == (fault, True, 1)


def test_a_page_in_no_known_encoding_is_no_defect_of_ours(stand_in: StandIn, token: Path) -> None:
    stand_in.answer = Answer(502, {}, "网关错误".encode("gbk"))
    with pytest.raises(UplinkDown) as down:
        database(stand_in.url, token).write(LINES)
    assert down.value.fault == "influx_strange"


@pytest.mark.parametrize("written", ["s3cret\nan old one", "密码"])
def test_a_token_that_fits_in_no_header_is_told_and_not_repeated(stand_in: StandIn, token: Path, written: str) -> None:
    token.write_text(written)
    with pytest.raises(UplinkDown) as down:
        database(stand_in.url, token).write(LINES)
    assert (down.value.fault, "influx.token" in down.value.cure) == ("influx_strange", True)
    assert not any(part in str(down.value) for part in written.splitlines())


@pytest.mark.parametrize(("told", "rest_s"), [("7", 7.0), ("999999999", 3600.0), ("Wed, 25 Nov", 0.0), (None, 0.0)])
@pytest.mark.parametrize("status", [429, 503])
def test_a_pause_is_granted_where_it_asks_for_one(
    stand_in: StandIn, token: Path, status: int, told: str | None, rest_s: float
) -> None:
    stand_in.answer = Answer(status, {} if told is None else {"Retry-After": told}, b"{}")
    with pytest.raises(DatabaseBusy) as busy:
        database(stand_in.url, token).write(LINES)
    assert (busy.value.fault, busy.value.rest_s) == ("influx_busy", rest_s)


@pytest.mark.parametrize("host", ["127.0.0.1", "nowhere.invalid"])
def test_one_that_is_not_there_is_unreachable(token: Path, host: str) -> None:
    with pytest.raises(UplinkDown) as down:
        database(f"http://{host}:{free_port()}", token).write(LINES)
    assert down.value.fault == "influx_unreachable"


def test_one_that_never_answers_is_unreachable_after_the_timeout(stand_in: StandIn, token: Path) -> None:
    stand_in.answer = HANG
    with pytest.raises(UplinkDown) as down:
        database(stand_in.url, token, timeout=100).write(LINES)
    assert down.value.fault == "influx_unreachable"


def test_one_that_speaks_no_tls_is_told_apart(stand_in: StandIn, token: Path) -> None:
    with pytest.raises(UplinkDown, match="no TLS connection") as down:
        database(stand_in.url.replace("http:", "https:"), token).write(LINES)
    assert down.value.fault == "influx_tls"


def test_a_token_or_authorities_that_cannot_be_read_are_named(tmp_path: Path, token: Path) -> None:
    for missing in ({"token": tmp_path / "no-token"}, {"token": token, "ca": tmp_path / "no-ca"}):
        with pytest.raises(OSError, match="no-") as unreadable:
            database("https://localhost", **missing)
        assert unreadable.value.filename is not None


def test_a_daemon_without_an_influxdb_does_not_import_its_client() -> None:
    looked = "import sys, gateway.app; sys.exit('influxdb_client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", looked], check=False).returncode == 0
