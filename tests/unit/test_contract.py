"""The contract: strict for what is published, complete for those who read it."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from drivers.base import BOOLEAN_METRICS, UNITS, Auth, KeyPress, Metric
from gateway.alerts import TABLE
from gateway.clock import Clock
from gateway.contract import Codes, MessageName, asyncapi_text, codes, schema
from gateway.errors import RequestRefused
from gateway.model import (
    Alert,
    AlertKey,
    AlertKind,
    AlertState,
    Gap,
    GapCause,
    Heard,
    Press,
    Reason,
    Sample,
    Severity,
    Wearable,
)
from gateway.protection import Flaw, State
from gateway.requests import WHY
from gateway.topics import Topics
from gateway.wire import Wire
from tests.support.contract import check, validator
from tests.support.moments import BOOT, moment

FOLDER = files("gateway.contract")
ASYNCAPI = yaml.safe_load(FOLDER.joinpath("asyncapi.yaml").read_text(encoding="utf-8"))
BASE = "398/v1/xinhua-03"
TOPICS = {
    "{root}/{station}/state",
    "{root}/{station}/health",
    "{root}/{station}/wearer/{wearer}/protection",
    "{root}/{station}/alert/{alert}",
    "{root}/{station}/alert/{alert}/ack",
    "{root}/{station}/telemetry",
    "{root}/{station}/gap",
    "{root}/{station}/probe",
    "{root}/{station}/request/{verb}",
    "{root}/{station}/response/{verb}",
}
EXAMPLES = [
    pytest.param(MessageName(name), example["name"], example["payload"], id=f"{name}-{example['name']}")
    for name, message in ASYNCAPI["components"]["messages"].items()
    for example in message["examples"]
]
every_example = pytest.mark.parametrize(("name", "title", "message"), EXAMPLES)
DESIGNED_ALERT = """
{"specversion":"1.0","id":"5f0c9a12-41","source":"398/v1/xinhua-03","type":"gateway.alert.v1","subject":"band-0001",
 "time":"2026-11-23T08:00:01.121Z","sequence":"00000000000000000041",
 "data":{"id":"01kas0hmvx2c4nq8tz6m3d7e9f","station":"xinhua-03","wearer":"w-7f3a","device":"band-0001",
  "registered":true,"kind":"sos","service":null,"severity":"critical","state":"raised","confirmed":true,"late":false,
  "presses":[{"key":"MZXW6YTBOI2GC3TFON2GKZLSNF","at":"2026-11-23T08:00:01.120Z","press":null,"button":null}],
  "press_count":1,"press":null,"button":null,"reason":"press","repeat":0,"test":false,"storm":false,"auth":"none","worn":true,"at":"2026-11-23T08:00:01.120Z","clock":"synced",
  "changed_at":"2026-11-23T08:00:01.120Z","by":null,"value":null,"heard_by":[{"link":"ble:hci0","rssi":-67}],
  "zone":"lobby","codes":{"scaip":"0003/0010","contact_id":"101"}}}"""
DESIGNED_TELEMETRY = """
{"specversion":"1.0","id":"88aa01bc-812","source":"398/v1/xinhua-03","type":"gateway.telemetry.v1",
 "time":"2026-11-23T08:00:02.000Z","sequence":"00000000000000000812",
 "data":{"station":"xinhua-03","readings":[{"device":"band-0001","wearer":"w-7f3a","at":"2026-11-23T08:00:01.000Z",
  "clock":"synced","values":{"heart_rate":72,"spo2":97,"battery_level":88}}]}}"""
INBOUND = {MessageName.ACK, MessageName.REQUEST, MessageName.TEST_WINDOW}
FREE_MAPS = {"requests", "values", "links", "rejected", "profiles", "radios", "rungs", "certificates"}
OPTIONAL = {(MessageName.ACK, "at"), (MessageName.REQUEST, "args"), (MessageName.TEST_WINDOW, "minutes")}


def topic_of(name: MessageName, title: str, message: dict[str, Any]) -> str:
    match name:
        case MessageName.ALERT:
            return f"{BASE}/alert/{message['data']['id']}"
        case MessageName.PROTECTION:
            return f"{BASE}/wearer/{message['wearer']}/protection"
        case MessageName.ACK:
            return f"{BASE}/alert/01kas0hmvx2c4nq8tz6m3d7e9f/ack"
        case MessageName.REQUEST:
            return f"{BASE}/request/ping"
        case MessageName.TEST_WINDOW:
            return f"{BASE}/request/test-window"
        case MessageName.RESPONSE:
            return f"{BASE}/response/{title.removesuffix('-refused')}"
        case _:
            return f"{BASE}/{name.value}"


def objects(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Every object within, with the way to it."""
    if isinstance(value, dict):
        yield path, value
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from objects(inner, (*path, key))


