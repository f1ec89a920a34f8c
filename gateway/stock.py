"""What the lanes hold, and what is refused, as `station-gateway outbox` is told it. No I/O of its own."""

from collections.abc import Iterable, Mapping

from gateway.aside import SetAside
from gateway.errors import RequestRefused
from gateway.forward import Lane
from gateway.refusals import Refused
from gateway.rows import Row, Tally
from gateway.wire import Json, rfc3339

PAGE = 50
"""Rows of one answer to `export`."""
ALL = "all"


def told(lanes: Mapping[str, Lane]) -> Json:
    """Each lane with its refused rows."""
    return {"lanes": [_lane(name, lane) for name, lane in lanes.items()]}


def lane_told(name: str, tally: Tally, refused: Iterable[Refused], aside: Iterable[SetAside]) -> Json:
    rows = [_row(each.row, "refused", each.code, each.reason, None) for each in refused]
    rows += [_row(each.row, "set_aside", each.code, each.reason, each.at_ms) for each in aside]
    oldest = None if tally.oldest_ms is None else rfc3339(tally.oldest_ms)
    return {"lane": name, "waiting": tally.count, "bytes": tally.bytes, "oldest": oldest, "rows": rows}


def retried(lanes: Mapping[str, Lane], given: str) -> Json:
    """Offer a row again, or all that are refused; RequestRefused where there is none of that id."""
    found = []
    for lane in lanes.values():
        line = lane.sideline
        rows = [each.row for each in (*line.refusals.listed(), *(line.aside or ()))]
        found += [row.id for row in rows if given in (ALL, row.id) and line.offer(row)]
    if not found and given != ALL:
        raise RequestRefused("unknown_row", "no row of this id is refused or set aside")
    return {"rows": found}


async def exported(lanes: Mapping[str, Lane], name: str, after: int) -> Json:
    """A page of a lane: first what is set aside, then what waits, above `after`, oldest first."""
    lane = lanes.get(name)
    if lane is None:
        raise RequestRefused("unknown_lane", f"the lanes are {', '.join(lanes)}")
    aside = [each.row for each in lane.sideline.aside or ()]
    return page(aside, await lane.outbox.read(after or lane.outbox.before, PAGE), after)


def page(aside: Iterable[Row], waiting: Iterable[Row], after: int) -> Json:
    rows = [] if after else list(aside)
    waiting = list(waiting)
    following = waiting[-1].seq if len(waiting) == PAGE else None
    return {"rows": [_exported(row) for row in (*rows, *waiting)], "next": following}


def _lane(name: str, lane: Lane) -> Json:
    line, level = lane.sideline, lane.outbox.level
    tally = Tally(level.count, level.bytes, level.oldest_ms)
    return lane_told(name, tally, line.refusals.listed(), line.aside or ())


def _row(row: Row, state: str, code: int, reason: str, at_ms: int | None) -> Json:
    given_up = None if at_ms is None else rfc3339(at_ms)
    made = {"id": row.id, "topic": row.topic, "bytes": len(row.payload), "made": rfc3339(row.made_ms)}
    return made | {"state": state, "code": code, "reason": reason, "set_aside": given_up}


def _exported(row: Row) -> Json:
    return {"id": row.id, "topic": row.topic, "payload": row.payload.decode(errors="replace")}
