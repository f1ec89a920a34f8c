"""What goes out is numbered and dated as promised; what comes in is ours, or refused in words."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.alerts import Rules, raised
from gateway.errors import RequestRefused
from gateway.model import AlertKey, AlertKind, Draft, Gap, GapCause, Moment, Reason, Sample, Wearable
from gateway.rows import THINNED, Row
from gateway.topics import Topics
from gateway.wire import PAYLOAD_MAX, Wire, parse_ack, parse_request, parse_state, request_id, rfc3339
from tests.support import contract
from tests.support.inside import StillClock, make_wire, sos
from tests.support.moments import BOOT, WALL_MS, moment

BASE = "398/v1/test-01"
HOUR = 3_600_000
BEFORE = "4b1c2c50-0000-4000-8000-000000000000"
LEVEL = st.text(st.characters(exclude_characters="/+#\0", exclude_categories=["Cs"]), min_size=1, max_size=20)


def built(draft: Draft, epoch: str = "aaaa0000", seq: int = 1) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(draft.freeze(epoch, seq).payload)
    return message


def gap(at: Moment, clock: StillClock) -> dict[str, Any]:
    """What an event of that moment says of its time."""
    data: dict[str, Any] = built(make_wire(clock).gap(Gap("telemetry", "aaaa0000", GapCause.CRASH, at)))["data"]
    return {name: data[name] for name in ("at", "clock", "boot", "mono_ms") if name in data}


@given(LEVEL)
def test_every_acknowledgement_and_request_topic_is_recognised_by_what_it_names(name: str) -> None:
    topics = Topics("398/v1", "test-01")
    assert topics.acked(f"{BASE}/alert/{name}/ack") == name
    assert topics.verb(f"{BASE}/request/{name}") == name
    assert topics.acked(topics.alert(name)) is None
    assert topics.verb(topics.response(name)) is None


@pytest.mark.parametrize(
    "topic",
    [
        *("", "alert/a/ack", f"{BASE}/alert/ack", f"{BASE}0/alert/a/ack", f"{BASE}/alert/a/ack/"),
        *("398/v1/test-02/alert/a/ack", "398/v1/test-02/request/ping"),
        *(f"{BASE}/request", f"{BASE}0/request/ping", f"/{BASE}/request/ping"),
    ],
)
def test_a_topic_that_is_not_ours_names_nothing(topic: str) -> None:
    topics = Topics("398/v1", "test-01")
    assert (topics.acked(topic), topics.verb(topic)) == (None, None)


@given(st.integers(0, 253_402_300_799_999))
def test_a_time_is_written_in_utc_with_milliseconds_and_reads_back_exactly(wall_ms: int) -> None:
    written = rfc3339(wall_ms)
    assert len(written) == 24
    assert written.endswith("Z")
    read = datetime.fromisoformat(written) - datetime(1970, 1, 1, tzinfo=UTC)
    assert (read.days * 86_400 + read.seconds) * 1000 + read.microseconds // 1000 == wall_ms


def test_a_time_of_a_believed_clock_goes_out_as_it_is() -> None:
    assert gap(moment(0), StillClock(HOUR)) == {"at": rfc3339(WALL_MS), "clock": "synced"}


def test_a_time_of_an_unbelieved_clock_carries_the_boot_s_clock() -> None:
    at = moment(0, synced=False)
    told = gap(at, StillClock(HOUR, synced=False))
    assert told == {"at": rfc3339(WALL_MS), "clock": "unsynced", "boot": BOOT, "mono_ms": at.mono_ms}


def test_once_the_clock_is_right_times_of_the_same_boot_are_corrected_and_others_are_not() -> None:
    def wrong(boot: str) -> Moment:
        return Moment(0, moment(0).mono_ms, boot, synced=False)

    assert gap(wrong(BOOT), StillClock(HOUR)) == {"at": rfc3339(WALL_MS), "clock": "corrected"}
    told = gap(wrong(BEFORE), StillClock(HOUR))
    assert (told["at"], told["clock"], told["boot"]) == ("1970-01-01T00:00:00.000Z", "unsynced", BEFORE)


def test_a_message_is_numbered_by_its_epoch_and_place_and_sorts_as_text() -> None:
    draft = make_wire(StillClock()).gap(Gap("alert", "aaaa0000", GapCause.SHED, moment(0), 1, 9, 9))
    heads = [built(draft, "5f0c9a12", seq) for seq in (9, 10, 2**62)]
    assert [head["id"] for head in heads] == ["5f0c9a12-9", "5f0c9a12-10", f"5f0c9a12-{2**62}"]
    sequences = [head["sequence"] for head in heads]
    assert sequences == sorted(sequences)
    assert {len(sequence) for sequence in sequences} == {20}


def test_a_draft_is_what_it_was_when_it_was_made() -> None:
    clock = StillClock()
    sample = Sample(Wearable("00010203", "a"), moment(0, synced=False), {"spo2": 97})
    draft = make_wire(clock).telemetry([sample], moment(0))
    before = built(draft)
    clock.ms, clock.synced = HOUR, False
    assert built(draft) == before


def test_a_reading_that_is_not_meant_says_so_and_no_other_speaks_of_it() -> None:
    who, at = Wearable("00010203", "band-0001"), moment(0)
    draft = make_wire(StillClock()).telemetry([Sample(who, at, {"spo2": 97}, test) for test in (True, False)], at)
    played, heard = built(draft)["data"]["readings"]
    assert (played["test"], "test" in heard) == (True, False)
    message = draft.freeze("aaaa0000", 1)
    contract.check(message.topic, message.payload)


def test_alerts_and_gaps_are_never_shed_and_telemetry_may_be() -> None:
    wire = make_wire(StillClock())
    alert = raised(None, sos(1), moment(0), Rules()).alert
    assert wire.alert(alert, Reason.PRESS, moment(0)).subject == alert.id
    assert wire.gap(Gap("telemetry", "aaaa0000", GapCause.SHED, moment(0), 1, 2, 2)).subject is not None
    assert wire.telemetry([Sample(Wearable("00010203", "a"), moment(0), {"spo2": 97})], moment(0)).subject is None


def test_a_thinned_message_has_some_of_the_readings_as_they_were_and_says_whose_it_was() -> None:
    samples = [Sample(Wearable("00010203", "band-0001"), moment(ms), {"spo2": 97}) for ms in range(3)]
    before = Wire("398/v1", "before-01", "0.1.0", StillClock()).telemetry(samples, moment(0)).freeze("aaaa0000", 1)
    row, wire = Row(1, "aaaa0000-1", None, 0, before.topic, before.payload), make_wire(StillClock())
    said = wire.said(row.payload)
    assert said is not None
    draft = wire.thinned(row, said[1:], moment(HOUR))
    after = draft.freeze("aaaa0000", 9)
    contract.check(after.topic, after.payload)
    told, first = json.loads(after.payload), json.loads(before.payload)
    assert draft.subject == THINNED
    assert told["data"] == {"station": "before-01", "readings": first["data"]["readings"][1:]}
    assert (told["id"], told["source"], told["time"]) == ("aaaa0000-9", first["source"], rfc3339(WALL_MS + HOUR))


def test_a_service_is_called_as_the_station_calls_it_and_another_kind_has_none() -> None:
    wire = Wire("398/v1", "test-01", "0.1.0", StillClock(), services={"shopping": "meals"})
    for ordered, called in (("shopping", "meals"), ("ride", "ride"), (None, None)):
        kind = AlertKind.SERVICE_REQUEST if ordered else AlertKind.SOS
        pressed = replace(sos(1), key=AlertKey("w-0001", kind, ordered, test=False))
        alert = raised(None, pressed, moment(0), Rules()).alert
        message = wire.alert(alert, Reason.PRESS, moment(0)).freeze("aaaa0000", 1)
        contract.check(message.topic, message.payload)
        assert wire.alert_body(alert)["service"] == called


def test_birth_tells_the_boot_s_time_only_where_the_clock_is_believed() -> None:
    def boot_at(clock: StillClock) -> object:
        return json.loads(make_wire(clock).online("s", moment(0), {"alert": ("aaaa0000", 4)}).payload)["boot_at"]

    assert boot_at(StillClock()) == rfc3339(WALL_MS - moment(0).mono_ms)
    assert boot_at(StillClock(synced=False)) is None


def test_our_own_state_is_read_back_and_anything_else_is_none() -> None:
    wire = make_wire(StillClock())
    for message, word in ((wire.online("s-1", moment(0), {}), "online"), (wire.offline("s-1", moment(0)), "offline")):
        state = parse_state(message.payload)
        assert state is not None
        assert (state.state, state.session, state.station) == (word, "s-1", "test-01")
    for payload in (b"", b"{}", b'{"v":1,"station":"a","state":"asleep","session":"s"}', b"\xff"):
        assert parse_state(payload) is None


@pytest.mark.parametrize("size", [PAYLOAD_MAX, PAYLOAD_MAX + 1])
def test_a_payload_is_read_up_to_its_limit_to_the_byte(size: int) -> None:
    request = b'{"v":1,"id":"a","args":{"x":"%s"}}'
    payload = request % (b"x" * (size - len(request) + 2))
    assert len(payload) == size
    if size <= PAYLOAD_MAX:
        assert parse_request(payload).id == "a"
    else:
        with pytest.raises(RequestRefused, match=f"{size} bytes; at most {PAYLOAD_MAX} are read") as refused:
            parse_request(payload)
        assert refused.value.code == "too_large"


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_refused_as_invalid(payload: bytes) -> None:
    for parse in (parse_ack, parse_request):
        with pytest.raises(RequestRefused) as refused:
            parse(payload)
        assert refused.value.code == "invalid"
    assert parse_state(payload) is None
    assert request_id(payload) is None


@given(st.text(min_size=1, max_size=64), st.text(min_size=1, max_size=64), st.sampled_from(["accept", "clear"]))
def test_a_right_acknowledgement_is_read_as_it_was_written(ident: str, by: str, action: str) -> None:
    payload = json.dumps({"v": 1, "id": ident, "action": action, "by": by, "more": [{}]}).encode()
    ack = parse_ack(payload)
    assert (ack.id, ack.by, ack.action.value, ack.at) == (ident, by, action, None)
    assert request_id(payload) == ident
