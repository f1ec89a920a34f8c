"""The real daemon, which kills itself at a named step of the road: `CRASH='step:n'`, at the n-th time it gets there.

A program of the tests': it puts its knives into the real classes and then calls the real `main`.
"""

import functools
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.cli.main import main
from gateway.forward import Lane
from gateway.pipeline import Pipeline
from gateway.store import Store
from gateway.uplink import Carrier


def _any(*_: object) -> bool:
    return True


def _alerts_file(store: Store, *_: object) -> bool:
    return store.path.stem == "alert"


def _alert_rows(carrier: Carrier, *_: object) -> bool:
    return carrier._lane.name == "alert"


def _alert_lane(lane: Lane, *_: object) -> bool:
    return lane.name == "alert"


def _leaving(store: Store, _drafts: object, _changes: object, settled: list[int], *_: object) -> bool:
    return _alerts_file(store) and bool(settled)


@dataclass(frozen=True)
class Step:
    """A moment before or after a call of `owner.name`, of those calls that `when` picks."""

    owner: type
    name: str
    after: bool
    when: Callable[..., bool]


STEPS = {
    "read": Step(Pipeline, "packet", False, _any),
    "decoded": Step(Pipeline, "_heard", False, _any),
    "before commit": Step(Store, "end", False, _alerts_file),
    "committed": Step(Store, "end", True, _alerts_file),
    "before publish": Step(Carrier, "send", False, _alert_rows),
    "published": Step(Carrier, "send", True, _alert_rows),
    "acknowledged": Step(Lane, "settled", False, _alert_lane),
    "before delete": Step(Lane, "settled", True, _alert_lane),
    "deleted": Step(Store, "write", True, _leaving),
}
"""After `send` the bytes are in the socket, and the PUBACK is still to come."""


def arm(step: Step, passes: int) -> None:
    """Let the process be killed at the step's pass of that number."""
    real = getattr(step.owner, step.name)
    left = passes

    @functools.wraps(real)
    def armed(*args: Any, **named: Any) -> Any:
        nonlocal left
        if not step.when(*args):
            return real(*args, **named)
        outcome = real(*args, **named) if step.after else None
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return outcome if step.after else real(*args, **named)

    setattr(step.owner, step.name, armed)


if __name__ == "__main__":
    if crash := os.environ.get("CRASH"):
        name, passes = crash.split(":")
        arm(STEPS[name], int(passes))
    sys.exit(main())
