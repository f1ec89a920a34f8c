"""Ports that come and go, and what comes out of them when it is not what it should be."""

import json
import random
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.street import Code, Kind, advert_line, serial_frame
from tests.support.air import band, burst
from tests.support.cloud import Cloud
from tests.support.daemon import Daemon
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for
from tests.support.receiver import Receiver

REPLUG_S = 3.0


def frames(number: int, code: Code = Code.SOS) -> bytes:
    sender = band(number)
    return b"".join(serial_frame(sender.number, payload) for payload in burst(sender, code))


def open_faults(cloud: Cloud) -> set[tuple[str, str]]:
    return {(fault["fault"], fault["where"]) for fault in cloud.health().get("faults", [])}


def test_an_absent_port_is_a_named_fault_and_the_other_one_is_heard(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    absent = tmp_path / "nowhere"
    more = f"serial: [{{port: {absent}, name: gone}}, {{port: {receiver.path}, name: rx}}]\nhealth_every: 1s"
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more):
        receiver.write(frames(1))
        cloud.wait(lambda c: c.alerts(device="band-0001"))
        cloud.wait(lambda c: ("serial_absent", "serial:gone") in open_faults(c))
        fault = next(fault for fault in cloud.health()["faults"] if fault["where"] == "serial:gone")
        assert str(absent) in fault["what"]
        assert "/dev/serial/by-id" in fault["cure"]
        with Receiver(absent) as plugged:
            plugged.write(frames(2))
            cloud.wait(lambda c: c.alerts(device="band-0002"), REPLUG_S, "heard once it is there")
            cloud.wait(lambda c: ("serial_absent", "serial:gone") not in open_faults(c))
        assert cloud.breaches == []


