import asyncio
from contextlib import asynccontextmanager
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.aside import SPACE, Aside
from gateway.forward import Lane, Window
from gateway.model import Settlement
from gateway.outbox import Outbox
from gateway.refusals import HUNG_UP, STRIKES
from gateway.sideline import MOST
from gateway.store import LOG_MAX, Store
from tests.support.drafts import Broker, draft, on_disk, shed, standby


@asynccontextmanager
async def lane(folder, cap=None, answers=None, **window):
    answers = [] if answers is None else answers
    store = Store(folder / "lane.db", "aaaa0000", log_max=cap // 4 if cap else LOG_MAX)
    unsent = store.subjects()
    aside = Aside(lambda row: shed([row])[0], store.records(SPACE), lambda: 0)
    outbox = Outbox("lane", standby(store, cap))
    opened = Lane("lane", outbox, Window(**window), unsent, answers.append, None, aside)
    try:
        yield opened
    finally:
        await opened.close()


def yes(seq: int, code: int = 0) -> Settlement:
    return Settlement(seq, code < 0x80, code, "")


async def until(condition, seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


def test_what_is_committed_goes_out_in_order_and_leaves_on_its_own_answer(tmp_path):
    async def run():
        broker = Broker()
        async with lane(tmp_path) as it:
            it.attach(broker)
            await it.commit([draft("a", "alert-1"), draft("b")])
            await it.commit([draft("c")])
            await until(lambda: broker.seqs == [1, 2, 3])
            assert it.unsent("alert-1")
            it.settled(yes(2))
            await until(lambda: it.pending == 2)
            it.settled(yes(1))
            assert not it.unsent("alert-1")
            it.settled(yes(3))
            await until(lambda: it.pending == 0)
            assert it.delivered == 3

    asyncio.run(run())


def test_without_a_link_rows_stay_and_all_go_out_once_there_is_one(tmp_path):
    async def run():
        broker = Broker()
        async with lane(tmp_path, messages=10) as it:
            for number in range(57):
                await it.commit([draft(str(number))])
            it.attach(broker)
            for seq in range(1, 58):
                await until(partial(broker.has, seq))
                it.settled(yes(seq))
            assert broker.seqs == list(range(1, 58))
            await until(lambda: it.pending == 0)

    asyncio.run(run())


def test_the_window_holds_in_messages_and_in_bytes(tmp_path):
    async def run():
        broker = Broker()
        async with lane(tmp_path, messages=4) as it:
            it.attach(broker)
            await it.commit([draft() for _ in range(10)])
            await asyncio.sleep(0.05)
            assert broker.seqs == [1, 2, 3, 4]
            it.settled(yes(1))
            await until(lambda: broker.seqs == [1, 2, 3, 4, 5])

    asyncio.run(run())

    async def heavy():
        broker = Broker()
        (tmp_path / "bytes").mkdir()
        async with lane(tmp_path / "bytes", messages=100, bytes=3_000) as it:
            it.attach(broker)
            await it.commit([draft("x" * 1_000) for _ in range(10)])
            await asyncio.sleep(0.05)
            assert broker.seqs == [1, 2, 3]

    asyncio.run(heavy())


def test_a_new_link_is_given_everything_that_the_old_one_left_open(tmp_path):
    async def run():
        first, second = Broker(), Broker()
        async with lane(tmp_path) as it:
            it.attach(first)
            await it.commit([draft(), draft(), draft()])
            await until(lambda: len(first.sent) == 3)
            it.settled(yes(2))
            it.detach()
            await it.commit([draft()])
            it.attach(second)
            await until(lambda: second.seqs == [1, 3, 4])
            assert [row.payload for row in second.sent[:1]] == [first.sent[0].payload]

    asyncio.run(run())


def test_a_refused_row_stays_is_said_and_is_tried_again_while_others_go_on(tmp_path):
    async def run():
        answers: list[Settlement] = []
        broker = Broker()
        async with lane(tmp_path, answers=answers, retry_s=0.02) as it:
            it.attach(broker)
            await it.commit([draft(), draft()])
            it.settled(yes(1, 0x87))
            it.settled(yes(2))
            await until(lambda: broker.seqs == [1, 2, 1])
            await until(lambda: it.pending == 1)
            assert it.refused == 1
            it.settled(yes(1))
            await until(lambda: it.pending == 0)
            assert [(answer.seq, answer.code) for answer in answers] == [(1, 0x87), (2, 0), (1, 0)]

    asyncio.run(run())


def test_a_refused_alert_is_never_given_up_and_holds_up_nobody(tmp_path):
    async def run():
        broker = Broker()
        async with lane(tmp_path, messages=2, retry_s=0.01) as it:
            it.attach(broker)
            await it.commit([draft("", "alert-1"), *(draft("", f"alert-{n}") for n in range(2, 9))])
            for seq in range(2, 9):
                await until(partial(broker.has, seq))
                it.settled(yes(1, 0x87))
                it.settled(yes(seq))
            await until(lambda: it.pending == 1)
            assert it.unsent("alert-1")
            assert not it.unsent("alert-8")
            await until(lambda: 1 in it._flying)
            it.settled(yes(1))
            await until(lambda: it.pending == 0)

    asyncio.run(run())


def test_a_poison_row_is_set_aside_with_a_gap_outlives_a_restart_and_goes_out_when_it_is_offered(tmp_path):
    async def run():
        broker = Broker()
        async with lane(tmp_path, retry_s=0.01) as it:
            it.attach(broker)
            await it.commit([draft("bad"), draft("good")])
            for times in range(1, STRIKES + 1):
                await until(lambda n=times: broker.seqs.count(1) == n)
                it.settled(yes(1, 0x99))
                it.settled(yes(2))
            await until(lambda: broker.has(3))
            assert (broker.sent[-1].subject, b"1..1 1" in broker.sent[-1].payload) == ("gap", True)
            it.settled(yes(3))
            await until(lambda: it.pending == 0)
        again = Broker()
        async with lane(tmp_path) as it:
            it.attach(again)
            (kept,) = it.sideline.aside
            assert (kept.row.payload, kept.code) == (broker.sent[0].payload, 0x99)
            assert (it.sideline.offer(kept.row), it.sideline.offer(broker.sent[1])) == (True, False)
            await until(lambda: again.sent == [kept.row])
            it.settled(yes(kept.row.seq, 0x99))
            assert len(it.sideline.aside) == 1
            it.sideline.offer(kept.row)
            await until(lambda: again.sent == [kept.row, kept.row])
            it.settled(yes(kept.row.seq))
            assert len(it.sideline.aside) == 0
        async with lane(tmp_path) as it:
            assert len(it.sideline.aside) == 0

    asyncio.run(run())


@pytest.mark.parametrize("subject", [None, "alert-1"])
def test_a_row_at_which_the_other_end_hangs_up_is_found_by_sending_the_suspects_one_by_one(tmp_path, subject):
    async def run():
        answers: list[Settlement] = []
        async with lane(tmp_path, answers=answers, retry_s=0.01) as it:
            await it.commit([draft("good"), draft("bad", subject), draft("good"), draft("good")])
            await until(lambda: it.pending == 4)
            for _ in range(20):
                broker = Broker()
                it.attach(broker)
                while True:
                    await until(lambda b=broker: b.sent or it.pending == (subject is not None))
                    bad, good = [s for s in broker.seqs if s == 2], [s for s in broker.seqs if s != 2]
                    broker.sent.clear()
                    if bad or not good:
                        break
                    for seq in good:
                        it.settled(yes(seq))
                it.lost("gone")
                it.detach()
            await until(lambda: it.pending == (subject is not None))
            assert it.pending == (subject is not None)
            assert it.unsent("alert-1") is (subject is not None)
            assert {answer.code for answer in answers} == {HUNG_UP, 0}

    asyncio.run(run())


def test_where_everything_is_refused_the_lane_holds_a_bounded_number_of_rows_and_gives_none_up(tmp_path):
    async def run():
        broker, count = Broker(), MOST + 150
        async with lane(tmp_path, messages=10, retry_s=60) as it:
            it.attach(broker)
            await it.commit([draft() for _ in range(count)])
            while len(it.sideline) < MOST:
                await until(lambda: len(it._flying))
                for seq in list(it._flying._flights):
                    it.settled(yes(seq, 0x87))
            await asyncio.sleep(0.05)
            assert (len(it.sideline), len(it._flying), len(broker.sent)) == (MOST, 0, MOST)
            it.sideline.offer(broker.sent[0])
            await until(lambda: 1 in it._flying)
            it.settled(yes(1))  # it is allowed again: nobody waits any longer
            while it.delivered < count:
                await until(lambda: len(it._flying))
                for seq in list(it._flying._flights):
                    it.settled(yes(seq))
            await until(lambda: it.pending == 0)

    asyncio.run(run())


def test_a_restarted_broker_blames_no_row(tmp_path):
    async def run():
        async with lane(tmp_path, retry_s=60) as it:
            await it.commit([draft("", "alert-1")])
            for _ in range(STRIKES - 1):
                broker = Broker()
                it.attach(broker)
                await until(lambda b=broker: b.seqs == [1])
                it.lost("restarted")
                it.detach()
            broker = Broker()
            it.attach(broker)
            await until(lambda: broker.seqs == [1])
            assert (len(it.sideline), it.refused) == (0, 0)

    asyncio.run(run())


def test_no_matching_subscribers_lets_the_row_leave_and_is_said_with_its_end(tmp_path):
    async def run():
        answers: list[Settlement] = []
        async with lane(tmp_path, answers=answers) as it:
            it.attach(Broker())
            await it.commit([draft() for _ in range(4)])
            for seq, code in ((1, 0), (2, 0x10), (3, 0), (4, 0)):
                it.settled(yes(seq, code))
            await until(lambda: it.pending == 0)
            assert [(answer.seq, answer.code) for answer in answers] == [(2, 0x10), (3, 0)]

    asyncio.run(run())


def test_beyond_its_cap_a_lane_sheds_the_oldest_and_leaves_a_gap_in_its_place(tmp_path):
    async def run():
        async with lane(tmp_path, cap=1 << 20) as it:
            for _ in range(1_200):
                await it.commit([draft("x" * 1_000)])
            rows = await it.outbox.read(0, 1_000)
            gaps = [row.payload.split()[3].split(b"..") for row in rows if row.subject == "gap"]
            assert len(gaps) > 1
            assert on_disk(it.outbox._rows.taking.path) <= 1 << 20
            told = {seq for first, last in gaps for seq in range(int(first), int(last) + 1)}
            assert told | {row.seq for row in rows} == set(range(1, rows[-1].seq + 1))

    asyncio.run(run())


def test_commits_that_wait_together_share_one_transaction_and_keep_their_order(tmp_path):
    async def run():
        async with lane(tmp_path) as it:
            await asyncio.gather(*(it.commit([draft(f"{n}")]) for n in range(200)))
            rows = await it.outbox.read(0, 1_000)
            assert [row.payload.split()[1] for row in rows] == [str(n).encode() for n in range(200)]

    asyncio.run(run())


@settings(max_examples=30)
@given(st.lists(st.sampled_from(["commit", "answer", "refuse", "drop", "wait"]), max_size=40), st.integers(1, 5))
def test_whatever_links_do_every_row_arrives_or_is_set_aside_with_a_gap(tmp_path_factory, plan, window):
    async def run():
        arrived: set[int] = set()
        async with lane(tmp_path_factory.mktemp("lane"), messages=window, retry_s=0.001) as it:
            broker = Broker()
            it.attach(broker)
            committed, answered = 0, 0
            for step in [*plan, "commit"]:
                match step:
                    case "commit":
                        await it.commit([draft(), draft()])
                        committed += 2
                    case "answer" | "refuse" if answered < len(broker.sent):
                        seq, code = broker.seqs[answered], 0x87 if step == "refuse" else 0
                        answered += 1
                        it.settled(yes(seq, code))
                        arrived |= {seq} if not code else set()
                    case "drop":
                        it.detach()
                        broker, answered = Broker(), 0
                        it.attach(broker)
                    case "wait":
                        await asyncio.sleep(0.003)
            async with asyncio.timeout(5):
                while len(arrived) < committed:
                    await asyncio.sleep(0.001)
                    for seq in broker.seqs[answered:]:
                        answered += 1
                        it.settled(yes(seq))
                        arrived.add(seq)
                await it.emptied()
            aside = {each.row.seq for each in it.sideline.aside or ()}
            assert arrived | aside >= set(range(1, committed + 1))
            assert len(arrived - set(range(1, committed + 1))) == len(aside), "each has its gap"

    asyncio.run(run())
