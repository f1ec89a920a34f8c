"""What both gateways are put through, in the same way."""

import os
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.bench.peers.heard import Loss, Reading
from tests.bench.peers.side import Side, device
from tests.support.processes import wait_for

DEVICES = 400
UNDER_WAY = 10_000
PORTION = 64
WARM_S, FLAT_OUT_S = 3.0, 10.0
IDLE_PRESSES, IDLE_GAP_S = 40, (0.3, 0.6)
BACKLOG, BEHIND_PRESSES, BEHIND_GAP_S = 20_000, 40, 0.02
RATE, PACE_S = 200.0, 10.0
KILL_RATE, KILL_AFTER_S, PRESS_EVERY_S = 200.0, (1.0, 3.0), 0.1
TMPFS, LEFT = 24 << 20, 256 << 10
FULL_READINGS, FULL_PRESSES = 6_000, 20
AWAY_S, QUIET_S, MOST_S = 8.0, 8.0, 240.0


@dataclass
class Street:
    """All wearables in turn; no reading comes twice."""

    told: int = 0

    def next(self, count: int) -> list[Reading]:
        numbers = range(self.told, self.told + count)
        self.told += count
        return [Reading(device(number % DEVICES + 1), number // DEVICES % 60_000 + 1) for number in numbers]


@dataclass(frozen=True)
class FlatOut:
    rate: float
    cpu_us: float
    rss_mib: float


@dataclass(frozen=True)
class Lost:
    """What did not come out again."""

    readings: Loss
    pressed: int
    presses_lost: int
    told: str


def flat_out(side: Side) -> FlatOut:
    """Readings that come out in a second while as many go in as it takes."""
    street, given = Street(), 0
    side.heard.forget()

    def pour(seconds: float) -> None:
        nonlocal given
        over = time.monotonic() + seconds
        while time.monotonic() < over:
            if given - side.heard.readings < UNDER_WAY:
                side.say(street.next(PORTION))
                given += PORTION
            else:
                time.sleep(0.001)

    pour(WARM_S)
    came, used, began = side.heard.readings, _cpu_s(side.pid()), time.monotonic()
    pour(FLAT_OUT_S)
    came, used, elapsed = side.heard.readings - came, _cpu_s(side.pid()) - used, time.monotonic() - began
    side.heard.quiet(5, MOST_S)
    return FlatOut(came / elapsed, used / came * 1e6, _rss_mib(side.pid()))


def paced_cpu(side: Side) -> float:
    """Processor time for a reading, in µs, where 200 come in a second."""
    used = _cpu_s(side.pid())
    given = len(_pace(side, Street(), RATE, PACE_S))
    return (_cpu_s(side.pid()) - used) / given * 1e6


def idle(side: Side) -> list[float]:
    return _latencies(side, IDLE_PRESSES, lambda chance: chance.uniform(*IDLE_GAP_S))


def behind(side: Side) -> list[float]:
    """Presses from the moment when a backlog begins to drain."""
    side.heard.away()
    street, before = Street(), side.stored()
    for _ in range(0, BACKLOG, 100):
        side.say(street.next(100))
        time.sleep(0.02)  # what comes faster waits in a queue in memory
    wait_for(lambda: side.stored() - before >= BACKLOG, MOST_S, "the backlog on the disk")
    side.heard.forget()
    side.heard.back()
    wait_for(lambda: side.heard.readings, 60, "the first of the backlog")
    return _latencies(side, BEHIND_PRESSES, lambda _: BEHIND_GAP_S)


def killed(side: Side, times: int, seed: int) -> Lost:
    """SIGKILL while readings and presses flow to a far end that is there; nothing is said while it is dead."""
    chance, street = random.Random(seed), Street()
    said, pressed = list[Reading](), list[int]()
    side.heard.forget()
    for _ in range(times):
        said += _pace(side, street, KILL_RATE, chance.uniform(*KILL_AFTER_S), pressed)
        side.kill()
        side.start()
        side.greet(DEVICES)
    side.heard.quiet(QUIET_S, MOST_S)
    return _lost(side, said, pressed)


def outage(side: Side, *, full: bool) -> Lost:
    """The far end is away, and the disk may be full; then the far end is back, and last there is room again.

    Without a full disk nothing may be lost: it is the control that proves the count.
    """
    filler = side.keep / "filler"
    side.heard.forget()
    side.heard.away()
    if full:
        filler.write_bytes(b"\0" * (_free(side.keep) - LEFT))
    pressed = list[int]()
    said = _pace(side, Street(), FULL_READINGS / PACE_S, PACE_S, pressed, FULL_PRESSES)
    time.sleep(AWAY_S)
    left = _free(side.keep)
    side.heard.back()
    time.sleep(AWAY_S)
    filler.unlink(missing_ok=True)
    side.passing()
    side.heard.quiet(QUIET_S, MOST_S)
    lost = _lost(side, said, pressed)
    return replace(lost, told=f"{lost.told}; {left >> 10:,} KiB were left")


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={TMPFS}", "none", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def _pace(
    side: Side, street: Street, rate: float, seconds: float, pressed: list[int] | None = None, most: int = DEVICES
) -> list[Reading]:
    """`rate` readings a second; with `pressed`, a press every 100 ms too, noted there."""
    began, said, presses = time.monotonic(), list[Reading](), 0
    while (elapsed := time.monotonic() - began) < seconds:
        due = street.next(int(elapsed * rate) - len(said))
        side.say(due)
        said += due
        if pressed is not None and presses < min(most, elapsed / PRESS_EVERY_S):
            presses += 1
            pressed.append(DEVICES - len(pressed))  # far from the wearable whose turn it is
            side.press(pressed[-1])
        time.sleep(0.005)
    return said


def _latencies(side: Side, count: int, gap: Callable[[random.Random], float]) -> list[float]:
    """From the moment when a press goes in to that when it comes out, in ms."""
    chance, at = random.Random(1), dict[str, int]()
    for number in range(1, count + 1):
        at[device(number)] = time.time_ns()
        side.press(number)
        time.sleep(gap(chance))
    wait_for(lambda: set(at) <= set(side.presses()), MOST_S, "every press at the far end")
    came = side.presses()
    return [(came[name] - pressed) / 1e6 for name, pressed in at.items()]


def _lost(side: Side, said: list[Reading], pressed: list[int]) -> Lost:
    came = side.presses()
    missing = sum(device(number) not in came for number in pressed)
    return Lost(Loss.of(said, side.readings()), len(pressed), missing, side.told())


def _free(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def _cpu_s(pid: int) -> float:
    """Processor time used so far, all threads, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_mib(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
