"""What is recorded and sent again, or made up, is believed in nothing; but no call for people is dropped for it."""

import json
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from tests.support.ccm import sealed
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for

ADDRESS = "c09800000001"
KEY = bytes.fromhex("231d39c1d7cc1ab1aee224cd096db932")
FCD2 = "0000fcd2-0000-1000-8000-00805f9b34fb"
BUTTONS = '{single: sos, "2 long": {kind: service_request, service: shopping}, triple: test}'
ROSTER = f'devices: [{{id: key-0001, address: "{ADDRESS}", wearer: w-0001, buttons: {BUTTONS}}}]\n'
PRESS, LONG, NO_PRESS = "3a01", "3a04", "3a00"


def objects(packet: int, battery: int, *buttons: str) -> bytes:
    """BTHome objects: the packet's id, the battery's level, what became of each key."""
    return bytes.fromhex(f"00{packet:02x}01{battery:02x}{''.join(buttons)}")


def advert(payload: bytes) -> bytes:
    line = {"kind": "service_data", "key": FCD2, "address": ADDRESS, "rssi": -60, "payload": payload.hex()}
    return json.dumps(line).encode() + b"\n"


def encrypted(counter: int, said: bytes) -> bytes:
    information, number = b"\x45", counter.to_bytes(4, "little")
    nonce = bytes.fromhex(ADDRESS) + b"\xd2\xfc" + information + number
    body = sealed(KEY, nonce, said)
    return advert(information + body[:-4] + number + body[-4:])


def plain(said: bytes) -> bytes:
    return advert(b"\x44" + said)


@contextmanager
def station(folder: Path, broker: Mosquitto, more: str = "", *, key: bool = True) -> Iterator[tuple[Daemon, BinaryIO]]:
    """A station with one key of a wearer in its roster, and what is on the air there."""
    fifo = folder / "air"
    os.mkfifo(fifo)
    (folder / "keys").write_text(f"key-0001 {KEY.hex()}\n")
    keys = f"keys: {{file: {folder}/keys}}\n" if key else ""
    links = f"replay: [{{file: {fifo}, name: air}}]\nhealth_every: 1s\n"
    daemon = Daemon(folder / "box", [broker.url], more=links + keys + more)
    (daemon.folder / "devices.yaml").write_text(ROSTER)
    with daemon, fifo.open("r+b", buffering=0) as air:
        wait_for(lambda: daemon.log(event="connected"), 5)
        yield daemon, air


def batteries(cloud: Cloud) -> list[int]:
    return [reading["values"]["battery_level"] for reading in cloud.readings()]


def temperatures(cloud: Cloud) -> list[float]:
    return [reading["values"]["ambient_temperature"] for reading in cloud.readings()]


def unproven(cloud: Cloud) -> int:
    told: dict[str, Any] = cloud.health().get("links", {}).get("replay:air", {})
    return int(told.get("unproven", -1))


def pressed(cloud: Cloud) -> list[tuple[str, str, int]]:
    return [(each["kind"], each["auth"], each["press_count"]) for each in cloud.alerts(reason="press")]


def test_a_recording_raises_one_marked_alert_after_a_kill_and_none_of_its_readings_is_taken(
    tmp_path: Path, broker: Mosquitto
) -> None:
    heard = encrypted(10, objects(1, 90, PRESS))
    unheard = encrypted(11, objects(2, 80, PRESS))  # pressed on the way home, and recorded there
    with Cloud(broker) as cloud, station(tmp_path, broker) as (daemon, air):
        air.write(heard * 5)
        alert = cloud.wait(lambda c: c.alerts(kind="sos"))[0]
        assert (alert["auth"], alert["device"], alert["press"]) == ("ok", "key-0001", "single")
        air.write(encrypted(12, objects(3, 70, NO_PRESS)))
        cloud.wait(lambda c: batteries(c) == [90, 70], what="each reading once, however often it was heard")
        cloud.acknowledge(alert["id"], "clear")
        cloud.wait(lambda c: c.alerts(state="cleared"))
        daemon.kill()
        daemon.restart()
        wait_for(lambda: len(daemon.log(event="link up")) == 2, 5)
        air.write((heard + unheard) * 10)
        cloud.wait(lambda c: len(pressed(c)) == 2)
        air.write(encrypted(13, objects(4, 60, NO_PRESS)))
        cloud.wait(lambda c: batteries(c) == [90, 70, 60])
        cloud.wait(lambda c: unproven(c) == 20, what="every reading of the recordings is counted")
        assert pressed(cloud) == [("sos", "ok", 1), ("sos", "replayed", 1)]
        assert cloud.breaches == []


