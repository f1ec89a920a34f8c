"""Any sequence of what can happen: no press is lost, none is told twice, and no critical alert is silent.

Bytes go in, rows come out, and what is expected of them is written down here a second time, from what was done to the
bands alone. `LIFE_EXAMPLES=5000 pytest tests/unit/test_alert_life.py` tries longer.
"""

import json
import os
import shutil
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.cli.street import Code, Kind, Wearable
from gateway.escalation import GRACE_MS
from gateway.identity import press_key
from gateway.model import AlertKind
from gateway.roster import Device, Roster
from tests.support.air import band
from tests.support.byhand import FLEET, START_MS, TELL_AFTER_MS, Killed, Station, World

EXAMPLES = int(os.environ.get("LIFE_EXAMPLES", "60"))
SHM = "/dev/shm" if Path("/dev/shm").is_dir() else None
LINKS = ("serial:a", "serial:b", "ble:c")
BANDS = 2
"""In the roster; one more is a stranger."""
CALLS = {
    Code.SOS: ("sos", None),
    Code.FALL: ("fall", None),
    Code.SHOPPING: ("service_request", "shopping"),
    Code.TEST: ("sos", None),
    42: ("button", None),
}
"""What is to become an alert; 42 is a code of a later version."""
COPY_MS, WINDOW_MS = 600_000, 20_000
GAPS_MS, GAP_MS, LATE_GAP_MS, LATE_MS = (10_000, 20_000, 40_000), 60_000, 600_000, 1_800_000
FITS = {"raised": "ok", "accepted": "already_accepted", "cleared": "already_cleared", "cancelled": "was_cancelled"}
"""What `accept` is answered."""

links = st.lists(st.sampled_from(LINKS), max_size=3, unique=True)
bands = st.integers(0, BANDS)


class Frame:
    """A frame as somebody may have recorded it."""

    def __init__(self, who: int, wearable: Wearable, kind: Kind) -> None:
        self.who, self.fresh = who, kind is Kind.EVENT
        self.payload = wearable.payload(kind)
        self.event = (wearable.counter, int(wearable.code))