def test_unplugged_and_plugged_in_again_it_is_heard_within_3_s(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    more = f"serial: [{{port: {receiver.path}, name: rx}}]"
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
        for number in (1, 2, 3):
            before = len(daemon.log(event="link up", link="serial:rx"))
            receiver.write(frames(number))
            cloud.wait(lambda c, name=f"band-{number:04}": c.alerts(device=name), REPLUG_S)
            receiver.unplug()
            wait_for(lambda: daemon.log(event="fault", where="serial:rx"), REPLUG_S, "the fault")
            receiver.plug()
            wait_for(lambda n=before: len(daemon.log(event="link up", link="serial:rx")) > n, REPLUG_S, "healed")
        receiver.write(frames(4))
        cloud.wait(lambda c: c.alerts(device="band-0004"))


def test_a_receiver_behind_tcp_is_heard_and_healed_like_any_other(tmp_path: Path, broker: Mosquitto) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(REPLUG_S + 7)
    more = f"serial: [{{port: 'socket://127.0.0.1:{server.getsockname()[1]}', name: tcp}}]"
    with server, Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
        for number in (1, 2):
            peer, _ = server.accept()
            with peer:
                peer.sendall(frames(number))
                cloud.wait(lambda c, name=f"band-{number:04}": c.alerts(device=name))
                faults = [line["fault"] for line in daemon.log(event="fault", where="serial:tcp")]
                assert faults == ["serial_absent"] * (number - 1)


def test_a_port_that_another_program_holds_is_busy_and_taken_once_it_is_free(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    hold = "import serial,sys; p=serial.Serial(sys.argv[1], exclusive=True); print('held', flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(receiver.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    more = f"serial: [{{port: {receiver.path}, name: rx}}]"
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
        wait_for(lambda: daemon.log(event="fault", fault="serial_busy"), 5, "serial_busy")
        holder.communicate(b"\n")
        wait_for(lambda: daemon.log(event="link up", link="serial:rx"), REPLUG_S, "free again")
        receiver.write(frames(1))
        cloud.wait(lambda c: c.alerts(device="band-0001"))


def mangled(whole: bytes) -> dict[str, bytes]:
    """What a line does to a frame; none of it may become anything."""
    flipped = bytearray(whole)
    flipped[10] ^= 0x40
    return {
        "truncated": whole[:-3],
        "wrong checksum": bytes(flipped),
        "oversized": b"\xa5\x5a\xff" + bytes(300),
        "noise": random.Random(7).randbytes(4_000),
        "starts without end": b"\xa5\x5a" * 500,
    }


def test_rubbish_around_a_press_is_counted_and_kept_and_raises_nothing_of_its_own(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    more = f"serial: [{{port: {receiver.path}, name: rx}}]\nhealth_every: 1s"
    whole = serial_frame(band(1).number, burst(band(1), Code.FALL)[0])
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], devices=8, more=more) as daemon:
        for number, rubbish in enumerate(mangled(whole).values(), start=2):
            receiver.write(rubbish + frames(number))
            cloud.wait(lambda c, name=f"band-{number:04}": c.alerts(device=name), what=f"after {number}")
        assert {alert["kind"] for alert in cloud.alerts()} == {"sos"}
        assert {a["device"] for a in cloud.alerts(registered=True)} <= {f"band-{n:04}" for n in range(2, 7)}
        rejected = cloud.wait(lambda c: c.health().get("links", {}).get("serial:rx", {}).get("rejected"))
        assert rejected["checksum"] > 0
        daemon.stop()
        kept = (daemon.folder / "data" / "quarantine.jsonl").read_text().splitlines()
        assert bytes(json.loads(kept[0])["hex"], "ascii")
        told = decode(str(daemon.folder / "data" / "quarantine.jsonl"))
        assert "checksum" in told.stdout
        assert cloud.breaches == []


def decode(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "gateway.cli.main", "decode", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_absurd_values_are_left_out_and_the_press_beside_them_is_not(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    sender = band(1, heart_rate=255, spo2=140, battery=150)
    more = f"serial: [{{port: {receiver.path}, name: rx}}]\nhealth_every: 1s"
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more):
        for payload in burst(sender, Code.SOS):
            receiver.write(serial_frame(sender.number, payload))
        assert cloud.wait(lambda c: c.alerts(kind="sos"))
        values: dict[str, Any] = cloud.wait(lambda c: c.readings())[0]["values"]
        assert set(values) == {"worn", "charging", "moving", "skin_temperature", "steps"}
        assert cloud.wait(lambda c: c.health()["links"]["serial:rx"]["absurd"]) == 9


def test_a_flood_of_garbage_on_one_port_does_not_hold_up_a_press_on_the_other(
    tmp_path: Path, broker: Mosquitto, receiver: Receiver
) -> None:
    over = threading.Event()
    noise = random.Random(3).randbytes(64_000) + b"\xa5\x5a" * 32_000
    with Receiver(tmp_path / "noisy") as noisy, Cloud(broker) as cloud:
        more = f"serial: [{{port: {receiver.path}, name: rx}}, {{port: {noisy.path}, name: noisy}}]"
        with Daemon(tmp_path / "box", [broker.url], more=more) as daemon:
            wait_for(lambda: len(daemon.log(event="link up")) == 2, 5, "both up")

            def pour() -> None:
                while not over.is_set():
                    noisy.write(noise, seconds=0.2)

            pouring = threading.Thread(target=pour)
            pouring.start()
            try:
                for number in (1, 2, 3, 4):
                    receiver.write(frames(number))
                    cloud.wait(lambda c, name=f"band-{number:04}": c.alerts(device=name), 5)
            finally:
                over.set()
                pouring.join()
            assert daemon.rss_mib() < 120


@pytest.mark.parametrize("line", [b"not json\n", b'{"kind":"manufacturer"}\n', b"[]\n", b"\xff\xfe\n", b"{}\n" * 50])
def test_a_capture_line_that_is_none_is_skipped(tmp_path: Path, broker: Mosquitto, line: bytes) -> None:
    capture = tmp_path / "air.jsonl"
    press = b"".join(advert_line(band(1).address, payload) for payload in burst(band(1), Code.SOS))
    capture.write_bytes(line + press + line)
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=f"replay: [{{file: {capture}}}]"):
        assert cloud.wait(lambda c: c.alerts())[0]["kind"] == "sos"


def test_the_receivers_own_heartbeat_is_nobody_s(tmp_path: Path, broker: Mosquitto, receiver: Receiver) -> None:
    more = f"serial: [{{port: {receiver.path}, name: rx}}]\nhealth_every: 1s"
    with Cloud(broker) as cloud, Daemon(tmp_path / "box", [broker.url], more=more):
        receiver.write(serial_frame(0, band(1).payload(Kind.HEARTBEAT)) + frames(1))
        cloud.wait(lambda c: c.alerts())
        cloud.wait(lambda c: c.health().get("counters", {}).get("packets"))
        assert cloud.alerts(registered=False) == []
