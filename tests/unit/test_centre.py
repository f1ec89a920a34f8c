"""The call centre's own heartbeat: while it is missing there is a fault, and without a connection nobody can know."""

from gateway.centre import Centre
from gateway.health import Faults
from gateway.thresholds import CallCentre
from tests.support.moments import moment


def centre(topic: str | None = "398/v1/desk/heartbeat") -> tuple[Centre, Faults]:
    faults = Faults(lambda: moment(0))
    return Centre(CallCentre.model_validate({"heartbeat": topic, "within": "60s"}), faults), faults


def names(faults: Faults) -> list[tuple[str, str]]:
    return [(fault.fault, fault.where) for fault in faults]


def test_silence_counts_from_the_connection_on_and_ends_with_a_beat() -> None:
    desk, faults = centre()
    desk.connected(moment(0))
    desk.look(moment(59_999))
    assert names(faults) == []
    desk.look(moment(60_000))
    assert names(faults) == [("centre_silent", "call_centre")]
    desk.hear(moment(61_000))
    desk.look(moment(120_000))
    assert names(faults) == []
    desk.look(moment(121_000))
    (fault,) = faults
    assert "398/v1/desk/heartbeat for 60 s" in fault.what


def test_without_a_connection_nobody_can_know() -> None:
    desk, faults = centre()
    desk.look(moment(900_000))
    desk.connected(moment(900_000))
    desk.lost()
    desk.look(moment(1_900_000))
    assert names(faults) == []


def test_where_no_topic_is_configured_it_is_taken_for_granted() -> None:
    desk, faults = centre(None)
    desk.connected(moment(0))
    desk.look(moment(900_000))
    assert names(faults) == []
