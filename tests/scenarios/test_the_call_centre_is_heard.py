"""Acknowledgements and requests over a real broker: carried out, answered, and never trusted."""

import json
import uuid
from pathlib import Path

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.cli.street import Code, serial_frame
from tests.conftest import Shared
from tests.support.air import band, burst
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for
from tests.support.receiver import Receiver

NO_SUCH = "01k0000000000000000000000"


def press(shared: Shared, code: Code = Code.SOS) -> dict[str, object]:
    """A press of a band that nobody has used, as the cloud hears of it."""
    number = shared.next_band()
    sender = band(number)
    for payload in burst(sender, code):
        shared.receiver.write(serial_frame(sender.number, payload))
    alerts: list[dict[str, object]] = shared.cloud.wait(lambda c: c.alerts(device=f"band-{number:04}"))
    return alerts[0]


def states(cloud: Cloud, alert: object) -> list[str]:
    return [data["state"] for data in cloud.alerts(id=alert)]


def test_accept_then_clear_are_answered_and_told_to_all(shared: Shared) -> None:
    cloud, alert = shared.cloud, press(shared)
    accepted = cloud.answer("ack", cloud.acknowledge(str(alert["id"]), "accept"))
    assert (accepted["status"], accepted["result"]) == ("ok", {"alert": alert["id"], "state": "accepted"})
    cleared = cloud.answer("ack", cloud.acknowledge(str(alert["id"]), "clear", by="desk-9"))
    assert cleared["result"]["state"] == "cleared"
    cloud.wait(lambda c: states(c, alert["id"]) == ["raised", "accepted", "cleared"])
    assert [data["by"] for data in cloud.alerts(id=alert["id"])] == [None, "desk-3", "desk-9"]
    assert cloud.breaches == []


@pytest.mark.parametrize(
    ("actions", "code"),
    [
        (["accept", "accept"], "already_accepted"),
        (["clear", "accept"], "already_cleared"),
        (["clear", "clear"], "already_cleared"),
    ],
)
def test_what_does_not_fit_is_answered_with_the_reason(shared: Shared, actions: list[str], code: str) -> None:
    cloud, alert = shared.cloud, press(shared)
    answers = [cloud.answer("ack", cloud.acknowledge(str(alert["id"]), action)) for action in actions]
    assert [answer["status"] for answer in answers] == ["ok", "error"]
    assert answers[-1]["error"]["code"] == code


def test_an_unknown_alert_is_refused_by_name(shared: Shared) -> None:
    answer = shared.cloud.answer("ack", shared.cloud.acknowledge(NO_SUCH))
    assert answer["error"]["code"] == "unknown_alert"
    assert NO_SUCH in answer["error"]["message"]


def test_a_retained_acknowledgement_is_never_carried_out(shared: Shared) -> None:
    cloud, alert = shared.cloud, press(shared)
    ident = str(uuid.uuid4())
    body = json.dumps({"v": 1, "id": ident, "action": "accept", "by": "desk-3"}).encode()
    cloud.publish(f"alert/{alert['id']}/ack", body, retain=True)
    assert cloud.answer("ack", ident)["error"]["code"] == "retained"
    cloud.publish(f"alert/{alert['id']}/ack", b"", retain=True)
    listed = cloud.request("alerts")["result"]["alerts"]
    assert [found["state"] for found in listed if found["id"] == alert["id"]] == ["raised"]


