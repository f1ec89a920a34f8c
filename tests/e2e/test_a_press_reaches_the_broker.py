"""What wearables say on the air and on the wire arrives: through a real kernel, BlueZ and tty, as an installed unit."""

import random
import re

from gateway.cli.street import Code, Wearable, serial_frame
from tests.e2e.conftest import WEARABLES
from tests.e2e.guest.wearables import BAND, BATTERY, FIRST, PENDANTS, SHY, STRAP
from tests.e2e.station import Station
from tests.support.air import burst

PRESSED = 25


def test_a_press_on_any_of_a_hundred_wearables_is_one_alert(station: Station) -> None:
    for wearable in random.sample(range(FIRST + 40, WEARABLES), PRESSED):
        station.press(wearable)
    station.each_press_is_one_alert()
    (alert,) = station.alerts(next(iter(station.presses)))
    assert (alert["zone"], alert["late"], alert["registered"]) == ("lobby", False, True)
    assert alert["heard_by"] == [{"link": "ble:lobby", "rssi": -55}]


def test_a_press_heard_by_a_receiver_on_usb_is_one_alert_and_the_wearable_is_told_of_its_acceptance(
    station: Station,
) -> None:
    number, device = 0x00010000 + WEARABLES, f"band-{WEARABLES:04}"
    frames = [serial_frame(number, payload) for payload in burst(Wearable(number), Code.SOS)]
    station.machine.receiver.sendall(b"\x00rubbish" + b"".join(frames))
    station.presses[device] += 1
    station.each_press_is_one_alert()
    (alert,) = station.alerts(device)
    assert alert["heard_by"] == [{"link": "serial:receiver", "rssi": -67}]
    station.accept(alert["id"])
    station.machine.receiver.settimeout(60)
    assert station.machine.receiver.recv(100) == serial_frame(number, b"\x80\x03", rssi=0)


def test_the_unit_that_does_all_this_is_shut_in(station: Station) -> None:
    exposure = station.run("systemd-analyze security --no-pager station-gateway | tail -1")
    print(exposure)
    assert float(re.search(r"station-gateway.service: ([0-9.]+)", exposure)[1]) <= 2.0
    status = station.run(f"cat /proc/{station.of_unit('MainPID')}/status")
    assert re.search(r"^CapEff:\s+0+$", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)
    assert re.search(r"^Seccomp:\s+2$", status, re.MULTILINE)
    assert station.run(f"stat -c %U /proc/{station.of_unit('MainPID')}").strip() == "station-gateway"


def test_an_adapter_that_is_not_there_is_a_named_fault_and_an_alert_and_all_else_goes_on(station: Station) -> None:
    assert station.faults()["ble:garden"] == "no_adapter"
    station.wait(lambda: bool(station.heard("alert/", "radio_down")))
    alert = station.heard("alert/", "radio_down")[0]["data"]
    assert (alert["state"], alert["severity"]) == ("raised", "technical")
    assert alert["heard_by"] == [{"link": "ble:garden", "rssi": None}]


def test_the_pulse_of_a_connected_wearable_becomes_telemetry(station: Station) -> None:
    station.ask_world("wake", wearable=STRAP)
    took = station.wait(lambda: len(station.pulses(STRAP)) >= 5)
    print(f"five pulses {took:.1f} s after the strap began to advertise")


def test_six_wearables_share_five_connections_those_with_keys_go_first_and_all_have_their_turn(
    station: Station,
) -> None:
    for pendant in PENDANTS:
        station.ask_world("wake", wearable=pendant)
    first = station.wait(lambda: all(station.ask_world("state")["connected"][pendant] for pendant in PENDANTS))
    assert not station.ask_world("state")["connected"][STRAP]
    turn = station.wait(lambda: station.ask_world("state")["calls"][STRAP] >= 2, 240)
    print(f"all five with keys connected after {first:.1f} s, the one without again {turn:.1f} s later")
    assert station.ask_world("state")["most"] == 5
    for wearable in (*PENDANTS, STRAP):
        assert station.pulses(wearable)


def test_a_wearable_is_buzzed_when_the_call_centre_accepts_though_all_connections_are_taken(station: Station) -> None:
    station.ask_world("wake", wearable=BAND)
    device = station.press(BAND)
    station.each_press_is_one_alert()
    station.accept(station.alerts(device)[0]["id"])
    took = station.wait(lambda: station.ask_world("state")["written"][BAND] == ["02"])
    print(f"buzzed {took:.1f} s after it was accepted")
    assert station.ask_world("state")["most"] == 5


def test_a_wearable_that_tells_nobody_else_is_bonded_with(station: Station) -> None:
    station.ask_world("wake", wearable=SHY)
    took = station.wait(lambda: BATTERY in station.told(SHY, "battery_level"))
    print(f"its battery was told {took:.1f} s after it began to advertise")
    assert station.ask_world("state")["bonds"][SHY] == 1
