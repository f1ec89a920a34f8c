"""What the demo shows: a live picture on a terminal, a line for each alert elsewhere, and the sum at the end."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from gateway.cli.call_centre import CallCentre

console = Console(highlight=False, markup=False)
COLOURS = {"raised": "bold red", "confirmed": "bold red", "accepted": "yellow", "cleared": "green"}


def say(text: str, style: str | None = None) -> None:
    """One line, however long."""
    console.print(text, style=style, soft_wrap=True)


@contextlib.contextmanager
def shown(centre: CallCentre, station: str, broker: str) -> Iterator[Callable[[], None]]:
    """What to call when something may have changed."""
    say(f"station {station}, broker {broker}; press Ctrl-C to end")
    if not console.is_terminal:
        last: list[dict[str, Any]] = []

        def line() -> None:
            new = [alert for alert in centre.latest if alert not in last]
            last[:] = centre.latest
            for alert in new:
                say("  ".join(_cells(alert)).rstrip())

        yield line
        return
    with Live(console=console, auto_refresh=False) as live:
        yield lambda: live.update(_picture(centre), refresh=True)


def summary(centre: CallCentre, faults: list[str]) -> int:
    """Say what came of it, with what the daemon has found wrong; 0 where every press arrived as one alert, else 1."""
    missing, stray = centre.presses - centre.arrived, centre.unexpected
    say(f"{centre.presses} presses made, {centre.arrived} arrived as an alert; {_latency(centre)}")
    say(f"{sum(centre.readings.values())} readings of {len(centre.devices)} wearables")
    if not missing and not stray:
        return 0
    say(f"NOT GOOD: {missing} presses did not arrive, {stray} alerts came of no press", "bold red")
    for fault in faults:
        say(f"the daemon says: {fault}")
    return 1


def _picture(centre: CallCentre) -> Group:
    second = int(time.monotonic()) - 1
    rate = (centre.readings[second] + centre.readings[second - 1]) / 2
    head = Text(f"{len(centre.devices)} wearables   {rate:.0f} readings/s   ")
    head.append(f"{centre.presses} presses   {centre.arrived} arrived   {_latency(centre)}")
    table = Table("time", "wearable", "alert", "state", "by", "after")
    for alert in reversed(centre.latest):
        table.add_row(*_cells(alert), style=COLOURS.get(alert["state"], ""))
    return Group(head, table)


def _cells(alert: dict[str, Any]) -> list[str]:
    what = f"{alert['kind']} {alert['service'] or ''}".strip()
    waited = "" if alert["waited"] is None else f"{alert['waited'] * 1000:.1f} ms"
    return [alert["changed_at"][11:23], alert["device"], what, alert["state"], alert["by"] or "", waited]


def _latency(centre: CallCentre) -> str:
    ordered = sorted(centre.latencies)
    if not ordered:
        return "no latency yet"
    p99 = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    return f"press to call centre p50 {ordered[len(ordered) // 2] * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms"
