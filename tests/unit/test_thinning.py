"""Of each minute the lowest, the highest and the last of each value stay, in readings that were heard."""

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from gateway.thinning import Said, Thinning

METRICS = ["heart_rate", "spo2", "worn"]
MINUTES = ["band-0001 08:00", "band-0001 08:01", "band-0002 08:00"]
HEARD = st.lists(
    st.tuples(
        st.sampled_from(MINUTES),
        st.dictionaries(st.sampled_from(METRICS), st.integers(0, 9) | st.floats(0, 9) | st.booleans(), min_size=1),
    )
)


def numbered(heard: list[tuple[str, dict[str, float]]]) -> list[Said]:
    return [Said(minute, values, str(number).encode()) for number, (minute, values) in enumerate(heard)]


def thinned(said: list[Said], parts: int = 1) -> list[Said]:
    thinning = Thinning()
    for part in range(parts):
        thinning.take(said[len(said) * part // parts : len(said) * (part + 1) // parts])
    return thinning.kept


def extremes(said: list[Said]) -> dict[tuple[str, str], tuple[float, float, float]]:
    """Lowest, highest and last, the plain way."""
    pairs = [((each.minute, metric), value) for each in said for metric, value in each.values.items()]
    found = {}
    for whose, group in groupby(sorted(pairs, key=lambda pair: pair[0]), key=lambda pair: pair[0]):
        values = [value for _, value in group]
        found[whose] = min(values), max(values), values[-1]
    return found


@given(HEARD)
def test_lowest_highest_and_last_of_every_value_stay_and_nothing_is_made_up(
    heard: list[tuple[str, dict[str, float]]],
) -> None:
    said = numbered(heard)
    kept = thinned(said)
    assert extremes(kept) == extremes(said)
    order = [said.index(each) for each in kept]
    assert order == sorted(set(order))
    assert len(kept) <= 3 * len(extremes(said))


@given(HEARD, st.integers(1, 5))
def test_what_is_thin_stays_as_it_is_and_it_is_the_same_taken_in_parts(
    heard: list[tuple[str, dict[str, float]]], parts: int
) -> None:
    kept = thinned(numbered(heard))
    assert thinned(kept) == kept
    assert thinned(numbered(heard), parts) == kept


def test_of_a_quiet_minute_one_reading_stays_and_it_is_the_last() -> None:
    said = numbered([(MINUTES[0], {"heart_rate": 72, "worn": True})] * 30)
    assert thinned(said) == said[-1:]
