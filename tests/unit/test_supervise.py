"""What is kept running comes again, whatever it raises, and waits longer each time until it has healed."""

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from drivers.base import LinkDown
from gateway.backoff import Backoff
from gateway.errors import ControlDown, StorageFailed, UplinkDown
from gateway.health import Fault, Faults
from gateway.supervise import STEADY_S, Kept, Supervisor, Up
from tests.support.moments import moment

BACKOFF = Backoff(base=1.0, cap=60.0)
DOWN = LinkDown("serial_absent", "/dev/a: the receiver is not there", "plug it in")
Script = Callable[[int, Up], Coroutine[Any, Any, None]]
"""One run: told its number, from 0, and how to say that it is up."""


class Skipping(asyncio.SelectorEventLoop):
    """A loop whose clock jumps to the next timer instead of waiting for it."""

    def __init__(self) -> None:
        super().__init__()
        self._skipped = 0.0
        select = self._selector.select  # type: ignore[attr-defined]

        def skip(timeout: float | None = None) -> Any:
            if timeout:
                self._skipped += timeout
            return select(0)

        self._selector.select = skip  # type: ignore[attr-defined]

    def time(self) -> float:
        return self._skipped


def kept(script: Script, runs: int, chance: float = 1.0) -> tuple[list[float], list[Fault]]:
    """Keep `script` until it begins for the time number `runs`; when each run began, and the faults then."""
    began: list[float] = []
    faults = Faults(lambda: moment(0))

    async def main() -> None:
        enough = asyncio.Event()

        async def run(up: Up) -> None:
            began.append(asyncio.get_running_loop().time())
            if len(began) == runs:
                enough.set()
                await asyncio.Event().wait()
            await script(len(began) - 1, up)

        keeping = asyncio.create_task(Supervisor(faults, lambda: chance).keep(Kept("serial:a", run, BACKOFF)))
        await enough.wait()
        keeping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await keeping

    with asyncio.Runner(loop_factory=Skipping) as runner:
        runner.run(main())
    return began, list(faults)


def waits(began: list[float]) -> list[float]:
    return [round(later - earlier, 3) for earlier, later in itertools.pairwise(began)]


async def fail(_: int, __: Up) -> None:
    raise DOWN


def test_each_wait_is_twice_the_last_up_to_the_cap() -> None:
    began, _ = kept(fail, 9)
    assert waits(began) == [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize("chance", [0.0, 0.25])
def test_each_wait_is_drawn_by_chance(chance: float) -> None:
    began, _ = kept(fail, 5, chance)
    assert waits(began) == [chance * ceiling for ceiling in (1, 2, 4, 8)]


def test_a_run_that_was_up_long_enough_has_healed_and_a_short_one_has_not() -> None:
    async def script(number: int, up: Up) -> None:
        if number in (3, 5):
            up()
            await asyncio.sleep(STEADY_S if number == 3 else STEADY_S - 1)
        raise DOWN

    began, _ = kept(script, 8)
    assert waits(began) == [1, 2, 4, STEADY_S + 1, 2, STEADY_S - 1 + 4, 8]


def test_the_time_before_it_was_up_does_not_count_as_healed() -> None:
    async def script(_: int, up: Up) -> None:
        await asyncio.sleep(100)
        up()
        raise DOWN

    began, _ = kept(script, 4)
    assert waits(began) == [101, 102, 104]


@pytest.mark.parametrize(
    ("error", "fault", "what", "cure"),
    [
        (DOWN, "serial_absent", "/dev/a: the receiver is not there", "plug it in"),
        (UplinkDown("broker_unreachable", "mqtt://a: away", "wait"), "broker_unreachable", "mqtt://a: away", "wait"),
        (ControlDown("control_taken", "/run/a: taken", "stop it"), "control_taken", "/run/a: taken", "stop it"),
        (StorageFailed("a.db: full"), "defect", "StorageFailed('a.db: full')", "report this with the log"),
        (ZeroDivisionError("once"), "defect", "ZeroDivisionError('once')", "report this with the log"),
        (ExceptionGroup("two", [ValueError("a"), KeyError("b")]), "defect", "ExceptionGroup('two'", "report this"),
    ],
)
def test_whatever_is_raised_is_a_fault_by_name_with_its_cure_and_it_runs_again(
    error: Exception, fault: str, what: str, cure: str
) -> None:
    async def script(_: int, __: Up) -> None:
        raise error

    began, (told,) = kept(script, 3)
    assert len(began) == 3
    assert (told.fault, told.where) == (fault, "serial:a")
    assert told.what.startswith(what)
    assert told.cure.startswith(cure)


def test_a_run_that_merely_returns_is_run_again() -> None:
    async def script(_: int, __: Up) -> None:
        return

    began, faults = kept(script, 4)
    assert (waits(began), faults) == ([1, 2, 4], [])


def test_a_link_that_is_up_again_has_no_fault_left() -> None:
    async def script(number: int, up: Up) -> None:
        if number == 0:
            raise DOWN
        if number == 1:
            raise ZeroDivisionError
        up()

    _, faults = kept(script, 4)
    assert faults == []


def test_one_that_fails_does_not_hold_up_another() -> None:
    async def main() -> int:
        rounds = 0
        supervisor = Supervisor(Faults(lambda: moment(0)), lambda: 1.0)

        async def steady(_: Up) -> None:
            nonlocal rounds
            while True:
                await asyncio.sleep(1)
                rounds += 1

        async def failing(up: Up) -> None:
            await fail(0, up)

        tasks = [asyncio.create_task(supervisor.keep(Kept(r.__name__, r, BACKOFF))) for r in (steady, failing)]
        await asyncio.sleep(100.5)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return rounds

    with asyncio.Runner(loop_factory=Skipping) as runner:
        assert runner.run(main()) == 100


def test_a_run_that_fails_while_it_is_cancelled_is_not_run_again() -> None:
    """A task group drops the cancellation for what its child raises in the same moment."""
    runs = 0

    async def run(_up: Up) -> None:
        nonlocal runs
        runs += 1
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            raise DOWN from None

    async def ended() -> bool:
        kept = asyncio.create_task(Supervisor(Faults(lambda: moment(0)), lambda: 0.5).keep(Kept("a", run, BACKOFF)))
        await asyncio.sleep(1)
        kept.cancel()
        await asyncio.wait([kept], timeout=100)
        return kept.cancelled()

    with asyncio.Runner(loop_factory=Skipping) as runner:
        assert runner.run(ended())
    assert runs == 1