def test_no_reading_is_taken_twice_however_often_the_box_is_killed_and_all_is_sent_again(
    tmp_path: Path, broker: Mosquitto
) -> None:
    chance = random.Random(4)
    frames = [encrypted(number, b"\x02" + number.to_bytes(2, "little")) for number in range(1, 601)]
    more = "telemetry: {commit_every: 10ms}\n"
    with Cloud(broker) as cloud, station(tmp_path, broker, more) as (daemon, air):
        for sent in range(100, 600, 100):
            air.write(b"".join(frames[:sent]))
            time.sleep(chance.uniform(0.0, 0.05))  # somewhere among its commits
            daemon.kill()
            daemon.restart()
        air.write(b"".join(frames))
        cloud.wait(lambda c: 6.0 in temperatures(c))
        taken = temperatures(cloud)
        assert len(set(taken)) == len(taken)
        assert set(taken) >= {number / 100 for number in range(501, 601)}


def test_plain_text_from_a_device_with_a_key_calls_people_and_is_believed_in_nothing_else(
    tmp_path: Path, broker: Mosquitto
) -> None:
    with Cloud(broker) as cloud, station(tmp_path, broker) as (_, air):
        air.write(plain(objects(1, 90, PRESS)) * 5)
        cloud.wait(lambda c: pressed(c) == [("sos", "downgraded", 1)])
        air.write(plain(objects(2, 90, "3a03")))  # a test press is no call
        cloud.wait(lambda c: unproven(c) == 7)
        air.write(encrypted(1, objects(1, 70, PRESS)))  # the true one, that the forged one foresaw
        cloud.wait(lambda c: pressed(c)[1:] == [("sos", "ok", 2)])
        cloud.wait(lambda c: batteries(c) == [70])
        assert cloud.breaches == []


def test_a_lenient_station_takes_the_readings_and_marks_the_call(tmp_path: Path, broker: Mosquitto) -> None:
    with Cloud(broker) as cloud, station(tmp_path, broker, "trust: {bthome: lenient}\n") as (_, air):
        air.write(plain(objects(1, 90, PRESS)))
        cloud.wait(lambda c: batteries(c) == [90])
        cloud.wait(lambda c: pressed(c) == [("sos", "downgraded", 1)])
        cloud.wait(lambda c: unproven(c) == 0)


@pytest.mark.parametrize(
    ("buttons", "kind", "service", "press", "button"),
    [
        ((PRESS,), "sos", None, "single", None),
        ((NO_PRESS, LONG), "service_request", "shopping", "long", 2),
        ((NO_PRESS, NO_PRESS, LONG), "button", None, "long", 3),
        (("3a02",), "button", None, "double", None),
    ],
)
def test_the_roster_says_what_a_key_is_for_and_an_unmapped_one_is_told_as_it_was_pressed(
    tmp_path: Path,
    broker: Mosquitto,
    buttons: tuple[str, ...],
    kind: str,
    service: str | None,
    press: str,
    button: int | None,
) -> None:
    with Cloud(broker) as cloud, station(tmp_path, broker, key=False) as (_, air):
        air.write(plain(objects(1, 90, *buttons)))
        alert = cloud.wait(lambda c: c.alerts())[0]
        assert (alert["kind"], alert["service"], alert["press"], alert["button"]) == (kind, service, press, button)
        assert (alert["auth"], alert["test"]) == ("none", False)
        assert [(each["press"], each["button"]) for each in alert["presses"]] == [(press, button)]
        assert cloud.breaches == []
