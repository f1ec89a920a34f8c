"""What a frame's proof makes of its readings: a call for people always goes on, nothing else without proof."""

import pytest

from drivers.base import Auth, Counter, Edge, Identity, Level, Measurement, Metric, Occurrence, OccurrenceKind
from gateway.trust import Proof, calls, credible, worse

CALLS = {OccurrenceKind.SOS, OccurrenceKind.FALL, OccurrenceKind.SERVICE_REQUEST, OccurrenceKind.BUTTON}
EVERYTHING = (Measurement(Metric.HEART_RATE, 72), *(Occurrence(kind, Edge(1)) for kind in OccurrenceKind))


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (Auth.OK, Auth.OK, Auth.OK),
        (Auth.OK, Auth.REPLAYED, Auth.REPLAYED),
        (Auth.NONE, Auth.OK, Auth.NONE),
        (Auth.NONE, Auth.REPLAYED, Auth.REPLAYED),
        (Auth.REPLAYED, Auth.DOWNGRADED, Auth.DOWNGRADED),
        (Auth.DOWNGRADED, Auth.OK, Auth.DOWNGRADED),
    ],
)
def test_the_worse_of_two_counts(one: Auth, other: Auth, told: Auth) -> None:
    assert worse(one, other) is worse(other, one) is told


def test_what_calls_people_is_said_of_every_kind() -> None:
    assert {kind for kind in OccurrenceKind if calls(Occurrence(kind, Edge(1)))} == CALLS
    assert not calls(Measurement(Metric.WORN, True))


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [(Level(True), True), (Level(False), False), (Identity(), True), (Counter(1, fresh=False, wrap=9), True)],
)
def test_the_end_of_a_call_is_none(behaviour: Level | Identity | Counter, told: bool) -> None:
    assert calls(Occurrence(OccurrenceKind.SOS, behaviour)) is told


@pytest.mark.parametrize("auth", Auth)
def test_a_frame_is_doubted_where_it_proves_less_than_its_device_could(auth: Auth) -> None:
    assert Proof(auth).doubted is (auth in {Auth.REPLAYED, Auth.DOWNGRADED})


def test_of_a_doubted_frame_only_the_calls_count_and_to_a_lenient_station_all_of_it() -> None:
    replayed, copy = Proof(Auth.REPLAYED), Proof(Auth.REPLAYED, copy=True)
    for proof, lenient in ((replayed, False), (copy, False), (copy, True)):
        kept = credible(EVERYTHING, proof, lenient=lenient)
        assert {reading.kind for reading in kept if isinstance(reading, Occurrence)} == CALLS
        assert len(kept) == len(CALLS)
    assert credible(EVERYTHING, replayed, lenient=True) == EVERYTHING
