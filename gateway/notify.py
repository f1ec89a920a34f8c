"""What systemd is told, and the watchdog: fed only while every stage comes round in time."""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Mapping

import structlog

log = structlog.get_logger("watchdog")

STALL_S = 10.0
"""A stage that has not come round for this long has stalled. The disk may be slow; it may not stand still."""


def notify(*lines: str) -> None:
    """Send lines to systemd where it asked for them (sd_notify(3)); elsewhere nothing happens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        try:
            sock.connect(address)
            sock.send("\n".join(lines).encode("utf-8"))
        except OSError as error:
            log.warning("systemd cannot be told", why=str(error))


def watchdog_period() -> float:
    """Seconds between feedings, a third of what systemd allows; one second where it keeps no watchdog."""
    allowed = os.environ.get("WATCHDOG_USEC", "")
    return int(allowed) / 3_000_000 if allowed.isdigit() and int(allowed) > 0 else 1.0


async def watch(stages: Mapping[str, Callable[[], float]], status: Callable[[], str]) -> None:
    """Feed the watchdog until cancelled. Each stage gives the monotonic time at which it last came round."""
    period, stalled = watchdog_period(), ""
    while True:
        now = time.monotonic()
        late = [name for name, beat in stages.items() if now - beat() > STALL_S]
        if late:
            if stalled != (stalled := ", ".join(late)):
                log.error("stalled", stages=stalled)
        else:
            stalled = ""
            notify("WATCHDOG=1", f"STATUS={status()}")
        await asyncio.sleep(period)
