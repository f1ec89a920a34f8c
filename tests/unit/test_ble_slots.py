"""Who is connected next: writes, then alert functions, then who waited longest; and nobody keeps others waiting."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from drivers.ble.slots import LEASE_MS, REACH_MS, RETRY_MOST_MS, RETRY_MS, SHORT_LEASE_MS, Slots


def slots(budget: int, *heard: tuple[str, bool]) -> Slots:
    made = Slots(budget)
    for now, (address, alerts) in enumerate(heard):
        made.heard(address, now, alerts=alerts)
    return made


def take(of: Slots, now: int) -> list[str]:
    """Connect whoever is next, until nobody is."""
    taken = []
    while address := of.next(now):
        of.begun(address, now)
        taken.append(address)
    return taken


def test_alert_functions_go_first_then_who_waited_longest() -> None:
    assert take(slots(5, ("a", False), ("b", True), ("c", False), ("d", True)), 10) == ["b", "d", "a", "c"]


def test_no_more_than_the_budget() -> None:
    made = slots(5, *((str(number), True) for number in range(6)))
    assert (take(made, 10), made.used, made.waiting(10)) == (["0", "1", "2", "3", "4"], 5, 1)


def test_a_write_goes_before_all_others_and_takes_a_slot_at_once() -> None:
    made = slots(1, ("a", True), ("b", False))
    assert take(made, 10) == ["a"]
    made.urge("b", 11)
    assert made.giving_way(11) == "a"
    made.ended("a", 11)
    assert take(made, 11) == ["b"]
    made.heard("a", 12, alerts=True)
    assert made.giving_way(12 + LEASE_MS) is None  # what is being written is not broken off


def test_nobody_gives_way_where_nobody_waits() -> None:
    made = slots(1, ("a", False))
    take(made, 0)
    assert made.giving_way(10 * LEASE_MS) is None


def test_a_lease_ends_when_another_waits_and_the_longest_connected_goes() -> None:
    made = slots(2, ("a", False), ("b", False), ("c", False))
    take(made, 10)
    made.heard("c", LEASE_MS, alerts=False)
    assert made.giving_way(LEASE_MS + 9) is None
    assert made.giving_way(LEASE_MS + 10) == "a"
    made.ended("a", LEASE_MS + 10)
    made.heard("a", LEASE_MS + 10, alerts=False)
    assert take(made, LEASE_MS + 11) == ["c"]
    assert made.giving_way(LEASE_MS + 11) == "b"


def test_alert_functions_wait_only_for_a_short_lease_of_others() -> None:
    made = slots(1, ("a", False), ("b", True))
    made.begun("a", 0)
    assert (made.giving_way(SHORT_LEASE_MS - 1), made.giving_way(SHORT_LEASE_MS)) == (None, "a")


def test_six_on_five_slots_all_have_their_turn() -> None:
    made = slots(5, *((str(number), True) for number in range(6)))
    seen = set(take(made, 10))
    for now in range(10, 10 * LEASE_MS, 1_000):
        for number in range(6):
            made.heard(str(number), now, alerts=True)
        if leaver := made.giving_way(now):
            made.ended(leaver, now)
        seen |= set(take(made, now))
        assert made.used <= 5
    assert seen == set("012345")


def test_who_fails_is_tried_later_and_later() -> None:
    made, now, tries = slots(1, ("a", True)), 0, list[int]()
    while now < 40 * 60_000:
        made.heard("a", now, alerts=True)
        if made.next(now):
            made.begun("a", now)
            made.failed("a", now)
            tries.append(now)
        now += 1_000
    gaps = [later - sooner for sooner, later in pairwise(tries)]
    assert gaps[:4] == [RETRY_MS, 2 * RETRY_MS, 4 * RETRY_MS, 8 * RETRY_MS]
    assert max(gaps) == RETRY_MOST_MS


def test_who_is_not_heard_is_not_tried() -> None:
    assert slots(1, ("a", True)).next(REACH_MS + 1) is None


def test_a_polled_wearable_is_not_due_before_its_time_and_waits_for_nothing_till_then() -> None:
    made = slots(1, ("a", True))
    take(made, 0)
    made.ended("a", 600_000)
    made.heard("a", 599_999, alerts=True)
    assert (made.next(599_999), made.next(600_000)) == (None, "a")
    assert (made.waiting(599_999), made.waiting(600_000), made.waiting(620_000)) == (0, 1, 0)


def test_nobody_waits_behind_one_that_another_adapter_has() -> None:
    made = slots(1, ("a", True), ("b", False))
    assert made.next(10, {"a"}) == "b"
    made.begun("b", 10)
    assert made.giving_way(10 + LEASE_MS, {"a"}) is None


def test_a_write_is_tried_though_the_wearable_was_silent_and_once_forgotten_it_asks_no_more() -> None:
    made = slots(1, ("a", True))
    made.urge("a", 10 * REACH_MS)
    assert made.next(10 * REACH_MS) == "a"
    made.forget("a")
    assert (made.next(10 * REACH_MS), made.waiting(10 * REACH_MS)) == (None, 0)


def test_only_a_write_to_another_hurries() -> None:
    made = slots(2, ("a", False), ("b", True))
    made.begun("a", 0)
    assert not made.hurried("a", 1)
    made.urge("b", 1)
    assert (made.hurried("a", 1), made.hurried("b", 1), made.hurried("a", 1, {"b"})) == (True, False, False)
    assert not made.hurried("a", 2 + REACH_MS)
    made.urge("a", 2)
    assert not made.hurried("a", 2)


def test_what_a_wearable_turns_out_to_be_counts() -> None:
    made = slots(1, ("a", False), ("b", False))
    made.heard("b", 2, alerts=True)
    assert made.next(2) == "b"


@given(
    st.integers(1, 5),
    st.lists(
        st.tuples(st.sampled_from(["heard", "urge", "next", "ended", "failed"]), st.sampled_from("abcdefgh")),
        max_size=200,
    ),
)
def test_the_budget_holds_whatever_happens(budget: int, steps: list[tuple[str, str]]) -> None:
    made, connected = Slots(budget), set[str]()
    for now, (step, address) in enumerate(steps):
        match step:
            case "heard":
                made.heard(address, now, alerts=address < "d")
            case "urge":
                made.urge(address, now)
            case "next" if chosen := made.next(now):
                assert chosen not in connected
                made.begun(chosen, now)
                connected.add(chosen)
            case "ended" | "failed" if address in connected:
                connected.discard(address)
                getattr(made, step)(address, now)
        leaver = made.giving_way(now)
        assert leaver is None or leaver in connected
        assert made.used == len(connected) <= budget
