"""The simulated platform: it drops duplicates, joins what two stations tell, and its people accept, late, and clear."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.bench.truth import JOIN_MS, REMEMBERED_MS, Truth

After = Callable[[float, Callable[[], None]], None]
"""Do it so many seconds later."""


@dataclass
class Case:
    """A press as the platform knows it, told by one station or more."""

    ms: int
    late: bool
    stations: set[str]


class Desks:
    """`say` sends an acknowledgement to a station; it may be long under way."""

    def __init__(
        self, truth: Truth, chance: random.Random, after: After, say: Callable[[str, str, bytes], None]
    ) -> None:
        self.away = False
        self.duplicates = 0
        self.said = 0
        self._truth, self._chance, self._after, self._say = truth, chance, after, say
        self._seen: set[str] = set()
        self._latest: dict[str, tuple[int, dict[str, Any]]] = {}
        self._minded: set[str] = set()
        self._cases: dict[str, list[Case]] = {}
        self._inbox: list[tuple[str, bytes]] = []

    def take(self, station: str, payload: bytes, ms: int) -> None:
        if self.away:
            self._inbox.append((station, payload))
            return
        event = json.loads(payload)
        if event["id"] in self._seen:
            self.duplicates += 1
            return
        self._seen.add(event["id"])
        alert, seq = event["data"], int(event["sequence"])
        if alert["reason"] == "press" and alert["presses"][-1]["key"] is not None:
            self._join(station, alert, ms)
        if self._latest.get(alert["id"], (0, alert))[0] < seq:
            self._latest[alert["id"]] = seq, alert
        self._mind(station, alert)

    def come_back(self, ms: int) -> None:
        self.away = False
        inbox, self._inbox = self._inbox, []
        for station, payload in inbox:
            self.take(station, payload, ms)

    def _join(self, station: str, alert: dict[str, Any], ms: int) -> None:
        """Which press it is. As the contract says; but where one of the two is `late`, its time says nothing."""
        key, late = alert["presses"][-1]["key"], alert["late"]
        told = [(each.told[station], each) for each in self._truth.presses[key] if station in each.told]
        if not told or (station, alert["id"], alert["press_count"]) in self._truth.played:
            return  # nobody presses `not_worn`, for one; and who sees a recording joins it to nothing
        at, press = told[-1]
        press.arrived = True
        cases = self._cases.setdefault(key, [])
        for case in reversed(cases):  # the latest first: after a new battery numbers and keys come again
            reach = REMEMBERED_MS if late or case.late else JOIN_MS
            if station not in case.stations and abs(at - case.ms) <= reach:
                case.stations.add(station)
                return
        cases.append(Case(at, late, {station}))
        press.cases += 1
        if press.cases > 1:
            self._truth.counts["doubled"] += 1
            what = f"{ms}: the platform cannot join the press at {press.ms} from {station}, told at {at}"
            self._truth.wrong.append(f"{what}, late {late}, auth {alert['auth']}; it knows {cases}")

    def _mind(self, station: str, alert: dict[str, Any]) -> None:
        """Somebody sees it: accepts after a while, or overlooks it until it comes again."""
        ident, chance = alert["id"], self._chance
        if alert["state"] != "raised" or ident in self._minded or alert["kind"] == "not_worn":
            return
        if alert["severity"] == "critical" and chance.random() < 0.05:
            return
        self._minded.add(ident)
        seconds = chance.lognormvariate(3.0, 1.0)
        self._after(seconds, lambda: self._accept(station, ident))

    def _accept(self, station: str, ident: str) -> None:
        chance = self._chance
        self._minded.discard(ident)
        self._word(station, ident, "accept")
        self._after(chance.uniform(300, 10_800), lambda: self._word(station, ident, "clear"))
        if chance.random() < 0.03:  # and again, long after
            self._after(chance.uniform(1, 20_000), lambda: self._word(station, ident, "accept"))
        if chance.random() < 0.01:
            self._word(station, "01never-heard-of", "clear")
            self._say(station, ident, b"{accept it")

    def _word(self, station: str, ident: str, action: str) -> None:
        self.said += 1
        word = {"v": 1, "id": str(self.said), "action": action, "by": f"desk-{self._chance.randint(1, 5)}"}
        payload = json.dumps(word).encode()
        if action == "clear":
            _, alert = self._latest.get(ident, (0, {"state": ""}))
            if alert["state"] == "raised" and ident in self._minded:
                self._after(600, lambda: self._word(station, ident, "clear"))  # pressed anew: not over yet
                return
        for _ in range(2 if self._chance.random() < 0.03 else 1):
            self._say(station, ident, payload)
