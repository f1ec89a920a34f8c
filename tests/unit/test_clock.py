"""The clock: what is believed of UTC, what is known of the boot, and what a step of the wall clock does to either."""

import ctypes
import errno
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import Instant
from gateway import clock as clocks
from gateway.clock import STEP_MS, STEPS, Clock, kernel_synchronised
from gateway.model import Moment
from tests.support.moments import BOOT, WALL_MS

UP_MS = 20_000
"""Since the boot, as the tests begin."""
HOUR = 3_600_000


@dataclass
class Kernel:
    """What the kernel says: since the boot, by the wall clock, and whether that is right."""

    mono_ms: int = UP_MS
    boot_at_ms: int = 0
    synced: bool = False

    def read(self) -> Instant:
        return Instant(self.boot_at_ms + self.mono_ms, self.mono_ms)

    def synchronised(self) -> bool:
        return self.synced


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    """One that was started in 1970 and has not heard of the time."""
    found = Kernel()
    monkeypatch.setattr(clocks, "_read", found.read)
    monkeypatch.setattr(clocks, "kernel_synchronised", found.synchronised)
    return found


def news(clock: Clock) -> list[bool]:
    return [clock.refresh() for _ in range(3)]


def test_a_clock_that_was_never_right_knows_nothing_of_the_boot(kernel: Kernel) -> None:
    clock = Clock(BOOT)
    at = clock.moment()
    assert at == Moment(UP_MS, UP_MS, BOOT, synced=False)
    assert (clock.boot_at_ms(), clock.knows(at), clock.utc_ms(at)) == (None, False, UP_MS)
    assert news(clock) == [False, False, False]


def test_once_it_is_right_what_was_before_in_this_boot_is_corrected(kernel: Kernel) -> None:
    clock = Clock(BOOT)
    before = clock.moment()
    elsewhere = Moment(UP_MS, UP_MS, "another boot", synced=False)
    kernel.mono_ms, kernel.boot_at_ms, kernel.synced = UP_MS + HOUR, WALL_MS, True
    assert news(clock) == [True, False, False]
    assert (clock.boot_at_ms(), clock.utc_ms(before), clock.knows(before)) == (WALL_MS, WALL_MS + UP_MS, True)
    assert (clock.utc_ms(elsewhere), clock.knows(elsewhere)) == (UP_MS, False)
    assert clock.moment().synced


def test_what_was_corrected_stays_so_when_the_time_server_is_gone(kernel: Kernel) -> None:
    clock = Clock(BOOT)
    before = clock.moment()
    kernel.boot_at_ms, kernel.synced = WALL_MS, True
    assert clock.refresh()
    kernel.mono_ms, kernel.synced = UP_MS + HOUR, False
    assert news(clock) == [True, False, False]
    after = clock.moment()
    assert (after.synced, clock.knows(after), clock.utc_ms(after)) == (False, False, WALL_MS + UP_MS + HOUR)
    assert (clock.knows(before), clock.utc_ms(before), clock.boot_at_ms()) == (True, WALL_MS + UP_MS, WALL_MS)


def test_whoever_sets_the_clock_is_noticed_at_the_next_reading(kernel: Kernel) -> None:
    """`date -s` takes the kernel's belief away: no press may be told with a time that nobody vouches for."""
    kernel.boot_at_ms, kernel.synced = WALL_MS, True
    clock = Clock(BOOT)
    assert clock.moment().synced
    kernel.boot_at_ms, kernel.synced = WALL_MS - 3 * HOUR, False
    assert not clock.moment().synced


def test_a_step_by_which_the_time_becomes_another_is_news_though_it_was_right_before(kernel: Kernel) -> None:
    kernel.boot_at_ms, kernel.synced = WALL_MS, True
    clock = Clock(BOOT)
    assert news(clock) == [True, False, False]
    kernel.boot_at_ms += 2 * HOUR
    assert news(clock) == [True, False, False]
    assert clock.boot_at_ms() == WALL_MS + 2 * HOUR


@given(st.lists(st.tuples(st.integers(0, 10 * HOUR), st.integers(-10 * HOUR, 60 * 8766 * HOUR)), max_size=STEPS - 1))
def test_the_age_of_what_waits_is_that_of_the_boot_clock_however_often_the_other_was_set(
    steps: list[tuple[int, int]],
) -> None:
    """Only where the clock went back does it show a time twice: then the later one may have been meant."""
    kernel = Kernel()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clocks, "_read", kernel.read)
        patch.setattr(clocks, "kernel_synchronised", kernel.synchronised)
        clock = Clock(BOOT)
        made = clock.now()
        shown = False
        for later, step in steps:
            kernel.mono_ms += later
            kernel.boot_at_ms += step
            again = clock.now()
            shown |= again.wall_ms <= made.wall_ms and step < 0
        age = kernel.mono_ms - made.mono_ms
        assert clock.age_ms(made.wall_ms) == age or (shown and 0 <= clock.age_ms(made.wall_ms) < age)


@pytest.mark.parametrize(("made", "age"), [(WALL_MS - HOUR, UP_MS + HOUR), (WALL_MS + HOUR, 0)])
def test_what_an_earlier_run_made_is_at_least_as_old_as_this_one(kernel: Kernel, made: int, age: int) -> None:
    """An hour before the boot by a clock that went on; and by one that has fallen back since."""
    kernel.boot_at_ms = WALL_MS
    clock = Clock(BOOT)
    kernel.mono_ms += 5_000
    assert clock.age_ms(made) == age + 5_000


@given(st.lists(st.integers(1 - STEP_MS, STEP_MS - 1), max_size=20))
def test_that_the_two_clocks_are_not_read_at_once_moves_no_boot(shakes: list[int]) -> None:
    kernel = Kernel(boot_at_ms=WALL_MS, synced=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clocks, "_read", kernel.read)
        patch.setattr(clocks, "kernel_synchronised", kernel.synchronised)
        clock = Clock(BOOT)
        assert clock.refresh()
        for shake in shakes:
            kernel.boot_at_ms = WALL_MS + shake
            assert (clock.refresh(), clock.boot_at_ms()) == (False, WALL_MS)


def test_a_kernel_that_does_not_say_is_not_believed_and_why_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    class Shut:
        @staticmethod
        def adjtimex(_: object) -> int:
            ctypes.set_errno(errno.EPERM)
            return -1

    monkeypatch.setattr(clocks, "_libc", Shut)
    clock = Clock(BOOT)
    assert (clock.synced, clock.untold) == (False, "Operation not permitted")


def test_the_real_kernel_answers_and_its_boot_clock_is_that_of_the_system() -> None:
    with open("/proc/uptime", encoding="ascii") as uptime:
        up_ms = float(uptime.read().split()[0]) * 1000
    clock = Clock()
    assert clock.synced == kernel_synchronised()
    assert clock.untold is None
    assert 0 <= clock.now().mono_ms - up_ms + 10 < 60_000
