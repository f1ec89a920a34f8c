"""Any sequence of presses, copies, silences, recordings and kills, whatever tells a device's presses apart.

What is expected is written down here a second time, from what was on the air. A kill costs what was heard since the
record was last kept, at most a third of the time in which a copy is one: that near its end either answer is right.
"""

from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from drivers.base import Behaviour, Counter, Edge, Identity, Level, Occurrence, OccurrenceKind
from gateway.episodes import COPY_MS, REFRESHES, SETTLE_MS, SILENCE_MS, Episodes, Ruling, Verdict
from tests.support.moments import moment

BEHAVIOURS: dict[str, Callable[[int], Behaviour]] = {
    "edge with a key": Edge,
    "edge without": lambda _: Edge(None),
    "identity": lambda _: Identity(),
    "level": lambda _: Level(active=True),
    "counter": lambda number: Counter(number, True, 65535),
}


class Sender:
    """A device, and what was heard of its presses; those that nothing numbers are all number 1."""

    def __init__(self, name: str) -> None:
        self.behaviour = BEHAVIOURS[name]
        self.numbered = name in ("edge with a key", "counter")
        self.level, self.identity = name == "level", name == "identity"
        self.number = 0
        self.last: dict[int, int] = {}
        self.unsure: set[int] = set()
        """Numbers not heard since the daemon was last killed."""

    @property
    def same_ms(self) -> int:
        return COPY_MS if self.numbered else SILENCE_MS


class OnTheAir(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.ms = self.began = 0
        self.episodes = Episodes()
        self.records: dict[str, bytes] = {}
        self.senders = {f"{which} {name}": Sender(name) for which in ("one", "two") for name in BEHAVIOURS}

    def hear(self, address: str, behaviour: Behaviour, kind: OccurrenceKind = OccurrenceKind.SOS) -> Ruling:
        ruling = self.episodes.hear(address, Occurrence(kind, behaviour), moment(self.ms), registered=True)
        if ruling.change is not None:
            self.records[ruling.change.key] = ruling.change.value
        return ruling

    def some(self, data: st.DataObject, which: Callable[[Sender], bool]) -> tuple[str, Sender]:
        return data.draw(st.sampled_from([each for each in self.senders.items() if which(each[1])]))

    @rule(data=st.data(), at_once=st.booleans())
    def press(self, data: st.DataObject, at_once: bool) -> None:
        """Where nothing numbers presses, only one after a silence can be told from the one before."""
        address, sender = self.some(data, lambda _: True)
        if sender.numbered:
            sender.number += 1
            self.ms += 0 if at_once else 5_000
        else:
            sender.number = 1
            self.ms = max(self.ms, sender.last.get(1, self.ms - SILENCE_MS) + SILENCE_MS + 1)
        ruling = self.hear(address, sender.behaviour(sender.number))
        assert (ruling.verdict, ruling.replayed) == (Verdict.PRESS, False)
        sender.last[sender.number] = self.ms
        sender.unsure.discard(sender.number)

    @precondition(lambda self: any(sender.last for sender in self.senders.values()))
    @rule(data=st.data(), later=st.integers(0, SILENCE_MS))
    def again(self, data: st.DataObject, later: int) -> None:
        """A frame of the latest press or of an earlier one, from the device itself or from a recording."""
        address, sender = self.some(data, lambda each: bool(each.last))
        number = data.draw(st.sampled_from(sorted(sender.last, reverse=True)))
        self.ms += later
        gap = self.ms - sender.last[number]
        ruling = self.hear(address, sender.behaviour(number))
        if gap > sender.same_ms:
            assert (ruling.verdict, ruling.replayed) == (Verdict.PRESS, sender.numbered)
        elif number not in sender.unsure or gap <= sender.same_ms - sender.same_ms // REFRESHES:
            assert ruling.verdict is Verdict.COPY
        else:
            assert ruling.verdict in (Verdict.COPY, Verdict.PRESS)
        sender.last[number] = self.ms
        sender.unsure.discard(number)

    @rule(ms=st.sampled_from([1, SETTLE_MS, SILENCE_MS, SILENCE_MS + 1, COPY_MS, COPY_MS + 1]))
    def silence(self, ms: int) -> None:
        self.ms += ms

    @rule(data=st.data())
    def released(self, data: st.DataObject) -> None:
        address, sender = self.some(data, lambda each: each.level)
        ended = Verdict.ENDED if sender.last else Verdict.NOTHING
        assert self.hear(address, Level(active=False)).verdict is ended
        sender.last.clear()

    @rule(data=st.data())
    def usual_identity(self, data: st.DataObject) -> None:
        address, sender = self.some(data, lambda each: each.identity)
        assert self.hear(address, Identity(), OccurrenceKind.NONE).verdict is Verdict.NOTHING
        off_air = min(self.ms - max(sender.last.values(), default=self.ms), self.ms - self.began)
        if off_air >= SETTLE_MS:
            sender.last.clear()

    @rule(down_ms=st.integers(0, SILENCE_MS))
    def killed(self, down_ms: int) -> None:
        self.ms += down_ms
        self.began = self.ms
        self.episodes = Episodes()
        self.episodes.load(self.records, self.senders, moment(self.ms))
        for sender in self.senders.values():
            if sender.level:
                sender.last = dict.fromkeys(sender.last, self.ms)  # levels go on until heard to end
            else:
                sender.unsure |= set(sender.last)


OnTheAir.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
test_any_sequence_loses_no_press_and_doubles_none = OnTheAir.TestCase
