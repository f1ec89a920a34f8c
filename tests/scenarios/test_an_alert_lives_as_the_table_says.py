"""Time's part in an alert's life, with the daemon's own clock: windows, repeats, holds, restarts."""

from pathlib import Path

import pytest

from gateway.cli.street import Code, Kind, Wearable, serial_frame
from tests.support.air import band, burst
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon
from tests.support.mosquitto import Mosquitto
from tests.support.receiver import Receiver


def send(receiver: Receiver, sender: Wearable, *payloads: bytes) -> None:
    for payload in payloads:
        receiver.write(serial_frame(sender.number, payload))


@pytest.fixture
def more(receiver: Receiver) -> str:
    return f"serial: [{{port: {receiver.path}, name: rx}}]"


def test_repeats_go_on_until_somebody_accepts_and_a_fall_is_confirmed_when_its_window_has_passed(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver, more: str
) -> None:
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more):
        send(receiver, band(1), *burst(band(1), Code.SOS))
        send(receiver, band(2), *burst(band(2), Code.SOS))
        send(receiver, band(3), *burst(band(3), Code.FALL))
        send(receiver, band(4), *burst(band(4), Code.SHOPPING))
        accepted = cloud.wait(lambda c: c.alerts(device="band-0002"))[0]
        cloud.acknowledge(accepted["id"])
        confirmed = cloud.wait(lambda c: c.alerts(device="band-0003", confirmed=True), 25, "the window passes")[0]
        assert confirmed["state"] == "raised"
        repeats = [data["repeat"] for data in cloud.alerts(device="band-0001")]
        assert repeats == [0, 1]  # after 10 s; the next one is due at 30 s
        assert [data["state"] for data in cloud.alerts(device="band-0002")] == ["raised", "accepted"]
        assert [data["repeat"] for data in cloud.alerts(device="band-0004")] == [0]
        assert cloud.breaches == []


def test_a_fall_that_the_wearer_cancels_in_time_is_cancelled(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver, more: str
) -> None:
    sender = band(1)
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more):
        send(receiver, sender, *burst(sender, Code.FALL))
        raised = cloud.wait(lambda c: c.alerts(kind="fall"))[0]
        assert (raised["confirmed"], raised["severity"]) == (False, "critical")
        send(receiver, sender, *burst(sender, Code.FALL_CANCELLED))
        cancelled = cloud.wait(lambda c: c.alerts(state="cancelled"))[0]
        assert (cancelled["id"], cancelled["confirmed"]) == (raised["id"], False)
        answer = cloud.answer("ack", cloud.acknowledge(raised["id"]))
        assert answer["error"]["code"] == "was_cancelled"
        send(receiver, sender, *burst(sender, Code.FALL))
        assert cloud.wait(lambda c: c.alerts(kind="fall", state="raised")[1:])[0]["id"] != raised["id"]


def test_conditions_clear_by_themselves_once_they_are_over_for_their_hold_time(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver, more: str
) -> None:
    sender = band(1, low_battery=True)
    held = f"{more}\nalerts: {{hold: 300ms}}"
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=held):
        send(receiver, sender, *burst(sender, Code.TAKEN_OFF))
        cloud.wait(lambda c: c.alerts(kind="not_worn") and c.alerts(kind="low_battery"))
        sender.low_battery = False
        send(receiver, sender, *burst(sender, Code.PUT_ON))
        cloud.wait(lambda c: {a["kind"] for a in c.alerts(state="cleared")} == {"not_worn", "low_battery"})
        assert {a["by"] for a in cloud.alerts(state="cleared")} == {None}
        assert cloud.breaches == []


def test_a_new_press_after_accepting_starts_everything_again(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver, more: str
) -> None:
    sender = band(1)
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more):
        send(receiver, sender, *burst(sender, Code.SOS))
        first = cloud.wait(lambda c: c.alerts(state="raised"))[0]
        cloud.acknowledge(first["id"])
        cloud.wait(lambda c: c.alerts(state="accepted"))
        send(receiver, sender, *burst(sender, Code.SOS))
        again = cloud.wait(lambda c: c.alerts(state="raised")[1:])[0]
        assert (again["id"], again["by"], again["press_count"]) == (first["id"], None, 2)
        assert len(again["presses"]) == 2


def test_after_a_crash_an_open_critical_alert_repeats_at_once_and_a_late_copy_raises_nothing(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver, more: str
) -> None:
    sender = band(1)
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
        send(receiver, sender, *burst(sender, Code.SOS))
        raised = cloud.wait(lambda c: c.alerts())[0]
        daemon.kill()
        daemon.restart()
        repeated = cloud.wait(lambda c: c.alerts(repeat=1), 5, "the repeat after the restart")[0]
        assert repeated["id"] == raised["id"]
        send(receiver, sender, sender.payload(Kind.EVENT), sender.payload(Kind.HEARTBEAT))
        send(receiver, band(2), *burst(band(2), Code.SOS))
        cloud.wait(lambda c: c.alerts(device="band-0002"))  # by now the copies have been heard too
        assert {data["id"] for data in cloud.alerts(device="band-0001")} == {raised["id"]}
