"""What was really pressed, kept apart from all that the stations make of it, and the verdict on what they told."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gateway.cli.street import Code
from gateway.identity import press_key
from tests.bench.figures import percentile
from tests.support.byhand import FLEET, TELL_AFTER_MS

MEANT = {
    Code.SOS: ("sos", None),
    Code.FALL: ("fall", None),
    Code.TEST: ("sos", None),
    Code.SHOPPING: ("service_request", "shopping"),
    Code.RIDE: ("service_request", "ride"),
    Code.CALLBACK: ("service_request", "callback"),
}
"""What calls for people."""
NAMES = {Code.SOS: "sos", Code.FALL: "fall", Code.TEST: "test press"}
GAPS_MS, GAP_MS, LATE_GAP_MS, LATE_MS = (10_000, 20_000, 40_000), 60_000, 600_000, 1_800_000
SLACK_MS = 1_500
"""A simulated station comes round once a second."""
JOIN_MS = 600_000
"""Two stations tell the same press at most so far apart, where neither learned of it late."""
REMEMBERED_MS = 7 * 24 * 3_600_000
ECHO_MS = 15_000
"""A recording is on the air for so long, delays included."""


@dataclass(eq=False)
class Press:
    name: str
    key: str
    ms: int
    home: str
    double: bool
    heard: bool = False
    """By a box that lived to commit it, and that could know it for new."""
    told: dict[str, int] = field(default_factory=dict)
    """When each station had it on its disk."""
    late: set[str] = field(default_factory=set)
    alerts: set[str] = field(default_factory=set)
    arrived: bool = False
    cases: int = 0
    """As how many presses the platform counts it."""


@dataclass(eq=False)
class Recording:
    station: str
    key: str
    ms: int
    told: int = 0


@dataclass
class Followed:
    """An open alert, by its messages alone."""

    row: dict[str, Any]
    told_ms: int
    pressed_ms: int
    waits_ms: int


class Truth:
    def __init__(self) -> None:
        self.presses: defaultdict[str, list[Press]] = defaultdict(list)
        self.recordings: list[Recording] = []
        self.played: set[tuple[str, str, int]] = set()
        """Presses of alerts, by station, alert and number, that were recordings."""
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        """Each discrepancy, in words."""
        self._open: dict[str, dict[str, Followed]] = defaultdict(dict)
        self._accepted: set[str] = set()
        self._sounded: set[str] = set()
        self._repeated: set[str] = set()
        self._closed: set[str] = set()

    def press(self, address: str, code: Code, number: int, ms: int, home: str, *, double: bool) -> Press:
        kind, thing = MEANT[code]
        key = press_key(FLEET, address, kind, thing, number)
        press = Press(NAMES.get(code, "service request"), key, ms, home, double)
        self.presses[key].append(press)
        return press

    def row(self, station: str, row: dict[str, Any], ms: int) -> None:
        """A message that a station has on its disk."""
        reason, ident, followed = row["reason"], row["id"], self._open[station]
        self.counts[f"{row['kind']} {reason}"] += 1
        if reason == "press" and row["kind"] in ("sos", "fall", "service_request"):
            self._attribute(station, row, ms)
        known = followed.get(ident)
        if known is None and reason != "press":
            self.wrong.append(f"{ms}: {station} speaks of the closed alert {ident}: {reason}")
        if row["state"] in ("cleared", "cancelled"):
            followed.pop(ident, None)
            self._closed.add(ident)
            return
        pressed = ms if reason == "press" or known is None else known.pressed_ms
        anew = known is None or known.row["state"] != "raised" or not known.row["confirmed"]
        followed[ident] = Followed(row, ms, pressed, ms if known is None or anew else known.waits_ms)
        if reason == "accept":
            self._accepted.add(ident)
        elif reason == "repeat":
            self._repeated.add(ident)

    def sounded(self, station: str, alerts: list[str]) -> None:
        self.counts["bells"] += 1
        self._sounded.update(alerts)

    def hush(self, station: str, sounded: set[str], up_ms: int, ms: int, unsent: Any) -> None:
        """A station has come round: nothing critical may be silent. `sounded`: told since the daemon's start."""
        for ident, each in self._open[station].items():
            row = each.row
            if row["severity"] != "critical" or row["state"] != "raised":
                continue
            waited = ms - max(each.waits_ms, up_ms)
            if row["confirmed"] and waited > TELL_AFTER_MS + SLACK_MS and ident not in sounded:
                self.wrong.append(f"{ms}: {station} was not told of {ident}, which waits for {waited} ms")
            old = ms - each.pressed_ms
            gap = GAPS_MS[row["repeat"]] if row["repeat"] < 3 else GAP_MS if old < LATE_MS else LATE_GAP_MS
            silent = ms - max(each.told_ms, up_ms)
            if silent > gap + SLACK_MS and not unsent(ident):
                self.wrong.append(f"{ms}: {ident} is silent for {silent} ms at {station}")

    def _attribute(self, station: str, row: dict[str, Any], ms: int) -> None:
        key, replayed = row["presses"][-1]["key"], row["auth"] == "replayed"
        before = [press for press in self.presses[key] if press.ms <= ms]
        if replayed or (before and ms - before[-1].ms > JOIN_MS and not row["late"]):
            for each in self.recordings:
                if each.key == key and each.station == station and 0 <= ms - each.ms <= ECHO_MS and not each.told:
                    each.told += 1
                    self.played.add((station, row["id"], row["press_count"]))
                    if not replayed:
                        self._unmarked(station, before[-1], ms)
                    return
        if not before:
            self.counts["false"] += 1
            self.wrong.append(f"{ms}: {station} tells of a press that nobody made: {row}")
        elif station in before[-1].told:
            self.counts["doubled"] += 1
            self.wrong.append(f"{ms}: {station} tells twice of the press at {before[-1].ms}: {row}")
        else:
            press = before[-1]
            press.told[station] = ms
            press.alerts.add(row["id"])
            if row["late"]:
                press.late.add(station)
                self.counts["late where another had told it"] += len(press.told) > 1

    def _unmarked(self, station: str, press: Press, ms: int) -> None:
        """Only what it never heard, or no longer remembers, may a station take for new."""
        if station not in press.told:
            self.counts["recordings of what another heard"] += 1
        elif ms - press.told[station] > REMEMBERED_MS:
            self.counts["recordings of long ago"] += 1
        else:
            self.counts["false"] += 1
            self.wrong.append(f"{ms}: {station} takes a recording of the press at {press.ms} for new")

    # The verdict

    @property
    def missed(self) -> list[Press]:
        return [press for press in self._all() if press.heard and not press.arrived]

    def answered(self, press: Press) -> bool:
        """Whether people know of it: each of its alerts was accepted, told at the station, or taken back."""
        return press.alerts <= self._accepted | self._sounded | self._closed

    def _all(self) -> Iterator[Press]:
        return (press for presses in self.presses.values() for press in presses)

    def table(self) -> str:
        head = ("", "pressed", "raised", "accepted", "escalated", "repeated", "late", "nobody heard", "missed")
        lines = []
        for name in ("sos", "fall", "service request", "test press"):
            mine = [press for press in self._all() if press.name == name]
            lines.append((name, *self._cells(mine)))
        lines.append(("of these double", *self._cells([press for press in self._all() if press.double])))
        lines.append(("all", *self._cells(list(self._all()))))
        cells = [[str(cell) for cell in line] for line in (head, *lines)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        rows = [[cell.rjust(width) for cell, width in zip(line, widths, strict=True)] for line in cells]
        return "\n".join([*map("  ".join, rows), "", *self._more()])

    def _cells(self, presses: list[Press]) -> tuple[int, ...]:
        def among(idents: set[str]) -> int:
            return sum(bool(press.alerts & idents) for press in presses)

        return (
            len(presses),
            sum(press.arrived for press in presses),
            among(self._accepted),
            among(self._sounded),
            among(self._repeated),
            sum(bool(press.told) and set(press.told) == press.late for press in presses),
            sum(not press.heard and not press.told for press in presses),
            sum(press.heard and not press.arrived for press in presses),
        )

    def _more(self) -> Iterator[str]:
        at_once = [min(press.told.values()) - press.ms for press in self._all() if press.told and not press.late]
        shares = ", ".join(f"p{share * 100:g} {percentile(at_once, share)}" for share in (0.5, 0.99, 1.0))
        counts = self.counts
        both = sum(len(press.told) > 1 for press in self._all())
        yield f"press to commit, ms of the simulated time: {shares}"
        yield f"falls cancelled {counts['fall cancelled']}, confirmed {counts['fall confirmed']}"
        conditions = [f"{kind} {counts[f'{kind} press']}" for kind in ("low_battery", "not_worn")]
        yield f"conditions raised: {', '.join(conditions)}"
        late = counts["late where another had told it"]
        yield f"presses told by both stations {both}, {late} of them late, after a walk; joined by their key"
        told = sum(each.told for each in self.recordings)
        another, old = counts["recordings of what another heard"], counts["recordings of long ago"]
        played = len(self.recordings)
        yield f"recordings played {played}: known for copies {played - told}, raised {told},"
        new = f"as new {another} that only the other station had heard and {old} of over a week ago"
        yield f"  of these as `replayed` {told - another - old}, {new}"
        yield f"the stations were told {counts['bells']} times"
        yield f"alert messages: repeats {self._of('repeat')}, reminders {self._of('reminder')}"
        found = f"missed {len(self.missed)}, doubled {counts['doubled']}, false {counts['false']}"
        yield f"{found}, discrepancies of any kind {len(self.wrong)}"

    def _of(self, reason: str) -> int:
        return sum(count for what, count in self.counts.items() if what.endswith(reason))
