"""systemd/reset-radio.py as systemd runs it: a process, one line in, one line out; /sys is a stand-in tree."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.ble.reset import Step

SCRIPT = Path(__file__).parents[2] / "systemd/reset-radio.py"
RADIO = {"Class": "e0", "SubClass": "01", "Protocol": "01"}


class Sysfs:
    """As much of /sys as the script looks at."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.driver = root / "bus/usb/drivers/usb"
        self.driver.mkdir(parents=True)
        for name in ("bind", "unbind"):
            (self.driver / name).write_text("")

    def rfkill(self, number: int, name: str, *, soft: str = "0", hard: str = "0", kind: str = "bluetooth") -> Path:
        switch = self.root / f"class/rfkill/rfkill{number}"
        switch.mkdir(parents=True)
        for file, text in {"type": kind, "name": name, "soft": soft, "hard": hard}.items():
            (switch / file).write_text(f"{text}\n")
        return switch / "soft"

    def usb(self, device: str, adapter: str | None = None, kind: dict[str, str] | None = None) -> None:
        """A bound USB device with one interface, which may bear an adapter."""
        interface = self.root / "bus/usb/devices" / f"{device}:1.0"
        interface.mkdir(parents=True)
        for part, text in (RADIO if kind is None else kind).items():
            (interface / f"bInterface{part}").write_text(f"{text}\n")
        (self.root / "bus/usb/devices" / device).mkdir()
        (self.root / "bus/usb/devices" / device / "driver").symlink_to(self.driver)
        if adapter:
            (interface / "bluetooth" / adapter).mkdir(parents=True)
            self.controller(adapter).symlink_to(interface)

    def unbound(self, device: str) -> None:
        """A USB radio that an earlier attempt has left without a driver: it has no interfaces."""
        path = self.root / "bus/usb/devices" / device
        path.mkdir(parents=True)
        for part, text in RADIO.items():
            (path / f"bDevice{part}").write_text(f"{text}\n")

    def controller(self, adapter: str) -> Path:
        device = self.root / "class/bluetooth" / adapter / "device"
        device.parent.mkdir(parents=True)
        return device

    def written(self, file: str) -> str:
        return (self.driver / file).read_text()


@pytest.fixture
def sysfs(tmp_path: Path) -> Sysfs:
    return Sysfs(tmp_path / "sys")


def answer(sysfs: Sysfs, asked: bytes) -> dict[str, Any]:
    command = [sys.executable, "-I", str(SCRIPT), "--sysfs", str(sysfs.root)]
    done = subprocess.run(command, input=asked, capture_output=True, check=True, timeout=30)
    said: dict[str, Any] = json.loads(done.stdout)
    assert done.stdout.count(b"\n") == 1
    assert done.stdout.strip() in done.stderr  # the journal tells what was asked and what came of it
    assert said.keys() == {"ok", "did", "why"}
    assert said["ok"] is (said["why"] is None)
    return said


def ask(sysfs: Sysfs, step: str, adapter: str | None = "hci0") -> dict[str, Any]:
    return answer(sysfs, json.dumps({"step": step, "adapter": adapter}).encode() + b"\n")


def did(sysfs: Sysfs, step: str, adapter: str | None = "hci0") -> list[str]:
    said = ask(sysfs, step, adapter)
    assert said["why"] is None
    found: list[str] = said["did"]
    return found


def refused(sysfs: Sysfs, step: str, adapter: str | None = "hci0") -> str:
    said = ask(sysfs, step, adapter)
    assert said["did"] == []
    return str(said["why"])


def test_a_soft_block_is_lifted_and_that_of_another_adapter_is_not(sysfs: Sysfs) -> None:
    own, other = sysfs.rfkill(0, "hci0", soft="1"), sysfs.rfkill(1, "hci1", soft="1")
    wifi = sysfs.rfkill(2, "phy0", soft="1", kind="wlan")
    assert did(sysfs, "unblock") == ["unblocked rfkill0 (hci0)"]
    assert [path.read_text().strip() for path in (own, other, wifi)] == ["0", "1", "1"]
    assert did(sysfs, "unblock") == ["nothing was blocked"]
    assert did(sysfs, "unblock", None) == ["unblocked rfkill1 (hci1)"]


def test_a_block_of_the_whole_box_is_lifted_as_well(sysfs: Sysfs) -> None:
    sysfs.rfkill(0, "box-bluetooth", soft="1")
    sysfs.rfkill(1, "hci0", soft="1")
    assert did(sysfs, "unblock") == ["unblocked rfkill0 (box-bluetooth)", "unblocked rfkill1 (hci0)"]


def test_a_switch_on_the_box_is_named(sysfs: Sysfs) -> None:
    soft = sysfs.rfkill(0, "hci0", soft="1", hard="1")
    assert refused(sysfs, "unblock") == "rfkill0 (hci0): blocked by a switch on the box"
    assert soft.read_text() == "0"  # what can be lifted is