class Life(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=SHM))
        self.world = World()
        self.bands = [band(number + 1) for number in range(BANDS + 1)]
        devices = [Device(id=f"band-{n}", address=self.bands[n].address, wearer=f"w-{n}") for n in range(BANDS)]
        self.rows: list[dict[str, Any]] = []
        self.made: list[int] = []
        self.checked = 0
        self.station = Station("a", self.folder, Roster(tuple(devices)), self.world, LINKS, self.row)
        self.frames: list[Frame] = []
        self.current = [(0, 0) for _ in self.bands]
        self.heard: list[dict[tuple[int, int], int]] = [{} for _ in self.bands]
        """Of each band the events of its present run that a frame was heard of, and when last."""
        self.hoped: list[tuple[int, tuple[int, int]]] = []
        """Heard, and not yet on the disk."""
        self.certain: list[set[tuple[int, int]]] = [set() for _ in self.bands]
        self.known, self.kept = [False] * len(self.bands), [False] * len(self.bands)
        """Whether the box has a baseline of the band, in memory and on the disk."""
        self.baseline: list[tuple[int, int] | None] = [None] * len(self.bands)
        """What the first frame told, where that was a heartbeat: it is no news."""
        self.may_be_replayed: Counter[tuple[int, tuple[int, int]]] = Counter()
        self.hoped_replays: set[tuple[int, tuple[int, int]]] = set()
        self.must_be_replayed: set[tuple[int, tuple[int, int]]] = set()
        self.run = [0 for _ in self.bands]
        """The number of rows when a band's present run began."""
        self.told: dict[str, dict[str, Any]] = {}
        self.told_ms: dict[str, int] = {}
        self.pressed_ms: dict[str, int] = {}
        self.sounded: set[str] = set()
        """Alerts that the station itself was told of since this daemon's start."""
        self.reachable = True

    def teardown(self) -> None:
        self.station.kill()
        shutil.rmtree(self.folder)

    def row(self, row: Any) -> None:
        told = json.loads(row.payload)["data"]
        if told["kind"] == "storm":  # about presses that are all told by themselves
            return
        self.rows.append(told)
        self.made.append(self.world.ms)

    # What bands do

    def deliver(self, frame: Frame, over: list[str]) -> None:
        who, event = frame.who, frame.event
        for link in over:
            self.station.hear(link, self.bands[who], frame.payload)
        if not over:
            return
        counts = (self.known[who] or frame.fresh) and self.baseline[who] != event
        if not counts and not self.known[who]:
            self.baseline[who] = event
        self.known[who] = True
        if counts and event[1] in CALLS:
            self.hoped.append((who, event))
        self.heard[who][event] = self.world.ms

    @rule(who=bands, code=st.sampled_from([*CALLS, Code.FALL_CANCELLED]), over=links, second=st.booleans())
    def press(self, who: int, code: int, over: list[str], second: bool) -> None:
        self.world.ms += 300 if second else 30_000
        wearable = self.bands[who]
        wearable.press(code, 0.0)  # type: ignore[arg-type]
        self.current[who] = (wearable.counter, int(code))
        fresh, later = Frame(who, wearable, Kind.EVENT), Frame(who, wearable, Kind.VITALS)
        self.frames += [fresh, later]
        self.deliver(fresh, over)

    @rule(who=bands, over=links)
    def heartbeat(self, who: int, over: list[str]) -> None:
        self.world.ms += 2_000
        self.deliver(Frame(who, self.bands[who], Kind.VITALS), over)

    @precondition(lambda self: self.frames)
    @rule(data=st.data(), over=links)
    def delayed_or_recorded(self, data: st.DataObject, over: list[str]) -> None:
        """A frame of the band's present run comes now, late or once more: a slow receiver, or a recording."""
        frame = data.draw(st.sampled_from(self.frames))
        last = self.heard[frame.who].get(frame.event)
        again = over and last is not None and frame.event[1] in CALLS
        if again and (frame.fresh or frame.event != self.current[frame.who]):
            self.may_be_replayed[frame.who, frame.event] += 1
            same_boot = last >= self.station.clock.since_ms  # over a power cut the wall clock may hide how long it was
            if frame.fresh and same_boot and self.known[frame.who] and self.world.ms - last > COPY_MS:
                self.hoped_replays.add((frame.who, frame.event))
        self.deliver(frame, over)

    @precondition(lambda self: not self.station.disk.full)
    @rule(who=st.integers(0, BANDS - 1), link=st.sampled_from(LINKS))
    def power_up(self, who: int, link: str) -> None:
        """A band starts anew, where it is heard; the numbers of its former run mean nothing any more."""
        self.settle()
        self.world.ms += 11_000
        self.bands[who].restart()
        self.current[who] = (0, 0)
        self.frames = [frame for frame in self.frames if frame.who != who]
        self.deliver(Frame(who, self.bands[who], Kind.VITALS), [link])
        self.settle()
        self.heard[who], self.certain[who], self.run[who] = {}, set(), len(self.rows)
        self.baseline[who] = None
        self.must_be_replayed = {each for each in self.must_be_replayed if each[0] != who}
        self.may_be_replayed = Counter({e: n for e, n in self.may_be_replayed.items() if e[0] != who})

    # What the box does

    # All steps together last less than the week for which keys and closed alerts are remembered

    @rule(seconds=st.sampled_from([0, 0.25, 1, 10, 20, 40, 60, 599, 601, 1_800, 14_400]))
    def tick(self, seconds: float) -> None:
        self.world.ms += int(seconds * 1000)
        self.settle(tick=True)
        self.sounded |= {alert.id for alert in self.station.look(reachable=self.reachable)}
        if not self.station.held:
            self.nobody_is_silent()

    @rule()
    def settle(self, *, tick: bool = False) -> None:
        self.station.settle(tick=tick)
        if not self.station.held:
            self.on_the_disk()

    def on_the_disk(self) -> None:
        for who, event in self.hoped:
            self.certain[who].add(event)
            self.kept[who] = True
        self.must_be_replayed |= self.hoped_replays
        self.hoped.clear()
        self.hoped_replays.clear()
        for who in range(BANDS):  # of a stranger nothing is kept but a press
            self.kept[who] = self.known[who]

    @rule(full=st.booleans())
    def disk(self, full: bool) -> None:
        self.station.disk.full = full
        self.settle()

    @rule(dies=st.sampled_from(["between", "before", "after"]), reboot=st.booleans(), behind=st.booleans())
    def crash(self, dies: str, reboot: bool, behind: bool) -> None:
        """The daemon is killed between commits, or in one; or the box loses power, and forgets what time it is."""
        self.station.disk.full = False
        self.station.disk.dies = None if dies == "between" else dies
        try:
            if dies != "between" and not self.station.held:
                self.station.settle()
                self.on_the_disk()
        except Killed:
            if dies == "after":
                self.on_the_disk()
        self.station.kill()
        self.hoped.clear()
        self.hoped_replays.clear()
        self.world.ms += 30_000 if reboot else 0
        self.station.start(self.world.ms - START_MS if reboot else None, -3_600_000 if behind else 0)
        self.known = list(self.kept)
        self.baseline = [each if kept else None for each, kept in zip(self.baseline, self.kept, strict=True)]
        self.sounded.clear()

    @rule(hours=st.integers(-48, 48))
    def wall_clock_steps(self, hours: int) -> None:
        self.station.clock.skew_ms = hours * 3_600_000

    @rule(reachable=st.booleans())
    def broker(self, reachable: bool) -> None:
        self.reachable = reachable

    @rule()
    def broker_takes_all(self) -> None:
        for seq in list(self.station.disk.pending):
            self.station.disk.settle(seq)

    # What desks do

    @precondition(lambda self: not self.station.disk.full)
    @rule(data=st.data(), action=st.sampled_from(["accept", "clear"]))
    def acknowledge(self, data: st.DataObject, action: str) -> None:
        self.settle()
        self.every_message_follows_from_the_one_before()
        alert = data.draw(st.sampled_from([*self.told, "never-heard-of"]))
        state = self.told[alert]["state"] if alert in self.told else None
        wanted = "unknown_alert" if state is None else FITS[state]
        if action == "clear" and state == "accepted":
            wanted = "ok"
        self.station.acknowledge(alert, json.dumps({"v": 1, "id": "1", "action": action, "by": "desk-3"}).encode())
        self.settle()
        (answer,) = map(json.loads, self.station.answers)
        self.station.answers.clear()
        assert (answer["error"] or {"code": "ok"})["code"] == wanted
        if wanted == "ok":
            last = self.rows[-1]
            assert (last["id"], last["reason"], last["by"]) == (alert, action, "desk-3")
            assert last["state"] == {"accept": "accepted", "clear": "cleared"}[action]

    @precondition(lambda self: self.told and not self.station.disk.full)
    @rule(data=st.data(), who=bands)
    def a_word_and_a_press_at_once(self, data: st.DataObject, who: int) -> None:
        alert = data.draw(st.sampled_from(list(self.told)))
        self.station.acknowledge(alert, b'{"v":1,"id":"1","action":"clear","by":"desk-3"}')
        self.press(who, Code.SOS, ["serial:a"], True)
        self.settle()
        self.station.answers.clear()

    # What must hold

    @invariant()
    def every_message_follows_from_the_one_before(self) -> None:
        for row, made in zip(self.rows[self.checked :], self.made[self.checked :], strict=True):
            before, ident = self.told.get(row["id"]), row["id"]
            assert (before is None) <= (row["reason"] == "press")
            assert before is None or before["state"] in ("raised", "accepted"), "a closed alert spoke again"
            state = {"accept": "accepted", "clear": "cleared", "cancelled": "cancelled", "press": "raised"}
            assert row["state"] == state.get(row["reason"], before and before["state"])
            assert (row["by"] is None) == (row["state"] in ("raised", "cancelled"))
            presses = (before["press_count"] if before else 0) + (row["reason"] == "press")
            assert row["press_count"] == presses
            self.told[ident], self.told_ms[ident] = row, made
            if row["reason"] == "press":
                self.pressed_ms[ident] = made
        self.checked = len(self.rows)

    @invariant()
    def every_press_is_told_once(self) -> None:
        rows: defaultdict[str, list[str]] = defaultdict(list)
        begun = {self.name(who): self.run[who] for who in range(len(self.bands))}
        for place, row in enumerate(self.rows):
            if row["reason"] == "press" and place >= begun[row["device"]]:
                rows[row["presses"][-1]["key"]].append(row["auth"])
        for who in range(len(self.bands)):
            for event in self.certain[who] | set(self.heard[who]):
                auths = rows.pop(self.key(who, event), [])
                hoped = (who, event) in self.hoped
                assert auths.count("none") == (event in self.certain[who]) or hoped, (who, event, auths)
                assert auths.count("replayed") <= self.may_be_replayed[who, event], (who, event, auths)
                assert (who, event) not in self.must_be_replayed or "replayed" in auths
        assert not rows, "something was told that nobody pressed"

    @invariant()
    def what_is_kept_is_what_was_told(self) -> None:
        if self.station.held:
            return
        records = [alert for alert in self.station.records() if alert.key.kind is not AlertKind.STORM]
        open_keys = [alert.key for alert in records if alert.open]
        assert len(open_keys) == len(set(open_keys)), "two open alerts of one key"
        for alert in records:
            told = self.told[alert.id]
            assert (alert.state.value, alert.press_count, alert.by) == (told["state"], told["press_count"], told["by"])
            keys = [press.key for press in alert.presses]
            assert len(keys) == alert.press_count

    def nobody_is_silent(self) -> None:
        """After a tick: each critical alert that is due has spoken, the station knows, and no fall waits too long."""
        self.every_message_follows_from_the_one_before()
        for ident, row in self.told.items():
            if row["state"] not in ("raised", "accepted"):
                continue
            since_press = self.world.ms - self.pressed_ms[ident]
            if row["kind"] == "fall" and since_press > WINDOW_MS:
                up = self.world.ms - self.station.clock.since_ms
                assert row["confirmed"] or up <= WINDOW_MS, "a fall waits for a window that has passed"
            if row["severity"] != "critical" or row["state"] != "raised":
                continue
            alone = not self.reachable and self.world.ms - self.station.started_ms >= GRACE_MS
            if row["confirmed"] and (alone or since_press >= TELL_AFTER_MS):
                assert ident in self.sounded, "the station was not told"
            if self.station.disk.unsent(ident):
                continue
            gap = GAPS_MS[row["repeat"]] if row["repeat"] < 3 else GAP_MS if since_press < LATE_MS else LATE_GAP_MS
            assert self.world.ms - self.told_ms[ident] < gap, "a critical alert is silent"

    def name(self, who: int) -> str:
        return self.station.pipeline._normalise._wearable(self.bands[who].address[-8:]).device

    def key(self, who: int, event: tuple[int, int]) -> str | None:
        if event[1] not in CALLS:
            return None
        kind, thing = CALLS[event[1]]  # type: ignore[index]
        return press_key(FLEET, self.bands[who].address[-8:], kind, thing, event[0])


Life.TestCase.settings = settings(max_examples=EXAMPLES, stateful_step_count=40)
test_any_sequence_keeps_the_promise = Life.TestCase
