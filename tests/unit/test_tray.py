"""What lies before the desk is bounded, stays in order, and gives way in order of its worth."""

from collections import Counter, deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

from gateway.inputs import Accept, Copied, Pressed
from gateway.model import AlertKind
from gateway.tray import Asked, Ruled, Then, Tray, Work, Worth, worth
from tests.support.inside import sos

MOST = 8


def wearers(number: int) -> Pressed:
    return sos(number)


def strangers(number: int) -> Pressed:
    pressed = sos(number)
    assert pressed.wearable is not None
    return replace(pressed, wearable=replace(pressed.wearable, registered=False))


def condition(number: int) -> Pressed:
    pressed = sos(number)
    return replace(pressed, key=replace(pressed.key, kind=AlertKind.LOW_BATTERY))


def copy(number: int) -> Copied:
    pressed = sos(number)
    assert pressed.heard is not None
    return Copied(pressed.key, pressed.heard)


MAKES = {
    Worth.BESIDE: [copy, condition],
    Worth.STRANGER: [strangers],
    Worth.WEARER: [wearers, lambda number: replace(condition(number), wearable=None)],
    Worth.OWED: [lambda number: Ruled(Accept(f"a{number}", "desk"), lambda _: None), lambda _: Then(lambda: None)],
}


def test_every_work_has_its_worth() -> None:
    for expected, makes in MAKES.items():
        assert {worth(make(1)) for make in makes} == {expected}
    assert worth(Asked(lambda _: None)) is Worth.OWED


def test_a_million_strangers_push_out_no_wearer_and_take_no_more_room_than_there_is() -> None:
    tray, stranger = Tray(1_000), strangers(1)
    ours = [wearers(number) for number in range(500)]
    for each in ours:
        tray.put(each)
        for _ in range(2_000):
            tray.put(stranger)
    assert len(tray) == 1_000
    assert tray.dropped == {Worth.STRANGER: 1_000_000 - 500}
    assert [work for work in tray.take(1_000) if work is not stranger] == ours


class OnTheDesk(RuleBasedStateMachine):
    """Beside the tray, a plain list of what should lie in it."""

    def __init__(self) -> None:
        super().__init__()
        self.tray, self.lying = Tray(MOST), deque[Work]()
        self.dropped: Counter[Worth] = Counter()
        self.number = 0

    @rule(data=st.data(), wanted=st.sampled_from(list(Worth)), count=st.integers(1, MOST))
    def put(self, data: st.DataObject, wanted: Worth, count: int) -> None:
        make = data.draw(st.sampled_from(MAKES[wanted]))
        for _ in range(count):
            self.number += 1
            self.tray.put(work := make(self.number))
            self.lying.append(work)
            if len(self.lying) > MOST:
                given = min(self.lying, key=worth)  # the first of the least
                self.lying.remove(given)
                self.dropped[worth(given)] += 1

    @rule(count=st.integers(0, MOST), back=st.booleans())
    def take(self, count: int, back: bool) -> None:
        expected = list(self.lying)[:count]
        taken = self.tray.take(count)
        assert taken == expected
        if back:
            self.tray.put_back(taken)
        else:
            for _ in taken:
                self.lying.popleft()

    @invariant()
    def is_bounded_and_counted(self) -> None:
        assert len(self.tray) == len(self.lying) <= MOST
        assert self.tray.dropped == self.dropped


TestOnTheDesk = OnTheDesk.TestCase
TestOnTheDesk.settings = settings(max_examples=60, stateful_step_count=30)
