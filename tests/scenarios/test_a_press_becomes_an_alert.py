"""The main job: bytes at a port or on the air become an alert and telemetry on a real broker."""

import os

import pytest

from gateway.cli.street import Code, Kind, advert_line, serial_frame
from tests.support.air import band, burst
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon
from tests.support.processes import wait_for

GOLDEN = bytes.fromhex("a55a1103020100bd0311000109584861f00c681084b0")


def on_serial(daemon_folder, receiver, zone="lobby"):
    return f"serial: [{{port: {receiver.path}, name: rx, zone: {zone}}}]"


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_the_golden_frame_at_a_port_is_one_alert_and_one_reading(tmp_path, broker, receiver, version):
    more = on_serial(tmp_path, receiver)
    roster = 'devices: [{id: band-7, address: "C0:98:00:01:02:03", wearer: w-7f3a}]\n'
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], version=version, more=more) as daemon:
        daemon.stop()
        (daemon.folder / "devices.yaml").write_text(roster)
        daemon.restart()
        wait_for(lambda: daemon.log(event="connected"), 5)
        receiver.write(GOLDEN * 3)
        alert = cloud.wait(lambda c: c.alerts(kind="sos"))[0]
        reading = cloud.wait(lambda c: c.readings())[0]
        assert (alert["wearer"], alert["device"], alert["registered"]) == ("w-7f3a", "band-7", True)
        assert (alert["severity"], alert["state"], alert["confirmed"], alert["late"]) == (
            "critical", "raised", True, False
        )  # fmt: skip
        assert (alert["zone"], alert["worn"]) == ("lobby", True)
        assert alert["heard_by"] == [{"link": "serial:rx", "rssi": -67}]
        assert reading["values"] == {
            "worn": True, "charging": False, "moving": True, "battery_level": 88,
            "heart_rate": 72, "spo2": 97, "skin_temperature": 33.12, "steps": 4200,
        }  # fmt: skip
        assert len(cloud.alerts(reason="press")) == 1
        assert cloud.breaches == []


def test_an_advert_is_heard_as_a_serial_frame_is(tmp_path, broker):
    fifo = tmp_path / "adverts"
    os.mkfifo(fifo)
    more = f"replay: [{{file: {fifo}, name: air}}]"
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more):
        with fifo.open("wb") as air:
            for payload in burst(band(1), Code.SOS):
                air.write(advert_line(band(1).address, payload))
        alert = cloud.wait(lambda c: c.alerts(kind="sos"))[0]
        assert (alert["device"], alert["heard_by"]) == ("band-0001", [{"link": "replay:air", "rssi": -67}])
        assert cloud.breaches == []


@pytest.mark.parametrize(
    ("code", "kind", "service", "severity"),
    [
        (Code.SOS, "sos", None, "critical"),
        (Code.FALL, "fall", None, "critical"),
        (Code.SHOPPING, "service_request", "shopping", "request"),
        (Code.RIDE, "service_request", "ride", "request"),
        (Code.CALLBACK, "service_request", "callback", "request"),
        (Code.TAKEN_OFF, "not_worn", None, "warning"),
        (Code.TAMPER, "tamper", None, "warning"),
        (Code.TEST, "sos", None, "technical"),
        (99, "button", None, "warning"),
    ],
)
def test_every_event_code_is_its_own_alert(shared, code, kind, service, severity):
    cloud, receiver, number = shared.cloud, shared.receiver, shared.next_band()
    sender = band(number)
    for payload in burst(sender, code):
        receiver.write(serial_frame(sender.number, payload))
    alert = cloud.wait(lambda c: c.alerts(device=f"band-{number:04}"), what=f"{kind}")[0]
    assert (alert["kind"], alert["service"], alert["severity"]) == (kind, service, severity)
    assert alert["test"] is (code == Code.TEST)
    assert alert["confirmed"] is (code != Code.FALL)
    assert cloud.breaches == []


def test_an_sos_on_a_flat_battery_is_both_alerts(shared):
    sender = band(shared.next_band(), low_battery=True)
    for payload in burst(sender, Code.SOS):
        shared.receiver.write(serial_frame(sender.number, payload))
    kinds = shared.cloud.wait(
        lambda c: [a["kind"] for a in c.alerts() if a["device"] == f"band-{sender.number:04}"][1:] and
        {a["kind"] for a in c.alerts(device=f"band-{sender.number:04}")}
    )  # fmt: skip
    assert kinds == {"sos", "low_battery"}


def test_a_press_that_only_a_heartbeat_tells_is_late(shared):
    number = shared.next_band()
    sender = band(number, counter=5, code=Code.PUT_ON)
    shared.receiver.write(serial_frame(sender.number, sender.payload(Kind.HEARTBEAT)))
    sender.press(Code.SOS, 0.0)
    shared.receiver.write(serial_frame(sender.number, sender.payload(Kind.HEARTBEAT)))
    alert = shared.cloud.wait(lambda c: c.alerts(device=f"band-{number:04}"))[0]
    assert (alert["kind"], alert["late"]) == ("sos", True)


def test_a_stranger_of_a_known_format_raises_all_the_same(shared):
    sender = band(3_000)
    for payload in burst(sender, Code.SOS):
        shared.receiver.write(serial_frame(sender.number, payload))
    alert = shared.cloud.wait(lambda c: c.alerts(registered=False))[0]
    assert (alert["wearer"], alert["kind"]) == (None, "sos")
    assert alert["device"].startswith("x-")