def test_where_rfkill_knows_no_radio_it_says_so(sysfs: Sysfs) -> None:
    sysfs.rfkill(0, "hci1")
    assert refused(sysfs, "unblock") == "rfkill knows no Bluetooth radio hci0"
    assert refused(Sysfs(sysfs.root / "bare"), "unblock", None) == "rfkill knows no Bluetooth radio"


def test_the_usb_device_of_an_adapter_is_bound_anew_and_no_other(sysfs: Sysfs) -> None:
    sysfs.usb("1-1.4", "hci0")
    sysfs.usb("2-1", "hci1")
    assert did(sysfs, "rebind") == ["bound USB device 1-1.4 anew"]
    assert (sysfs.written("unbind"), sysfs.written("bind")) == ("1-1.4", "1-1.4")


def test_where_the_adapter_is_away_the_radios_without_one_are_bound_anew(sysfs: Sysfs) -> None:
    sysfs.usb("1-1")
    sysfs.usb("1-2", "hci1")
    sysfs.usb("1-3", kind={"Class": "03", "SubClass": "01", "Protocol": "01"})  # a keyboard
    for adapter in ("hci0", None):
        assert did(sysfs, "rebind", adapter) == ["bound USB device 1-1 anew"]


def test_a_radio_that_was_left_unbound_is_bound(sysfs: Sysfs) -> None:
    sysfs.unbound("1-1")
    assert did(sysfs, "rebind") == ["bound USB device 1-1 anew"]
    assert (sysfs.written("unbind"), sysfs.written("bind")) == ("", "1-1")


def test_a_healthy_radio_is_not_reset_for_one_that_is_away(sysfs: Sysfs) -> None:
    sysfs.usb("1-2", "hci1")
    sysfs.controller("hci3").symlink_to(sysfs.root)  # soldered on, at a UART
    for adapter in ("hci0", "hci3"):
        assert "cannot be bound anew" in refused(sysfs, "rebind", adapter)
    assert sysfs.written("unbind") == ""


def test_what_the_kernel_refuses_is_told_with_its_place(sysfs: Sysfs) -> None:
    sysfs.usb("1-1", "hci0")
    (sysfs.driver / "bind").unlink()
    (sysfs.driver / "bind").mkdir()
    assert refused(sysfs, "rebind") == f"{sysfs.driver}/bind: Is a directory"


def test_without_a_controller_or_without_bluetooth_in_the_kernel_power_says_so(sysfs: Sysfs) -> None:
    assert refused(sysfs, "power", None) == "there is no controller"
    why = refused(sysfs, "power", "hci987")
    assert why.startswith(("this kernel has no Bluetooth sockets: ", "hci987 could not be taken down: "))


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (b"", "not a line of at most 200 bytes"),
        (b'{"step": "unblock", "adapter": null}', "not a line of at most 200 bytes"),
        (b'{"step": "unblock", "adapter": null' + b" " * 200 + b"}\n", "not a line of at most 200 bytes"),
        (b"\n", "not a line of JSON"),
        (b"\xff\xfe\n", "not a line of JSON"),
        (b"[1, 2]\n", 'not a request: {"step": …, "adapter": …}'),
        (b'{"step": "unblock"}\n', 'not a request: {"step": …, "adapter": …}'),
        (b'{"step": "unblock", "adapter": null, "more": 1}\n', 'not a request: {"step": …, "adapter": …}'),
        (b'{"step": "reboot", "adapter": null}\n', "no such step; there are unblock, power, rebind"),
        (b'{"step": ["unblock"], "adapter": null}\n', "no such step; there are unblock, power, rebind"),
        (b'{"step": "unblock", "adapter": "../../etc"}\n', "not an adapter; hci0, or null where none is known"),
        (b'{"step": "unblock", "adapter": 0}\n', "not an adapter; hci0, or null where none is known"),
    ],
)
def test_what_is_no_request_is_refused_in_words(sysfs: Sysfs, asked: bytes, why: str) -> None:
    assert answer(sysfs, asked) == {"ok": False, "did": [], "why": why}


def _loaded() -> Any:
    spec = importlib.util.spec_from_file_location("reset_radio", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MODULE = _loaded()


@given(st.binary(max_size=220) | st.binary(max_size=150).map(lambda rubbish: b'{"step":' + rubbish + b"}\n"))
def test_no_rubbish_is_taken_for_a_request(line: bytes) -> None:
    try:
        step, adapter = MODULE._asked(line)
    except MODULE.Impossible:
        return
    assert step in MODULE.STEPS
    assert adapter is None or MODULE._is_adapter(adapter)


def test_the_daemon_and_the_unit_speak_of_the_same_steps() -> None:
    assert set(MODULE.STEPS) == set(Step)
