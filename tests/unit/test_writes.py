"""Replies go out in order, once they may, over their own link; what cannot be written is told once, and never waits."""

import asyncio
from collections.abc import Callable

import pytest
import structlog

from drivers.base import LinkDown, Listener, Write
from gateway import writes as module
from gateway.writes import OWED, Replies


class Line:
    """A link that takes what it is given, fails, or takes nothing."""

    name = "serial:a"

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.fails = self.stuck = False

    async def run(self, listener: Listener, up: Callable[[], None]) -> None:
        raise NotImplementedError

    async def write(self, write: Write) -> None:
        if self.stuck:
            await asyncio.Event().wait()
        if self.fails:
            raise LinkDown("serial_absent", "unplugged", "plug it in")
        self.written.append(write.payload)


class Answering:
    """Replies over `a` and `b`; the disk has everything as soon as `durable` says so."""

    def __init__(self) -> None:
        self.a, self.b = Line(), Line()
        self._waiting: list[Callable[[], None]] = []
        self.replies = Replies({"serial:a": self.a, "serial:b": self.b}, self._waiting.append)

    def owe(self, number: int, link: str = "serial:a") -> None:
        self.replies.owe(Write(link, "8800000015", b"%d" % number))

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def durable(self) -> None:
        for then in self._waiting:
            then()
        self._waiting.clear()
        await asyncio.sleep(0)
        await asyncio.sleep(0)


def test_a_reply_waits_for_the_disk_and_goes_to_the_link_that_heard_the_question() -> None:
    async def run() -> None:
        it = Answering()
        for number in range(5):
            it.owe(number, "serial:b" if number == 3 else "serial:a")
        await asyncio.sleep(0)
        assert (it.a.written, it.b.written) == ([], [])
        await it.durable()
        assert (it.a.written, it.b.written) == ([b"0", b"1", b"2", b"4"], [b"3"])

    asyncio.run(run())


def test_while_the_disk_takes_nothing_replies_do_not_pile_up_and_other_links_have_theirs() -> None:
    async def run() -> None:
        it = Answering()
        for number in range(10 * OWED):
            it.owe(number)
        it.owe(7, "serial:b")
        assert it.waiting == OWED + 1
        await it.durable()
        assert (len(it.a.written), it.b.written) == (OWED, [b"7"])
        it.owe(8)
        await it.durable()
        assert it.a.written[-1] == b"8"

    asyncio.run(run())


def test_a_link_that_takes_nothing_is_given_up_reply_by_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WRITE_S", 0.01)

    async def run() -> None:
        it = Answering()
        it.a.stuck = True
        for _ in range(3):
            for number in range(2 * OWED):
                it.owe(number)
            assert it.waiting == OWED
            await it.durable()
            async with asyncio.timeout(5):
                while it.replies._owed["serial:a"]:
                    await asyncio.sleep(0.005)
        it.a.stuck = False
        it.owe(9)
        await it.durable()
        assert it.a.written == [b"9"]

    asyncio.run(run())


def test_what_cannot_be_written_is_told_once_until_it_can_be_again() -> None:
    async def run() -> None:
        it = Answering()
        for fails in (True, True, True, False, False, True):
            it.a.fails = fails
            it.owe(1)
            it.owe(2, "serial:b")
            await it.durable()

    with structlog.testing.capture_logs() as lines:
        asyncio.run(run())
    told = [(line["event"], line["link"], line.get("why")) for line in lines]
    assert told == [
        ("reply not sent", "serial:a", "unplugged"),
        ("replies are sent again", "serial:a", None),
        ("reply not sent", "serial:a", "unplugged"),
    ]
