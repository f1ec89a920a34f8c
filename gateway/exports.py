"""Where readings and numbers go besides the call centre."""

from typing import Annotated

from pydantic import Field

from gateway.sections import Secret, Section
from gateway.written import Bytes, Database, FilePath, Host, Milliseconds, lasting, sized

DATABASE = "https://influx.example:8086"
TOKEN = {"credential": "influx-token"}
INFLUX = {"url": DATABASE, "org": "datong", "bucket": "stations", "token": TOKEN}


class Influx(Section):
    """An InfluxDB (2 or later) that is given every reading as well; nothing waits for it."""

    url: Annotated[Database, Field(examples=[DATABASE])]
    """Where it listens: https://HOST:8086, or http://HOST:8086."""
    org: Annotated[str, Field(min_length=1, examples=["datong"])]
    """Organisation, by name or id."""
    bucket: Annotated[str, Field(min_length=1, examples=["stations"])]
    """Bucket that is written to."""
    token: Annotated[Secret, Field(examples=[TOKEN])]
    """Token that may write to it, as {file: PATH} or {credential: NAME}."""
    ca: FilePath | None = None
    """File with the authorities to trust over https:// (PEM); the system's own where it is left out."""
    cap: Annotated[Bytes, sized("1MiB")] = 512 << 20
    """Bytes kept for a database that is away; beyond this the oldest go, and a point in `gap` says so."""
    timeout: Annotated[Milliseconds, lasting("100ms", "5min")] = 10_000
    """How long one write may take."""
    retry_max: Annotated[Milliseconds, lasting("100ms", "1h")] = 60_000
    """The longest wait between two attempts, unless the database itself asks for a longer one."""


class Metrics(Section):
    """Numbers for Prometheus."""

    port: Annotated[int, Field(strict=True, ge=1, le=65535)] = 9398
    """TCP port on which it is scraped, below /metrics."""
    host: Annotated[Host, Field(examples=["192.168.1.5"])] = "127.0.0.1"
    """Address to listen at; 127.0.0.1 is for this box alone. Nobody is asked for a password."""