def changed(message: dict[str, Any], path: tuple[Any, ...], change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    copied = copy.deepcopy(message)
    within: Any = copied
    for step in path:
        within = within[step]
    change(within)
    return copied


def refused(name: MessageName, message: dict[str, Any]) -> bool:
    return not validator(name).is_valid(message)


def alert(**data: Any) -> dict[str, Any]:
    message = json.loads(DESIGNED_ALERT)
    message["data"].update(data)
    return dict(message)


def about_the_box(**data: Any) -> dict[str, Any]:
    told = {"kind": "alarm_flood", "device": None, "wearer": None, "registered": False}
    message = alert(**(told | data))
    del message["subject"]
    return message


def checked(message: dict[str, Any]) -> None:
    check(f"{BASE}/alert/{message['data']['id']}", json.dumps(message).encode())


@every_example
def test_every_example_is_as_the_contract_says(name: MessageName, title: str, message: dict[str, Any]) -> None:
    check(topic_of(name, title, message), json.dumps(message).encode())


@pytest.mark.parametrize(
    ("topic", "payload"),
    [(f"{BASE}/alert/01kas0hmvx2c4nq8tz6m3d7e9f", DESIGNED_ALERT), (f"{BASE}/telemetry", DESIGNED_TELEMETRY)],
)
def test_the_designed_messages_are_valid(topic: str, payload: str) -> None:
    check(topic, payload.encode())


@every_example
def test_every_field_is_needed(name: MessageName, title: str, message: dict[str, Any]) -> None:
    for path, within in objects(message):
        for key in within:
            if (name, key) not in OPTIONAL and not (path and path[-1] in FREE_MAPS):
                assert refused(name, changed(message, path, lambda it, key=key: it.pop(key))), (*path, key)


@every_example
def test_a_value_of_another_type_is_refused(name: MessageName, title: str, message: dict[str, Any]) -> None:
    for path, within in objects(message):
        for key, value in within.items():
            other: Any = ["surprise"] if isinstance(value, dict) else {"surprise": 1}
            assert refused(name, changed(message, path, lambda it, key=key, other=other: it.update({key: other})))


@every_example
def test_what_we_publish_has_no_other_fields(name: MessageName, title: str, message: dict[str, Any]) -> None:
    for path, _ in objects(message):
        surprised = changed(message, path, lambda it: it.update(surprise="!"))
        assert refused(name, surprised) == (name not in INBOUND), path


@pytest.mark.parametrize("name", MessageName)
def test_every_schema_is_sound_and_stands_alone(name: MessageName) -> None:
    Draft202012Validator.check_schema(schema(name))
    assert "schema.json#" not in json.dumps(schema(name))
    assert_resolved(schema(name))


def test_no_schema_is_left_out() -> None:
    shipped = {file.name for file in FOLDER.iterdir() if file.name.endswith(".schema.json")}
    assert shipped == {f"{name.value}.schema.json" for name in MessageName} | {"shared.schema.json"}


@pytest.mark.parametrize(
    "wrong",
    ["2026-11-23T08:00:01Z", "2026-11-23T08:00:01.120+08:00", "2026-11-23 08:00:01.120Z", "2026-02-30T08:00:01.120Z"],
)
def test_times_are_utc_with_milliseconds(wrong: str) -> None:
    with pytest.raises(AssertionError, match="changed_at"):
        checked(alert(changed_at=wrong))


@pytest.mark.parametrize("name", ["Band-1", "", "x" * 41, "王", "a_b"])
def test_ids_are_pseudonyms(name: str) -> None:
    assert refused(MessageName.ALERT, alert(wearer=name))
    assert refused(MessageName.ALERT, alert(station=name))


@pytest.mark.parametrize(("field", "wrong"), [("id", "5f0c9a12-041"), ("id", "41"), ("sequence", "41")])
def test_numbers_are_written_one_way(field: str, wrong: str) -> None:
    assert refused(MessageName.ALERT, alert() | {field: wrong})


@pytest.mark.parametrize("field", ["kind", "state", "severity", "clock", "auth", "reason"])
def test_words_are_those_of_the_contract(field: str) -> None:
    assert refused(MessageName.ALERT, alert(**{field: "surprising"}))


def test_unsynced_times_carry_the_boot_clock_and_others_do_not() -> None:
    boot = {"boot": BOOT, "mono_ms": 1000}
    checked(alert(clock="unsynced", **boot))
    assert refused(MessageName.ALERT, alert(clock="unsynced"))
    assert refused(MessageName.ALERT, alert(clock="unsynced", boot=BOOT))
    for clock in ("synced", "corrected"):
        checked(alert(clock=clock))
        assert refused(MessageName.ALERT, alert(clock=clock, **boot))


def test_a_stranger_has_a_pseudonym_and_no_wearer() -> None:
    stranger = {"registered": False, "wearer": None, "device": "x-0f3c9a1be27d6a54"}
    checked(alert(**stranger) | {"subject": "x-0f3c9a1be27d6a54"})
    assert refused(MessageName.ALERT, alert(**stranger | {"wearer": "w-7f3a"}))
    assert refused(MessageName.ALERT, alert(**stranger | {"device": "band-0001"}))
    assert refused(MessageName.ALERT, alert(**stranger | {"device": None}))


def test_an_alert_about_the_box_names_nobody() -> None:
    checked(about_the_box())
    assert refused(MessageName.ALERT, about_the_box(device="band-0001"))
    assert refused(MessageName.ALERT, about_the_box(wearer="w-7f3a"))
    assert refused(MessageName.ALERT, about_the_box() | {"subject": "band-0001"})
    assert refused(MessageName.ALERT, about_the_box(kind="radio_down"))
    checked(about_the_box(kind="radio_down", severity="technical"))


def test_severity_follows_kind_and_test() -> None:
    assert refused(MessageName.ALERT, alert(severity="warning"))
    assert refused(MessageName.ALERT, alert(test=True))
    checked(alert(test=True, severity="technical"))
    checked(alert(kind="service_request", service="ride", severity="request"))
    checked(alert(kind="spo2_low", severity="critical"))
    assert refused(MessageName.ALERT, alert(kind="tamper", severity="request"))


def test_who_is_protected_or_away_lacks_nothing_and_the_others_do() -> None:
    told = ASYNCAPI["components"]["messages"]["protection"]["examples"][1]["payload"]
    for state, valid in (("protected", False), ("away", False), ("degraded", True), ("unprotected", True)):
        assert refused(MessageName.PROTECTION, told | {"state": state}) != valid
        assert refused(MessageName.PROTECTION, told | {"state": state, "reasons": []}) == valid


def test_only_a_service_request_orders_something() -> None:
    assert refused(MessageName.ALERT, alert(service="ride"))
    assert refused(MessageName.ALERT, alert(kind="service_request", severity="request"))


def test_only_a_fall_waits_or_is_cancelled() -> None:
    checked(alert(kind="fall", confirmed=False, state="cancelled"))
    assert refused(MessageName.ALERT, alert(confirmed=False))
    assert refused(MessageName.ALERT, alert(state="cancelled"))


def test_accepted_has_somebody_and_raised_nobody() -> None:
    checked(alert(state="accepted", by="desk-3"))
    assert refused(MessageName.ALERT, alert(state="accepted"))
    assert refused(MessageName.ALERT, alert(by="desk-3"))


@pytest.mark.parametrize("metric", Metric)
def test_a_metric_has_its_type(metric: Metric) -> None:
    right, wrong = (True, 1) if metric in BOOLEAN_METRICS else (1.5, True)
    for value, valid in ((right, True), (wrong, False), (None, False), ("1", False)):
        message = json.loads(DESIGNED_TELEMETRY)
        message["data"]["readings"][0]["values"] = {metric.value: value}
        assert refused(MessageName.TELEMETRY, message) != valid


def test_a_reading_has_a_value_and_a_batch_a_reading() -> None:
    message = json.loads(DESIGNED_TELEMETRY)
    message["data"]["readings"][0]["values"] = {}
    assert refused(MessageName.TELEMETRY, message)
    message["data"]["readings"] = []
    assert refused(MessageName.TELEMETRY, message)


def test_a_wearer_may_be_unknown_in_telemetry() -> None:
    message = json.loads(DESIGNED_TELEMETRY)
    message["data"]["readings"][0]["wearer"] = None
    check(f"{BASE}/telemetry", json.dumps(message).encode())


@pytest.mark.parametrize(
    ("topic", "payload", "told"),
    [
        (f"{BASE}/telemetry", DESIGNED_TELEMETRY.replace("72", "NaN"), "NaN is no JSON"),
        (f"{BASE}/telemetry", DESIGNED_TELEMETRY[:-1], "no JSON"),
        (f"{BASE}/telemetry", "[]", "not an object"),
        (f"{BASE}/telemetry", DESIGNED_TELEMETRY.replace('"spo2"', '"heart_rate"'), "a key twice"),
        (f"{BASE}/telemetry", DESIGNED_TELEMETRY.replace("00812", "00813"), "sequence"),
        ("398/v1/other-01/telemetry", DESIGNED_TELEMETRY, "source"),
        (f"{BASE}/alert/01kas0hmvx2c4nq8tz6m3d7e9a", DESIGNED_ALERT, "data.id"),
        (f"{BASE}/alert/01kas0hmvx2c4nq8tz6m3d7e9f", DESIGNED_ALERT.replace("band-0001", "b", 1), "subject"),
        (f"{BASE}/alert/01kas0hmvx2c4nq8tz6m3d7e9f", DESIGNED_ALERT.replace('_count":1', '_count":2'), "presses"),
        (f"{BASE}/nothing", "{}", "no such topic"),
        ("399/v1/xinhua-03/state", "{}", "not below 398/v1/"),
    ],
)
def test_check_tells_what_is_wrong(topic: str, payload: str, told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        check(topic, payload.encode())


def test_an_answer_is_that_of_its_verb() -> None:
    ping = {"v": 1, "id": "a", "status": "ok", "error": None, "result": {"at": "2026-11-23T08:00:01.120Z"}}
    check(f"{BASE}/response/ping", json.dumps(ping).encode())
    with pytest.raises(AssertionError, match="not an answer to info"):
        check(f"{BASE}/response/info", json.dumps(ping).encode())
    with pytest.raises(AssertionError, match="no answer to 'dance'"):
        check(f"{BASE}/response/dance", json.dumps(ping).encode())


NUMBER = st.none() | st.integers(1, 1 << 62)


@given(first=NUMBER, last=NUMBER, count=NUMBER)
def test_a_gap_has_both_ends_or_none(first: int | None, last: int | None, count: int | None) -> None:
    message = {
        **json.loads(DESIGNED_TELEMETRY),
        "type": "gateway.gap.v1",
        "data": {
            "station": "xinhua-03",
            "lane": "alert",
            "epoch": "88aa01bc",
            "cause": "shed",
            "first": first,
            "last": last,
            "count": count,
            "at": "2026-11-23T08:00:01.120Z",
            "clock": "synced",
        },
    }
    valid = last is None if first is None else last is not None and count is not None
    assert refused(MessageName.GAP, message) != valid


# The AsyncAPI document


def assert_resolved(document: Any) -> None:
    for _, within in objects(document):
        reference = within.get("$ref")
        if isinstance(reference, str):
            assert reference.startswith("#/"), reference
            found = document
            for step in reference[2:].split("/"):
                assert step in found, reference
                found = found[step]


def test_asyncapi_has_every_topic_of_this_release_and_no_other() -> None:
    assert {channel["address"] for channel in ASYNCAPI["channels"].values()} == TOPICS


def test_asyncapi_addresses_are_those_the_gateway_uses() -> None:
    topics = Topics("{root}", "{station}")
    used = {topics.state, topics.health, topics.telemetry, topics.gap, topics.probe}
    used |= {topics.alert("{alert}"), topics.response("{verb}"), topics.protection("{wearer}")}
    assert used < TOPICS
    assert {topics.acks, topics.requests} == {
        "{root}/{station}/alert/+/ack",
        "{root}/{station}/request/+",
    }
    assert topics.acked("{root}/{station}/alert/{alert}/ack") == "{alert}"
    assert topics.verb("{root}/{station}/request/{verb}") == "{verb}"


def test_asyncapi_stands_alone_when_printed() -> None:
    document = yaml.safe_load(asyncapi_text())
    assert_resolved(document)
    assert "schema.json" not in asyncapi_text()
    assert document["channels"].keys() == ASYNCAPI["channels"].keys()


def test_asyncapi_refers_to_shipped_schemas() -> None:
    found = set()
    for _, within in objects(ASYNCAPI):
        reference = within.get("$ref", "")
        if reference.startswith("./"):
            assert FOLDER.joinpath(reference[2:]).is_file(), reference
            found.add(reference)
    assert found == {f"./{name.value}.schema.json" for name in MessageName}


def test_asyncapi_declares_every_parameter_of_an_address() -> None:
    for name, channel in ASYNCAPI["channels"].items():
        assert set(re.findall(r"{(\w+)}", channel["address"])) == set(channel["parameters"]), name


def test_asyncapi_says_direction_qos_and_retention_of_every_channel() -> None:
    sent, received = {}, set()
    for operation in ASYNCAPI["operations"].values():
        channel = operation["channel"]["$ref"].rsplit("/", 1)[1]
        binding = operation["bindings"]["mqtt"]
        assert binding["qos"] == 1
        if operation["action"] == "send":
            sent[channel] = binding["retain"]
        else:
            received.add(channel)
    retained = {channel for channel, retain in sent.items() if retain}
    assert retained == {"state", "health", "protection"}
    assert received == {"ack", "request", "probe", "state"}
    replied = {
        operation["reply"]["channel"]["$ref"].rsplit("/", 1)[1]
        for operation in ASYNCAPI["operations"].values()
        if "reply" in operation
    }
    assert sent.keys() | received | replied == ASYNCAPI["channels"].keys()


# The words of the code and those of the contract


def test_codes_name_every_kind_and_no_other() -> None:
    assert codes().keys() == set(kinds())
    assert codes()["sos"] == Codes("0003/0010", "101")
    assert codes()["fall"] == Codes("0005/0009", None)
    assert codes()["low_battery"].scaip == "0003/0016"
    for kind, code in codes().items():
        assert code.scaip is None or re.fullmatch(r"\d{4}/\d{4}", code.scaip), kind
        assert code.contact_id is None or re.fullmatch(r"\d{3}", code.contact_id), kind


def kinds() -> list[str]:
    return list(schema(MessageName.ALERT)["$defs"]["kind"]["enum"])


def test_the_words_of_the_code_are_in_the_contract() -> None:
    shared = schema(MessageName.ALERT)["$defs"]
    fields = shared["alert"]["properties"]
    reasons = schema(MessageName.ALERT)["properties"]["data"]["properties"]["reason"]["enum"]
    assert {kind.value for kind in AlertKind} <= set(kinds())
    assert set(shared["box_kind"]["enum"]) < set(kinds())
    assert {state.value for state in AlertState} == set(fields["state"]["enum"])
    assert {severity.value for severity in Severity} == set(fields["severity"]["enum"])
    assert {auth.value for auth in Auth} == set(fields["auth"]["enum"])
    assert {*(press.value for press in KeyPress), None} == set(shared["press"]["enum"])
    assert {reason.value for reason in Reason} == set(reasons)
    assert {flaw.value for flaw in Flaw} == set(shared["flaw"]["enum"])
    assert {each.value for each in State} == set(schema(MessageName.PROTECTION)["properties"]["state"]["enum"])
    gap = schema(MessageName.GAP)["properties"]["data"]["properties"]
    assert {cause.value for cause in GapCause} <= set(gap["cause"]["enum"])


def test_every_refusal_of_an_acknowledgement_is_in_the_contract() -> None:
    known = schema(MessageName.RESPONSE)["properties"]["error"]["properties"]["code"]["enum"]
    assert {refusal.value for refusal in WHY} <= set(known)
    assert {state for state, _ in TABLE} == {None, *AlertState}


def test_units_are_those_of_the_drivers() -> None:
    values = schema(MessageName.TELEMETRY)["$defs"]["values"]["properties"]
    assert values.keys() == {metric.value for metric in Metric}
    assert {Metric(name): shape["x-unit"] for name, shape in values.items() if "x-unit" in shape} == UNITS
    assert {Metric(name) for name, shape in values.items() if shape["type"] == "boolean"} == BOOLEAN_METRICS


# What the gateway builds


def wire(*, synced: bool = True) -> Wire:
    clock = Clock(BOOT)
    clock.synced = synced
    return Wire("398/v1", "xinhua-03", "0.1.0", clock)


def held(draft: Any) -> None:
    message = draft.freeze("5f0c9a12", 41)
    check(message.topic, message.payload)


WEARABLE = Wearable("00010203", "band-0001", "w-7f3a", "lobby")
STRANGER = Wearable("00010204", "x-0f3c9a1be27d6a54", None, None, registered=False)
SESSION = "01kas0g5m0w3v9rb6h2yj8n4kq"


def sos(**fields: Any) -> Alert:
    at = moment(0)
    told: dict[str, Any] = {
        "id": "01kas0hmvx2c4nq8tz6m3d7e9f",
        "key": AlertKey("w-7f3a", AlertKind.SOS, None, test=False),
        "wearable": WEARABLE,
        "severity": Severity.CRITICAL,
        "state": AlertState.RAISED,
        "at": at,
        "changed_at": at,
        "presses": (Press(None, at),),
        "press_count": 1,
        "heard_by": (Heard("serial:a", None),),
    }
    return Alert(**told | fields)


@pytest.mark.parametrize("reason", Reason)
def test_alerts_as_built_are_valid(reason: Reason) -> None:
    held(wire().alert(sos(), reason, moment(5)))
    held(wire().alert(sos(wearable=STRANGER), reason, moment(5)))


def test_unsynced_and_corrected_alerts_as_built_are_valid() -> None:
    then = moment(0, synced=False)
    held(wire(synced=False).alert(sos(at=then), Reason.PRESS, then))
    held(wire().alert(sos(at=then), Reason.REPEAT, moment(5)))


def test_a_flood_as_built_is_valid() -> None:
    key = AlertKey("link:ble:hci0", AlertKind.ALARM_FLOOD, None, test=False)
    held(wire().alert(sos(key=key, wearable=None, value=3), Reason.PRESS, moment(5)))


def test_telemetry_and_gaps_as_built_are_valid() -> None:
    sample = Sample(WEARABLE, moment(0, synced=False), {"heart_rate": 72, "worn": True, "skin_temperature": 33.12})
    held(wire(synced=False).telemetry([sample], moment(5)))
    held(wire().gap(Gap("telemetry", "88aa01bc", GapCause.CRASH, moment(0))))
    held(wire().gap(Gap("telemetry", "88aa01bc", GapCause.SHED, moment(0), 1, 9, 9)))
    held(wire().gap(Gap("telemetry", "88aa01bc", GapCause.SHED, moment(0), count=9)))


@pytest.mark.parametrize("synced", [True, False])
def test_state_and_probe_as_built_are_valid(synced: bool) -> None:
    told = wire(synced=synced)
    lanes = {"alert": ("5f0c9a12", 41), "telemetry": ("88aa01bc", 812)}
    for message in (
        told.online(SESSION, moment(0), lanes),
        told.offline(SESSION, moment(0)),
        told.probe("alert", SESSION),
    ):
        check(message.topic, message.payload)


def test_answers_as_built_are_valid() -> None:
    told = wire()
    listed = {"total": 1, "alerts": [told.alert_body(sos())]}
    check(f"{BASE}/response/alerts", told.answer("a", listed))
    check(f"{BASE}/response/ack", told.answer("a", {"alert": sos().id, "state": "accepted"}))
    check(f"{BASE}/response/dance", told.refusal(None, RequestRefused("unknown_verb", "known are ping")))
