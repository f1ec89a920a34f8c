"""What systemd is told, and the watchdog: fed only while every stage comes round in time."""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Mapping

import structlog

log = structlog.get_logger("watchdog")

ANNOUNCE_S = 0.1
STALL_S = 10.0
"""A stage that has not come round for this long has stalled. The disk may be slow; it may not stand still."""


def notify(*lines: str) -> bool:
    """Send lines to systemd where it asked for them (sd_notify(3)), without ever waiting for it.

    False where its queue is full: then nothing of it was said, and it is worth another try. Where systemd cannot be
    reached at all, a warning says so.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return True
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as sock:
        try:
            sock.connect(address)
            sock.send("\n".join(lines).encode("utf-8"))
        except BlockingIOError:
            return False
        except OSError as error:
            log.warning("systemd cannot be told", why=str(error))
    return True


async def announce(*lines: str) -> None:
    """Say it to systemd as soon as its queue takes it."""
    while not notify(*lines):  # noqa: ASYNC110 - the kernel has no event for it
        await asyncio.sleep(ANNOUNCE_S)


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
