"""Whatever befalls bluetoothd, an adapter or the daemon itself: it hears again, and no press is lost meanwhile."""

import json
import shlex
from statistics import median

from tests.e2e.guest.wearables import BATTERY, FIRST, SHY
from tests.e2e.station import Station

RESTARTS = 10
SWITCHED_OFF = 20
"""At most; the ladder climbs four rungs for it, and none more often than each 5 s."""
SYSFS = "/run/e2e/sys"
USB_RADIO = f"""
set -e
devices={SYSFS}/bus/usb/devices interface={SYSFS}/bus/usb/devices/1-2.4:1.0
mkdir -p {SYSFS}/bus/usb/drivers/usb {SYSFS}/class/bluetooth/hci0 $devices/1-2.4/driver $interface/bluetooth/hci0
echo e0 > $interface/bInterfaceClass
echo 01 > $interface/bInterfaceSubClass
echo 01 > $interface/bInterfaceProtocol
ln -s $interface {SYSFS}/class/bluetooth/hci0/device
"""


def asked(step: str, adapter: str, of: str) -> str:
    """A command that asks the reset unit for a step."""
    return f"echo {shlex.quote(json.dumps({'step': step, 'adapter': adapter}))} | {of}"


def test_ten_restarts_of_bluetoothd_lose_no_press(station: Station) -> None:
    during, after, took = [], [], []
    for restart in range(RESTARTS):
        during.append(station.press(FIRST + restart))
        took.append(station.healed("systemctl restart bluetooth"))
        after.append(station.press(FIRST + RESTARTS + restart))
    station.each_press_is_one_alert()
    late = [device for device in during if station.alerts(device)[-1]["late"]]
    print("healed after", *(f"{seconds:.1f}" for seconds in took), f"s; {len(late)} presses learned of later")
    print(f"least {min(took):.1f}, median {median(took):.1f}, most {max(took):.1f} s")
    assert not [device for device in after if station.alerts(device)[-1]["late"]]
    assert not station.log("radio reset", link="ble:lobby")


def test_a_bond_outlives_bluetoothd(station: Station) -> None:
    known = len(station.told(SHY, "battery_level"))
    station.wait(lambda: len(station.told(SHY, "battery_level")) > known)
    assert set(station.told(SHY, "battery_level")) == {BATTERY}
    assert station.ask_world("state")["bonds"][SHY] == 1


def test_an_adapter_that_is_switched_off_is_switched_on_again(station: Station) -> None:
    station.press(FIRST + 20)
    print(f"healed after {station.healed('bluetoothctl power off'):.1f} s")
    station.press(FIRST + 21)
    station.each_press_is_one_alert()


def test_an_adapter_that_comes_back_under_another_name_is_found_by_its_address(station: Station) -> None:
    assert station.health()["radios"]["ble:lobby"]["adapter"] == "hci0"
    station.ask_world("unplug", radio=0)
    station.ask_world("decoy")
    station.wait(lambda: station.faults().get("ble:lobby") == "no_adapter")
    station.press(FIRST + 22)
    station.ask_world("plug", radio=0)
    took = station.wait(station.hears)
    print(f"heard again {took:.1f} s after it was plugged in")
    assert station.health()["radios"]["ble:lobby"]["adapter"] == "hci1"
    station.press(FIRST + 23)
    station.each_press_is_one_alert()
    assert "ble:lobby" not in station.faults()


def climb_all(station: Station) -> None:
    """Switch the adapter off until the ladder has no rung left and rests."""
    climbed = len(station.log("radio recovery", link="ble:lobby", rung="rebind"))
    for _ in range(SWITCHED_OFF):
        if len(station.log("radio recovery", link="ble:lobby", rung="rebind")) > climbed:
            return
        station.healed("bluetoothctl power off")
    raise AssertionError(station.log("radio recovery"))


def test_an_adapter_that_rfkill_blocks_is_unblocked_at_once_though_the_ladder_rests(station: Station) -> None:
    station.press(FIRST + 24)
    climb_all(station)
    adapter = station.log("scanning", link="ble:lobby")[-1]["adapter"]
    before = len(station.log("radio reset", link="ble:lobby", step="unblock"))
    print(f"healed after {station.healed('rfkill block bluetooth'):.1f} s")
    (reset,) = station.log("radio reset", link="ble:lobby", step="unblock")[before:]
    assert reset["ok"]
    assert f"({adapter})" in reset["did"][0]
    station.press(FIRST + 25)
    station.each_press_is_one_alert()


