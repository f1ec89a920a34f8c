"""Retained topics: the latest value of each reaches every new link, a few at a time, and nothing is said twice."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from gateway.board import PACE, Board
from gateway.model import Message


class Link:
    """Remembers what was posted; the test says when the broker has the oldest of it."""

    def __init__(self) -> None:
        self.posted: list[Message] = []
        self.open: list[Callable[[], None]] = []

    def post(self, message: Message, done: Callable[[], None], /) -> None:
        self.posted.append(message)
        self.open.append(done)

    def answer(self) -> None:
        self.open.pop(0)()

    @property
    def retained(self) -> dict[str, bytes]:
        """What a broker would keep of it."""
        return {message.topic: message.payload for message in self.posted}


def message(number: int, value: int = 0) -> Message:
    return Message(f"topic/{number}", b"%d" % value)


def test_a_value_is_posted_once_and_again_only_when_it_changes() -> None:
    board, link = Board(), Link()
    board.attach(link)
    for value in (1, 1, 2, 2, 1):
        board.put(message(0, value))
    assert [posted.payload for posted in link.posted] == [b"1", b"2", b"1"]


def test_a_birth_posts_everything_a_few_at_a_time() -> None:
    board, link = Board(), Link()
    for number in range(3 * PACE):
        board.put(message(number))
    board.attach(link)
    assert len(link.posted) == PACE
    for answered in range(1, 2 * PACE + 1):
        link.answer()
        assert len(link.posted) == PACE + answered
    while link.open:
        link.answer()
    assert len(link.posted) == len(link.retained) == 3 * PACE


def test_of_a_value_that_changes_while_it_waits_only_the_latest_is_posted() -> None:
    board, link = Board(), Link()
    board.attach(link)
    for number in range(PACE):
        board.put(message(number))
    for value in range(100):
        board.put(message(99, value))
    link.answer()
    assert link.posted[PACE:] == [message(99, 99)]


def test_what_an_old_link_still_answers_lets_nothing_more_out_over_the_new_one() -> None:
    board, old, new = Board(), Link(), Link()
    for number in range(3 * PACE):
        board.put(message(number))
    board.attach(old)
    board.detach()
    board.attach(new)
    while old.open:
        old.answer()
    assert (len(old.posted), len(new.posted)) == (PACE, PACE)


def test_what_is_made_when_its_turn_comes_says_how_things_are_by_then() -> None:
    board, link, now = Board(), Link(), [0]
    board.attach(link)
    for number in range(PACE):
        board.put(message(number))
    board.lay("topic/99", lambda: message(99, now[0]))
    now[0] = 7
    link.answer()
    assert link.posted[PACE:] == [message(99, 7)]
    now[0] = 8
    board.again()
    link.answer()
    assert link.posted[PACE + 1 :] == [message(99, 8)]


def test_a_topic_is_emptied_once_and_then_forgotten() -> None:
    board, link = Board(), Link()
    board.put(message(1))
    board.attach(link)
    link.answer()
    board.clear("topic/1")
    assert "topic/1" in board
    link.answer()
    assert link.posted == [message(1), Message("topic/1", b"")]
    assert "topic/1" not in board
    board.attach(again := Link())
    assert again.posted == []


def test_a_topic_that_is_emptied_and_filled_again_stays() -> None:
    board, link = Board(), Link()
    board.attach(link)
    board.clear("topic/1")
    board.put(message(1))
    link.answer()
    link.answer()
    assert link.retained == {"topic/1": b"0"}
    assert "topic/1" in board


def test_what_a_lost_link_did_not_empty_is_emptied_over_the_next() -> None:
    board, link = Board(), Link()
    board.attach(link)
    board.clear("topic/1")
    board.detach()
    board.attach(again := Link())
    again.answer()
    assert again.retained == {"topic/1": b""}
    assert "topic/1" not in board


STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "put", "clear", "answer", "lose", "link"]), st.integers(0, 30)), max_size=80
)


@given(STEPS)
def test_whatever_links_do_the_last_one_ends_with_the_latest_value_of_every_topic(steps: list[tuple[str, int]]) -> None:
    board, link, latest = Board(), Link(), dict[str, bytes]()
    for value, (step, number) in enumerate(steps):
        match step:
            case "put":
                board.put(message(number, value // 3))
                latest[message(number).topic] = message(number, value // 3).payload
            case "clear":
                board.clear(message(number).topic)
                latest[message(number).topic] = b""
            case "answer" if link.open:
                link.answer()
            case "lose":
                board.detach()
                link = Link()
            case "link":
                link = Link()
                board.attach(link)
        assert len(link.open) <= PACE
    link = Link()
    board.attach(link)
    while link.open:
        link.answer()
    emptied = {topic for topic, payload in latest.items() if not payload}
    assert link.retained.items() <= latest.items()
    assert latest.keys() - link.retained.keys() <= emptied
    assert len(link.posted) == len(link.retained)
