"""The one place that starts things again. What it keeps may raise whatever it likes; nothing else catches all."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from drivers.base import LinkDown
from gateway.backoff import Backoff
from gateway.errors import Down
from gateway.health import Faults

log = structlog.get_logger("supervise")

Up = Callable[[], None]
Run = Callable[[Up], Awaitable[None]]
STEADY_S = 10.0
"""A run that was up this long has healed: the next failure waits from the beginning again."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Something to keep running: `run` tells by calling `up` that it works, and ends only by raising."""

    name: str
    run: Run
    backoff: Backoff


class Supervisor:
    def __init__(self, faults: Faults, chance: Callable[[], float]) -> None:
        self._faults = faults
        self._chance = chance

    async def keep(self, kept: Kept) -> None:
        """Run it for ever, waiting between runs; only cancellation ends this."""
        loop = asyncio.get_running_loop()
        attempt = 0
        broken: str | None = None
        while True:
            up_at: list[float] = []

            def up(seen: list[float] = up_at) -> None:
                seen.append(loop.time())
                self._faults.end(kept.name)

            try:
                await kept.run(up)
                log.error("ended without a reason", what=kept.name)
            except (LinkDown, Down) as down:
                if broken not in (None, down.fault):
                    self._faults.end(kept.name, broken)  # another thing is wrong now
                broken = down.fault
                self._faults.begin(down.fault, kept.name, str(down), down.cure)
            except asyncio.CancelledError as error:
                if _cancelled():
                    raise
                log.exception("defect", what=kept.name)  # something inside was cancelled, and not we
                self._defect(kept, error)
            except Exception as error:
                log.exception("defect", what=kept.name)
                self._defect(kept, error)
            if _cancelled():  # a task group whose child fails just then raises that alone
                raise asyncio.CancelledError
            if up_at and loop.time() - up_at[0] >= STEADY_S:
                attempt = 0
            await asyncio.sleep(kept.backoff.delay(attempt, self._chance()))
            attempt += 1

    def _defect(self, kept: Kept, error: BaseException) -> None:
        self._faults.begin("defect", kept.name, repr(error), "report this with the log; it is tried again")


def _cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