def test_the_reset_unit_takes_a_controller_down_and_up_for_the_daemons_user_and_for_nobody(station: Station) -> None:
    adapter = station.log("scanning", link="ble:lobby")[-1]["adapter"]
    power = asked("power", adapter, "socat -t 30 - UNIX:/run/station-gateway-reset.sock")
    assert station.machine.ask(f"runuser -u nobody -- sh -c {shlex.quote(power)}").code != 0
    print(f"healed after {station.healed(f'runuser -u station-gateway -- sh -c {shlex.quote(power)}'):.1f} s")
    station.press(FIRST + 26)
    station.each_press_is_one_alert()


def test_the_reset_script_binds_a_usb_radio_anew_in_a_stand_in_for_sysfs(station: Station) -> None:
    """The machine has no USB radio: this shows what would be written where, and no more."""
    station.run(USB_RADIO)
    said = station.run(asked("rebind", "hci0", f"python3 -I /usr/lib/station-gateway/reset-radio --sysfs {SYSFS}"))
    assert '"did": ["bound USB device 1-2.4 anew"]' in said
    assert station.run(f"cd {SYSFS}/bus/usb/drivers/usb && cat unbind bind") == "1-2.41-2.4"


def test_the_watchdog_restarts_a_daemon_whose_loop_is_blocked(station: Station) -> None:
    restarts = int(station.of_unit("NRestarts"))
    station.run("systemctl kill --kill-whom=main --signal=STOP station-gateway")
    station.press(FIRST + 27)
    took = station.wait(lambda: int(station.of_unit("NRestarts")) > restarts)
    print(f"restarted {took:.1f} s after it was blocked")
    station.wait(lambda: station.of_unit("ActiveState") == "active")
    station.press(FIRST + 28)
    station.each_press_is_one_alert()
    station.run("journalctl -u station-gateway --no-pager | grep \"Failed with result 'watchdog'\"")


def test_a_press_that_two_radios_hear_is_one_alert_of_the_zone_that_hears_it_best(station: Station) -> None:
    station.ask_world("pace", every_s=3)  # the emulated machine cannot listen twice to all of them each second
    station.ask_world("plug", radio=1)
    station.wait(lambda: station.hears("ble:garden"))
    device = station.press(FIRST + 29)
    station.each_press_is_one_alert()
    station.wait(lambda: bool(station.alerts(device, "repeat")))
    alert = station.alerts(device, "repeat")[-1]
    both = [{"link": "ble:garden", "rssi": -75}, {"link": "ble:lobby", "rssi": -55}]
    assert sorted(alert["heard_by"], key=lambda heard: str(heard["link"])) == both
    assert alert["zone"] == "lobby"


def test_a_passive_scan_that_stock_bluetoothd_does_not_have_is_said_and_an_active_one_hears_instead(
    station: Station,
) -> None:
    assert station.faults()["ble:garden scan"] == "passive_unsupported"
    assert station.health()["radios"]["ble:garden"]["scan"] == "active"


def test_a_deaf_radio_is_told_by_one_that_hears_and_is_healed_step_by_step(station: Station) -> None:
    station.ask_world("deafen", radio=0, on=True)
    took = station.wait(lambda: station.faults().get("ble:lobby") == "radio_deaf")
    print(f"known to be deaf after {took:.1f} s")
    device = station.press(FIRST + 30)
    powered = len(station.log("radio recovery", link="ble:lobby", rung="power"))
    station.wait(lambda: len(station.log("radio recovery", link="ble:lobby", rung="power")) > powered)
    station.ask_world("deafen", radio=0, on=False)
    station.wait(lambda: station.hears() and "ble:lobby" not in station.faults())
    assert station.log("radio heals", link="ble:lobby")[-1]["after"] == "deaf"
    station.press(FIRST + 31)
    station.each_press_is_one_alert()
    assert station.alerts(device)[-1]["heard_by"] == [{"link": "ble:garden", "rssi": -75}]
