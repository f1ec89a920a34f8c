"""Which receivers hear: an open line whose receiver is deaf is found out, and silence counts only while it hears."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.ears import DEAF_MS, ENOUGH, FLOCK, Ear, Ears

S = 1_000


def ear(*, own_every: int = 0, wearables_every: int = 0, flock: int = FLOCK, until: int = 600 * S) -> Ear:
    """One that is open from 0 on and hears regularly until then."""
    heard = Ear(0)
    heard.mind(0, up=True)
    heard.flock = flock
    for now in range(S, until + 1, S):
        if own_every and now % own_every == 0:
            heard.speak(now)
        if wearables_every and now % wearables_every == 0:
            heard.hear(now)
        heard.mind(now, up=True)
    return heard


def test_one_that_was_never_open_does_not_hear() -> None:
    closed = Ear(0)
    assert not closed.hears
    assert closed.pause.total(5 * S) == 5 * S
    closed.mind(5 * S, up=True)
    assert closed.hears
    assert closed.pause.total(9 * S) == 5 * S


def test_a_line_that_is_closed_does_not_hear_from_then_on() -> None:
    line = ear(own_every=10 * S)
    line.mind(700 * S, up=False)
    assert (line.hears, line.mute) == (False, False)
    line.mind(760 * S, up=True)
    assert line.hears
    assert line.pause.total(800 * S) == 60 * S


def test_a_receiver_that_no_longer_speaks_of_itself_is_deaf_since_it_last_did() -> None:
    line = ear(own_every=10 * S)
    line.mind(600 * S + DEAF_MS, up=True)
    assert line.hears
    line.mind(600 * S + DEAF_MS + 1, up=True)
    assert line.mute
    assert line.pause.lasts(700 * S) == 100 * S
    line.speak(700 * S)
    line.mind(700 * S, up=True)
    assert (line.hears, line.pause.total(900 * S)) == (True, 100 * S)


def test_one_that_hears_wearables_is_not_deaf_though_it_says_nothing_of_itself() -> None:
    line = ear(own_every=10 * S)
    for now in range(600 * S, 900 * S, S):
        line.hear(now)
        line.mind(now, up=True)
        assert line.hears


def test_when_all_of_many_wearables_fall_silent_it_is_the_receiver() -> None:
    line = ear(own_every=10 * S, wearables_every=S)
    for now in range(601 * S, 700 * S, 10 * S):
        line.speak(now)
        line.mind(now, up=True)
    assert line.mute
    assert line.pause.since_ms == 600 * S


def test_when_a_few_fall_silent_it_is_they() -> None:
    line = ear(own_every=10 * S, wearables_every=S, flock=FLOCK - 1)
    for now in range(610 * S, 1200 * S, 10 * S):
        line.speak(now)
        line.mind(now, up=True)
        assert line.hears


def test_a_line_that_has_heard_too_little_is_not_judged() -> None:
    line = ear(wearables_every=60 * S, until=(ENOUGH - 1) * 60 * S)
    line.mind(20_000 * S, up=True)
    assert line.hears


def test_what_is_normally_silent_for_long_is_given_longer() -> None:
    line = ear(wearables_every=100 * S, until=3_000 * S)
    line.mind(3_300 * S, up=True)
    assert line.hears
    line.mind(3_301 * S, up=True)
    assert line.mute


def test_a_line_opened_anew_has_its_time_and_learns_nothing_of_what_lay_between() -> None:
    line = ear(own_every=10 * S)
    line.mind(700 * S, up=False)
    line.mind(5_000 * S, up=True)
    assert line.hears
    line.speak(5_010 * S)
    line.mind(5_010 * S + DEAF_MS, up=True)
    assert line.hears
    line.mind(5_011 * S + DEAF_MS, up=True)
    assert line.mute


def test_a_link_that_was_taken_away_hears_while_any_does() -> None:
    ears = Ears()
    ears.mind(0, {"serial:a": True, "ble:b": True})
    ears.mind(10 * S, {"serial:a": False, "ble:b": True})
    began = ears.paused("serial:gone", 10 * S)
    assert ears.paused("serial:gone", 50 * S) == began
    ears.mind(50 * S, {"serial:a": False, "ble:b": False})
    assert ears.paused("serial:gone", 60 * S) == began + 10 * S
    ears.mind(60 * S, {"serial:a": True, "ble:b": False})
    assert ears.paused(None, 99 * S) == began + 10 * S
    assert (ears.paused("serial:a", 99 * S), ears.paused("ble:b", 99 * S)) == (50 * S, 49 * S)


def test_a_station_without_links_never_hears() -> None:
    ears = Ears()
    ears.mind(10 * S, {})
    assert ears.paused(None, 20 * S) - ears.paused(None, 10 * S) == 10 * S


STEPS = st.lists(st.tuples(st.integers(1, 300), st.sampled_from(["own", "band", "up", "down", "look"])), max_size=60)


@given(STEPS, st.integers(0, 10))
def test_whatever_happens_it_has_been_deaf_for_no_longer_than_it_was_there(
    steps: list[tuple[int, str]], flock: int
) -> None:
    line, now, up, before = Ear(0), 0, False, 0
    line.flock = flock
    for seconds, step in steps:
        now += seconds * S
        match step:
            case "own":
                line.speak(now)
            case "band":
                line.hear(now)
            case "up" | "down":
                up = step == "up"
        line.mind(now, up=up)
        total = line.pause.total(now)
        assert before <= total <= now
        assert line.hears or not up or line.mute
        if step in ("own", "band") and up:
            assert line.hears
        before = total if line.hears else before
