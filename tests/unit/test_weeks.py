"""Two days of a small station: nobody is taken for protected longer than is stated, and hardly anybody wrongly not."""

import random
from pathlib import Path

from structlog.testing import capture_logs

from tests.bench.weeks import DAY, STATED, Spell, Station, told
from tests.support.watching import Watching, devices


def test_nobody_is_taken_for_protected_longer_than_is_stated(tmp_path: Path) -> None:
    with capture_logs():
        station = Station(5, 12, tmp_path / "watch")
        for _ in range(2 * DAY):
            station.live()
    beyond = {cause: max(runs) for cause, runs in station.wrongly.items() if max(runs) > STATED[cause]}
    assert beyond == {}, told(station)
    assert station.wrongly, "nothing happened"
    assert station.needlessly.total() < station.true / 200, told(station)


def test_each_spell_begins_and_ends_and_comes_again() -> None:
    spell = Spell(random.Random(5), 0.01, 1, 5)
    held = [spell.holds(minute) for minute in range(DAY)]
    assert 10 < sum(held) < DAY / 2


def test_a_station_that_is_heard_is_protected(tmp_path: Path) -> None:
    station = Watching(devices(2), ["serial:a"], tmp_path / "watch")
    for _ in range(60):
        station.hear(0, "serial:a", {"worn": True})
        station.turn(60_000)
    told_of = {wearer: verdict.state.value for wearer, verdict in station.protection.verdicts.items()}
    assert told_of == {"w-0000": "protected", "w-0001": "unprotected"}