HOSTILE = {
    "nothing": b"",
    "not JSON": b"\xff\xfe accept",
    "a list": b"[]",
    "a number": b"1e999",
    "deep": b'{"id":' + b"[" * 20_000,
    "no action": b'{"v":1,"id":"one","by":"desk-3"}',
    "another action": b'{"v":1,"id":"one","action":"delete","by":"desk-3"}',
    "wrong types": b'{"v":1,"id":"one","action":1,"by":["desk-3"]}',
    "empty id": b'{"v":1,"id":"","action":"accept","by":"desk-3"}',
    "huge": b'{"v":1,"id":"one","action":"accept","by":"' + b"x" * 300_000 + b'"}',
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("below", ["alert/{id}/ack", "request/ping"])
def test_a_hostile_payload_is_refused_and_the_daemon_goes_on(shared: Shared, name: str, below: str) -> None:
    cloud, alert = shared.cloud, press(shared)
    verb = "ack" if "ack" in below else "ping"
    before = len(cloud.messages(f"response/{verb}"))
    cloud.publish(below.format(id=alert["id"]), HOSTILE[name])
    fits = verb == "ping" and name in ("no action", "another action", "wrong types")  # fields a request does not know
    answer = cloud.wait(lambda c: c.messages(f"response/{verb}")[before:], what=name)[0].body
    assert answer["status"] == ("ok" if fits else "error")
    assert fits or answer["error"]["code"] in ("invalid", "too_large")
    assert cloud.request("ping")["status"] == "ok"
    assert states(cloud, alert["id"]) == ["raised"]
    assert cloud.breaches == []


def test_more_than_the_packet_limit_does_not_reach_us_and_breaks_nothing(shared: Shared) -> None:
    shared.cloud.publish("request/ping", b"x" * 4_000_000)
    assert shared.cloud.request("ping")["status"] == "ok"


def test_an_unknown_verb_is_answered_with_the_known_ones(shared: Shared) -> None:
    answer = shared.cloud.request("reboot")
    assert answer["error"]["code"] == "unknown_verb"
    assert all(verb in answer["error"]["message"] for verb in ("ping", "info", "alerts"))


def test_info_says_who_and_where_it_stands(shared: Shared) -> None:
    result = shared.cloud.request("info")["result"]
    state = shared.cloud.state()
    assert (result["station"], result["session"]) == ("test-01", state["session"])
    assert result["lanes"]["alert"]["epoch"] == state["lanes"]["alert"]["epoch"]
    assert result["lanes"]["alert"]["next"] >= state["lanes"]["alert"]["next"]
    assert result["links"] == ["serial:rx"]


def test_alerts_lists_what_is_open_and_not_what_is_cleared(shared: Shared) -> None:
    cloud, kept, gone = shared.cloud, press(shared), press(shared)
    cloud.answer("ack", cloud.acknowledge(str(gone["id"]), "clear"))
    result = cloud.request("alerts")["result"]
    listed = {found["id"] for found in result["alerts"]}
    assert kept["id"] in listed
    assert gone["id"] not in listed
    assert result["total"] >= len(listed)


@pytest.mark.parametrize(
    ("wanted", "lands"),
    [
        ("398/v1/desk/answers", "398/v1/desk/answers"),
        ("other/answers", "398/v1/test-01/response/ping"),
        ("398/v1x/answers", "398/v1/test-01/response/ping"),
    ],
)
def test_a_response_topic_is_honoured_only_below_the_root(shared: Shared, wanted: str, lands: str) -> None:
    cloud, ident = shared.cloud, str(uuid.uuid4())
    properties = Properties(PacketTypes.PUBLISH)
    properties.ResponseTopic, properties.CorrelationData = wanted, ident.encode()
    cloud.publish("request/ping", json.dumps({"v": 1, "id": ident}).encode(), properties=properties)
    seen = cloud.wait(lambda c: [s for s in list(c.seen) if s.body.get("id") == ident])[0]
    assert seen.topic == lands
    assert seen.correlation == ident.encode()


def test_a_flood_of_acknowledgements_is_answered_one_by_one(shared: Shared) -> None:
    cloud, alert = shared.cloud, press(shared)
    idents = [cloud.acknowledge(str(alert["id"])) for _ in range(600)]
    answers = [cloud.answer("ack", ident) for ident in idents]
    assert [answer["status"] for answer in answers].count("ok") == 1
    assert {a["error"]["code"] for a in answers if a["status"] == "error"} <= {"already_accepted", "busy"}
    assert states(cloud, alert["id"]) == ["raised", "accepted"]


def test_an_acknowledgement_sent_while_the_box_was_away_arrives(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    more = f"serial: [{{port: {receiver.path}, name: rx}}]"
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
        for payload in burst(band(1), Code.SOS):
            receiver.write(serial_frame(band(1).number, payload))
        alert = cloud.wait(lambda c: c.alerts(kind="sos"))[0]
        daemon.stop()
        ident = cloud.acknowledge(alert["id"])
        daemon.restart()
        assert cloud.answer("ack", ident)["result"]["state"] == "accepted"
        assert cloud.wait(lambda c: c.alerts(state="accepted"))[0]["id"] == alert["id"]


def test_what_is_ordered_is_called_and_numbered_as_the_station_does_and_each_order_is_accepted_by_itself(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    (tmp_path / "box").mkdir()
    (tmp_path / "box" / "codes.yaml").write_text('service_request: {scaip: 0001/0002, contact_id: "609"}\n')
    own = "services: {shopping: meals}\nalerts: {codes: codes.yaml}"
    more = f"serial: [{{port: {receiver.path}, name: rx}}]\n{own}"
    sender = band(1)
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more):
        for code in (Code.SHOPPING, Code.RIDE, Code.SOS):
            for payload in burst(sender, code):
                receiver.write(serial_frame(sender.number, payload))
        orders = cloud.wait(lambda c: c.alerts(kind="sos") and c.alerts(kind="service_request"))
        assert [order["service"] for order in orders] == ["meals", "ride"]
        assert {order["severity"] for order in orders} == {"request"}
        assert {tuple(order["codes"].values()) for order in orders} == {("0001/0002", "609")}
        assert cloud.alerts(kind="sos")[0]["codes"] == {"scaip": "0003/0010", "contact_id": "101"}
        cloud.answer("ack", cloud.acknowledge(orders[0]["id"]))
        listed = cloud.request("alerts")["result"]["alerts"]
        states_ = {alert["service"] or alert["kind"]: alert["state"] for alert in listed}
        assert states_ == {"meals": "accepted", "ride": "raised", "sos": "raised"}
        assert cloud.breaches == []


def test_the_wearer_is_buzzed_when_help_is_coming(shared: Shared) -> None:
    number = shared.next_band()
    sender = band(number)
    for payload in burst(sender, Code.SOS):
        shared.receiver.write(serial_frame(sender.number, payload))
    alert = shared.cloud.wait(lambda c: c.alerts(device=f"band-{number:04}"))[0]
    shared.cloud.acknowledge(alert["id"])
    help_is_coming = serial_frame(sender.number, bytes.fromhex("8003"), rssi=0)
    wait_for(lambda: help_is_coming in shared.receiver.sent_down, 5, "the buzz")
