"""Whoever waits for a thread is told how it ended, also where it ends as nobody thought of."""

import asyncio
import threading

import pytest

from gateway.errors import RowRefused
from gateway.sinks.blocking import on_thread


def undone() -> None:
    raise AssertionError("somebody waited")


@pytest.mark.parametrize("error", [OSError("no"), ValueError("no"), RowRefused("no")])
def test_what_the_work_raises_is_raised_where_it_is_waited_for(error: Exception) -> None:
    def work() -> None:
        raise error

    with pytest.raises(type(error), match="no"):
        asyncio.run(on_thread(work, undone))


def test_a_thread_that_breaks_off_leaves_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", told.append)

    def work() -> None:
        raise KeyError("unthought of")

    with pytest.raises(RuntimeError, match="broke off"):
        asyncio.run(on_thread(work, undone, "broken"))
    for thread in threading.enumerate():
        if thread.name == "broken":
            thread.join(5)
    assert [each.exc_type for each in told] == [KeyError]


def test_work_that_nobody_waits_for_any_more_is_undone() -> None:
    async def run() -> None:
        held, undo = threading.Event(), asyncio.Event()
        waiting = asyncio.create_task(on_thread(held.wait, undo.set, "held"))
        await asyncio.sleep(0)
        assert "held" in [thread.name for thread in threading.enumerate()]
        waiting.cancel()
        await asyncio.sleep(0)
        held.set()
        async with asyncio.timeout(5):
            await undo.wait()

    asyncio.run(run())
