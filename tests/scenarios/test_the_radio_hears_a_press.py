"""Bluetooth's plain path, from bluetoothd's word on a real bus to the broker."""

from pathlib import Path

from gateway.cli.street import ADVERT_PREFIX, COMPANY, Code, serial_frame
from tests.simulators.bluez import BluezProcess, Bus
from tests.support.air import band, burst
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for
from tests.support.receiver import Receiver


def test_an_advert_becomes_an_alert_and_does_again_after_bluetoothd_was_away(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    more = f"bluetooth: [{{adapter: hci0, zone: lobby}}]\nserial: [{{port: {receiver.path}, name: rx}}]"

    def press(radio: BluezProcess, number: int) -> None:
        for payload in burst(band(number), Code.SOS):
            radio.advert(f"C0:98:00:00:00:{number:02X}", COMPANY, ADVERT_PREFIX + payload)

    with Bus(tmp_path) as bus, Cloud(broker) as cloud:
        daemon = Daemon(tmp_path / "box", [broker.url], more=more, environment=bus.environment)
        with daemon:
            wait_for(lambda: daemon.log(event="fault", fault="no_bluetoothd"), 5)
            with BluezProcess(bus) as radio:
                radio.scanning()
                press(radio, 1)
                (alert,) = cloud.wait(lambda c: c.alerts(kind="sos", wearer="w-0001"))
                assert (alert["zone"], alert["heard_by"]) == ("lobby", [{"link": "ble:hci0", "rssi": -67}])
            wait_for(lambda: len(daemon.log(event="fault", fault="no_bluetoothd")) == 2, 5)
            receiver.write(serial_frame(band(2).number, burst(band(2), Code.SOS)[0]))
            cloud.wait(lambda c: c.alerts(wearer="w-0002"))
            with BluezProcess(bus) as radio:
                radio.scanning()
                press(radio, 3)
                cloud.wait(lambda c: c.alerts(wearer="w-0003"))
            assert {alert["wearer"] for alert in cloud.alerts(repeat=0)} == {"w-0001", "w-0002", "w-0003"}
            assert len(cloud.alerts(repeat=0)) == 3
            assert cloud.breaches == []
