"""Tries every broker as the daemon would: name, connection, TLS, login. Its client id is its own; nothing is sent."""

import asyncio
from collections.abc import Sequence

from gateway.box import Certificate
from gateway.config import Config
from gateway.doctor.facts import Trouble, Welcome
from gateway.errors import UplinkDown
from gateway.sinks.failures import explain_trouble
from gateway.sinks.login import endpoints, login
from gateway.sinks.mqtt import Connection
from gateway.sinks.words import Endpoint
from gateway.validity import validity


async def brokers(config: Config) -> Sequence[Welcome | Trouble]:
    """In the order of the list; all are tried at once."""
    return await asyncio.gather(*(_tried(config, each) for each in endpoints(config.mqtt)))


async def _tried(config: Config, endpoint: Endpoint) -> Welcome | Trouble:
    try:
        shown = await _let_in(config, endpoint)
    except UplinkDown as down:
        return Trouble(down.fault, str(down), down.cure)
    certificate = Certificate(str(endpoint), *validity(shown)) if shown is not None else None
    return Welcome(str(endpoint), certificate)


async def _let_in(config: Config, endpoint: Endpoint) -> bytes | None:
    """The certificate that it shows. UplinkDown where we are not let in."""
    try:
        presented = login(config.mqtt, f"{config.station}-doctor", keep_session=False)
    except OSError as error:  # the password's file
        raise explain_trouble(endpoint, error) from error
    connection = Connection(endpoint, presented, None)
    await connection.open()
    shown = connection.shown
    connection.close()
    return shown
