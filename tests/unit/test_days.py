"""A short form of the bench's days: a small street, two stations, and everything that may go wrong, in virtual time."""

from tests.bench.days import live
from tests.bench.town import Town


def of(town: Town, reason: str) -> int:
    return sum(count for what, count in town.truth.counts.items() if what.endswith(reason))


def test_two_days_of_forty_people_lose_double_and_invent_nothing_and_leave_no_call_without_an_answer() -> None:
    town = live(days=2, wearables=40, seed=5)
    truth = town.truth
    assert truth.wrong == []
    assert (truth.missed, truth.counts["doubled"], truth.counts["false"]) == ([], 0, 0)
    told = [press for presses in truth.presses.values() for press in presses if press.told]
    assert all(press.arrived for press in told)
    assert all(truth.answered(press) for press in told)
    assert len(told) > 30
    assert min(town.crashes, town.outages, of(town, "repeat"), of(town, "accept"), truth.counts["bells"]) > 0
