"""The install script at a station at work: no press is lost, a bad version is taken back, nothing is left behind."""

import threading

from tests.e2e.guest.wearables import FIRST
from tests.e2e.machine import Done
from tests.e2e.station import Station, staged
from tests.support.contract import check

UPGRADE, FAILURE = FIRST + 40, FIRST + 60
MOST = 20
LEFT = "find / -xdev -name '*station-gateway*' -not -path '/mnt/*' -not -path '/tmp/*' | sort"


def upgraded(station: Station, version: str, first: int) -> Done:
    """Run the install script, and press another key every few seconds meanwhile; how the script ended."""
    done: list[Done] = []
    upgrade = threading.Thread(target=lambda: done.append(station.install(version)))
    upgrade.start()
    for wearable in range(first, first + MOST):
        station.press(wearable)
        upgrade.join(5)
    upgrade.join()
    return done[0]


def test_an_upgrade_loses_no_press(station: Station) -> None:
    station.ask_world("pace", every_s=5)  # the emulated machine has an upgrade to do
    staged(station.machine.share / "next", "8.0.0")
    done = upgraded(station, "next", UPGRADE)
    assert done.code == 0, done.output
    station.each_press_is_one_alert()
    assert station.heard("state")[-1]["version"] == "8.0.0"
    assert len(station.run("ls /opt/station-gateway/versions").split()) == 2


def test_a_version_that_does_not_come_up_is_taken_back_and_no_press_is_lost(station: Station) -> None:
    staged(station.machine.share / "bad", "9.0.0", "\nraise SystemExit(1)\n")
    done = upgraded(station, "bad", FAILURE)
    assert (done.code, "the old one is in force again" in done.output) == (1, True), done.output
    station.each_press_is_one_alert()
    assert station.heard("state")[-1]["version"] == "8.0.0"


def test_all_that_was_said_until_then_keeps_the_contract(station: Station) -> None:
    said = station.run("grep -av '/telemetry ' /run/e2e/heard").splitlines()[:-1]  # the last may be half written
    for line in said:
        topic, _, payload = line.partition(" ")
        check(topic, payload.encode())
    print(f"{len(said)} messages")


def test_uninstalling_leaves_configuration_and_data_and_purging_nothing(station: Station) -> None:
    uninstall = "sh /mnt/share/next/gateway/systemd/install.sh uninstall"
    print(station.run(uninstall))
    assert station.run(LEFT).split() == ["/etc/station-gateway", "/var/lib/station-gateway"]
    assert "gateway.yaml" in station.run("ls /etc/station-gateway")
    assert "alert.db" in station.run("ls /var/lib/station-gateway")
    assert station.run("systemctl list-units --all --plain --no-legend 'station-gateway*'") == ""
    station.run(f"{uninstall} --purge")
    assert station.run(LEFT) == ""
