"""Blocking work beside the event loop, on a thread that nobody has to wait for."""

import asyncio
import threading
from collections.abc import Callable


async def on_thread(work: Callable[[], None], undo: Callable[[], None]) -> None:
    """Run blocking work on a daemon thread: a name server that never answers must not hold up the daemon's end."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    def finish(error: BaseException | None) -> None:
        if ended.cancelled():
            undo()
        elif error is None:
            ended.set_result(None)
        else:
            ended.set_exception(error)

    def run() -> None:
        error: BaseException | None = None
        try:
            work()
        except (OSError, ValueError) as failed:
            error = failed
        if not loop.is_closed():
            loop.call_soon_threadsafe(finish, error)

    threading.Thread(target=run, name="connect", daemon=True).start()
    await ended
