"""Numbers only rise: no frame proves itself twice, over radios, restarts, kills and changes of the key."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from drivers.base import Auth, Said
from gateway.counters import COPY_MS, LATELY, SPACE, Counters
from gateway.model import Put
from gateway.trust import Proof
from tests.support.moments import moment

BAND, PENDANT, STRANGER = "c09800010203", "c09800010204", "c098000f0f0f"
KEYS = {BAND: b"k" * 16, PENDANT: b"p" * 16}
U32 = (1 << 32) - 1
MINUTE = 60_000


def fresh(kept: Iterable[Put] = ()) -> Counters:
    """What a daemon knows that has just started, with what the disk kept."""
    counters = Counters(KEYS.get)
    counters.load({put.key: put.value for put in kept})
    return counters


def hear(counters: Counters, number: int, ms: int, address: str = BAND) -> Proof:
    return counters.prove(address, Said(auth=Auth.OK, counter=number), moment(ms))


def said(proof: Proof) -> str:
    return "copy" if proof.copy else proof.auth.value


def test_a_number_that_rises_is_proof_and_must_be_kept() -> None:
    counters = fresh()
    proofs = [hear(counters, number, number) for number in (0, 1, 7, 1_000, U32)]
    assert [said(proof) for proof in proofs] == ["ok"] * 5
    assert [proof.change is not None and proof.change.space for proof in proofs] == [SPACE] * 5


def test_the_same_frame_over_another_radio_is_a_copy_and_changes_nothing() -> None:
    counters = fresh()
    hear(counters, 5, 0)
    hear(counters, 6, 100)
    proofs = [hear(counters, number, ms) for number, ms in ((6, 120), (5, 130), (6, 9 * MINUTE))]
    assert [said(proof) for proof in proofs] == ["copy"] * 3
    assert [proof.change for proof in proofs] == [None] * 3


def test_an_old_number_is_a_replay_and_goes_on_being_one() -> None:
    counters = fresh()
    hear(counters, 5, 0)
    hear(counters, 9, 0)
    recordings = ((8, 1), (8, 2), (5, COPY_MS + 1), (5, COPY_MS + 2))
    assert {said(hear(counters, number, ms)) for number, ms in recordings} == {"replayed"}
    assert said(hear(counters, 10, COPY_MS + 3)) == "ok"


def test_a_number_that_stays_on_the_air_stays_a_copy() -> None:
    counters = fresh()
    hear(counters, 5, 0)
    assert {said(hear(counters, 5, minutes * MINUTE)) for minutes in range(1, 100)} == {"copy"}


def test_devices_do_not_share_their_numbers() -> None:
    counters = fresh()
    hear(counters, 9, 0)
    assert said(hear(counters, 3, 0, PENDANT)) == "ok"


def test_frames_that_prove_nothing_are_taken_at_their_word() -> None:
    counters = fresh()
    for auth in (Auth.NONE, Auth.DOWNGRADED, Auth.REPLAYED):
        assert counters.prove(STRANGER, Said(auth=auth, counter=9), moment(0)) == Proof(auth)
    assert counters.prove(BAND, Said(auth=Auth.OK), moment(0)) == Proof(Auth.OK)
    assert said(hear(counters, 3, 0)) == "ok"


def test_a_device_with_a_key_is_held_to_it_in_every_format() -> None:
    assert fresh().prove(BAND, Said(auth=Auth.NONE), moment(0)) == Proof(Auth.DOWNGRADED)


def test_who_has_no_key_leaves_no_trace_in_memory() -> None:
    counters = fresh()
    for number in range(1_000):
        proof = hear(counters, 1, 0, f"{number:012x}")
        assert (proof.auth, proof.change) == (Auth.OK, None)
    assert counters._devices == {}


def test_a_device_leaves_a_bounded_memory_however_it_counts() -> None:
    counters = fresh()
    for number in range(5_000):
        hear(counters, number, number)
    assert len(counters._devices[BAND].lately) == LATELY


def test_of_two_files_the_higher_number_counts_and_is_a_copy_while_it_is_fresh() -> None:
    low, high = hear(fresh(), 5, 0).change, hear(fresh(), 9, 0).change
    assert low is not None
    assert high is not None
    for first, second in ((low, high), (high, low)):
        for at, told in ((MINUTE, "copy"), (COPY_MS + 1, "replayed")):
            counters = Counters(KEYS.get)
            counters.load({first.key: first.value}, {second.key: second.value})
            assert [said(hear(counters, number, at)) for number in (5, 9, 10)] == ["replayed", told, "ok"]


def test_under_a_new_key_numbers_begin_anew_and_with_the_old_one_they_go_on() -> None:
    kept = hear(fresh(), 900, 0).change
    assert kept is not None
    renewed = Counters({BAND: b"n" * 16}.get)
    renewed.load({kept.key: kept.value})
    assert said(hear(renewed, 0, COPY_MS)) == "ok"
    assert said(hear(fresh([kept]), 0, COPY_MS)) == "replayed"
    gone = Counters({}.get)
    gone.load({kept.key: kept.value})
    assert gone._devices == {}


@given(
    st.lists(
        st.tuples(
            st.integers(0, 12) | st.integers(U32 - 3, U32),
            st.sampled_from([0, 1, MINUTE, COPY_MS, COPY_MS + 1]),
            st.sampled_from(["", "", "restart", "kill"]),
            st.booleans(),
        ),
        max_size=60,
    )
)
def test_no_sequence_of_numbers_proves_one_twice_whose_word_was_kept(
    plan: list[tuple[int, int, str, bool]],
) -> None:
    """Each step hears a number after a while; a kill loses what was heard since the last commit, word and number."""
    counters, ms = fresh(), 0
    committed: list[Put] = []
    open_: list[tuple[int, Put]] = []
    taken: set[int] = set()
    heard: dict[int, int] = {}
    for number, later, end, commits in plan:
        ms += later
        if end == "kill":
            open_.clear()
        if end:
            taken |= {each for each, _ in open_}
            committed += [put for _, put in open_]
            open_.clear()
            counters = fresh(committed)
        proof = hear(counters, number, ms)
        highest = max([*taken, *(each for each, _ in open_)], default=-1)
        assert (proof.auth is Auth.OK) == (number > highest) == (proof.change is not None)
        if proof.copy:
            assert ms - heard[number] <= COPY_MS
        if proof.change is not None:
            open_.append((number, proof.change))
        if proof.copy or proof.change is not None:
            heard[number] = ms
        if commits:
            taken |= {each for each, _ in open_}
            committed += [put for _, put in open_]
            open_.clear()
