"""Blocking work beside the event loop, on a thread that nobody has to wait for."""

import asyncio
import threading
from collections.abc import Callable

from gateway.errors import GatewayError


async def on_thread(work: Callable[[], None], undo: Callable[[], None], name: str = "connect") -> None:
    """Run blocking work on a daemon thread: a name server that never answers must not hold up the daemon's end.

    Whatever the work raises is raised here; `undo` is called where nobody waited for its end.
    """
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
        error: BaseException | None = RuntimeError("a thread broke off; the log has its traceback")
        try:
            work()
            error = None
        except (OSError, ValueError, GatewayError) as failed:
            error = failed
        finally:
            if not loop.is_closed():
                loop.call_soon_threadsafe(finish, error)

    threading.Thread(target=run, name=name, daemon=True).start()
    await ended
