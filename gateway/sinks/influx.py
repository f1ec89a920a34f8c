"""InfluxDB's write call. Blocking; one thread's at a time.

influxdb-client's batching keeps points in memory alone and gives them up once its retries are through, so only its
plain call is used: one row, one request, and what was answered with 204 is in the database.
"""

from collections.abc import Callable
from http import HTTPStatus

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException
from influxdb_client.service.write_service import WriteService
from urllib3.exceptions import HTTPError

from gateway.errors import DatabaseBusy, RowRefused, UplinkDown
from gateway.exports import Influx

REST_MAX_S = 3600.0
"""The longest pause that is believed."""
SAID_MAX = 200
"""Characters of the database's own words that are repeated."""
_NEVER = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY})
_NOT_US = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
_LATER = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


class Database:
    """A bucket of one InfluxDB."""

    def __init__(self, influx: Influx) -> None:
        """OSError where the token or the authorities cannot be read."""
        if influx.ca is not None:
            influx.ca.open("rb").close()  # the client's own error does not say which file it is about
        self._influx = influx
        self._client = InfluxDBClient(
            influx.url,
            influx.token.read(),
            timeout=influx.timeout,
            enable_gzip=True,  # lines repeat themselves: a fraction of the bytes on a slow line
            ssl_ca_cert=str(influx.ca) if influx.ca else None,
        )
        service = WriteService(self._client.api_client)
        self._post: Callable[..., tuple[object, int, object]] = service.post_write_with_http_info

    def write(self, lines: bytes) -> None:
        """Return once they are in the database. RowRefused: it will never take them; UplinkDown: not now."""
        influx = self._influx
        try:
            _, status, _ = self._post(influx.org, influx.bucket, lines, precision="ns")
        except ApiException as error:
            said = error.message if error.status else error.reason  # without a status there was no answer
            raise explained(influx.url, error.status, str(said), error.retry_after) from error
        except HTTPError as error:  # refused, no such name, timeout, an answer that breaks off
            cure = "check influx.url, the network, and that InfluxDB runs there"
            raise UplinkDown("influx_unreachable", f"{influx.url}: cannot be reached ({error})", cure) from error
        except ValueError as error:  # a page in another encoding, a token that fits in no header: its text may hold it
            what = f"{influx.url}: cannot be spoken with ({type(error).__name__})"
            cure = "check that influx.token is one line of plain characters, and that influx.url leads to InfluxDB"
            raise UplinkDown("influx_strange", what, cure) from error
        if status != HTTPStatus.NO_CONTENT:  # a proxy or a portal says 200 to anything
            raise explained(influx.url, status, "204 was expected", None)

    def close(self) -> None:
        self._client.close()


def explained(url: str, status: int, said: str, retry_after: str | None) -> RowRefused | UplinkDown:
    """What an answer other than 204 means: for this row for ever, or for all of them until something is mended."""
    what = f"{url}: answers {status} ({' '.join(said.split())[:SAID_MAX]})"
    if status in _NEVER:
        return RowRefused(what)
    if status in _NOT_US:
        cure = "check influx.org and influx.bucket, and that influx.token may write there"
        return UplinkDown("influx_refused", what, cure)
    if status in _LATER:
        rest_s = min(float(retry_after), REST_MAX_S) if retry_after and retry_after.isdecimal() else 0.0
        return DatabaseBusy(what, rest_s)
    if not status:
        cure = "check influx.url, influx.ca and the box's clock"
        return UplinkDown("influx_tls", f"{url}: no TLS connection ({' '.join(said.split())[:SAID_MAX]})", cure)
    return UplinkDown("influx_strange", what, "see InfluxDB's log, and that influx.url leads to it and to no portal")
