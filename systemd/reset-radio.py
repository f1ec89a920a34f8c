"""One step to bring a Bluetooth radio back, for a daemon that may not do it itself.

Installed as /usr/lib/station-gateway/reset-radio; systemd runs it as root, once per connection to the socket
/run/station-gateway-reset.sock. One line of JSON in: {"step": "unblock", "power" or "rebind", "adapter": "hci0" or
null}. One line out: {"ok": true or false, "did": [what was done], "why": null or a sentence}.

Needs nothing but Python's standard library. `--sysfs DIR` takes another folder for /sys: for tests.
"""

import argparse
import fcntl
import json
import re
import socket
import sys
import time
from pathlib import Path

LONGEST = 200
HCIDEVUP, HCIDEVDOWN = 0x400448C9, 0x400448CA
BLUETOOTH_INTERFACE = ("e0", "01", "01")
"""Class, subclass and protocol of a USB radio: wireless controller, radio frequency, Bluetooth."""
SETTLE_S = 1.0


class Impossible(Exception):
    """The step cannot be done; in words for whoever reads the gateway's log."""


def unblock(sysfs: Path, adapter: str | None) -> list[str]:
    """Lift the soft blocks of rfkill. A hard block is a switch on the box: no program can lift it."""
    did, hard, seen = [], [], False
    for switch in sorted((sysfs / "class/rfkill").glob("rfkill*")):
        if _word(switch / "type") != "bluetooth" or adapter not in (None, _word(switch / "name")):
            continue
        seen = True
        name = f"{switch.name} ({_word(switch / 'name')})"
        if _word(switch / "soft") == "1":
            _write(switch / "soft", "0")
            did.append(f"unblocked {name}")
        if _word(switch / "hard") == "1":
            hard.append(name)
    if hard:
        raise Impossible(f"{', '.join(hard)}: blocked by a switch on the box")
    if not seen:
        raise Impossible(f"rfkill knows no Bluetooth radio{f' {adapter}' if adapter else ''}")
    return did or ["nothing was blocked"]


def power(sysfs: Path, adapter: str | None) -> list[str]:
    """Take the controller down and up, as the kernel's HCI sockets let root do it."""
    names = [adapter] if adapter else sorted(path.name for path in (sysfs / "class/bluetooth").glob("hci*"))
    names = [name for name in names if re.fullmatch(r"hci\d{1,3}", name)]
    if not names:
        raise Impossible("there is no controller")
    with socket.socket(socket.AF_BLUETOOTH, socket.SOCK_RAW, socket.BTPROTO_HCI) as controllers:
        for name in names:
            for request, verb in ((HCIDEVDOWN, "taken down"), (HCIDEVUP, "brought up")):
                try:
                    fcntl.ioctl(controllers, request, int(name[3:]))
                except OSError as error:
                    if error.errno != 114:  # EALREADY: it is as wanted
                        raise Impossible(f"{name} could not be {verb}: {error.strerror}") from error
    return [f"took {name} down and up" for name in names]


def rebind(sysfs: Path, adapter: str | None) -> list[str]:
    """Bind the radio's USB device anew, which resets it as if it were plugged out and in."""
    devices = _usb_of(sysfs, adapter) or _usb_radios(sysfs)
    if not devices:
        raise Impossible("there is no USB Bluetooth radio; one that is soldered on cannot be bound anew")
    driver = sysfs / "bus/usb/drivers/usb"
    for device in devices:
        _write(driver / "unbind", device)
        time.sleep(SETTLE_S)
        _write(driver / "bind", device)
    return [f"bound USB device {device} anew" for device in devices]


STEPS = {"unblock": unblock, "power": power, "rebind": rebind}


def _usb_of(sysfs: Path, adapter: str | None) -> list[str]:
    """The USB device whose interface the adapter is."""
    link = sysfs / "class/bluetooth" / (adapter or "none") / "device"
    found = re.fullmatch(r"(\d+-\d+(?:\.\d+)*):\d+\.\d+", link.resolve().name) if link.exists() else None
    return [found[1]] if found else []


def _usb_radios(sysfs: Path) -> list[str]:
    radios = set()
    for interface in (sysfs / "bus/usb/devices").glob("*:*"):
        kind = tuple(_word(interface / name) for name in ("bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol"))
        if kind == BLUETOOTH_INTERFACE:
            radios.add(interface.name.partition(":")[0])
    return sorted(radios)


def _word(path: Path) -> str:
    return path.read_text(encoding="ascii", errors="replace").strip() if path.exists() else ""


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="ascii")
    except OSError as error:
        raise Impossible(f"{path}: {error.strerror}") from error


def _asked(line: bytes) -> tuple[str, str | None]:
    """The step and the adapter of a request. Impossible where it is none."""
    try:
        asked = json.loads(line)
    except ValueError as error:
        raise Impossible("not a line of JSON") from error
    if not isinstance(asked, dict) or set(asked) != {"step", "adapter"}:
        raise Impossible('not a request: {"step": …, "adapter": …}')
    step, adapter = asked["step"], asked["adapter"]
    if not isinstance(step, str) or step not in STEPS:
        raise Impossible(f"no such step; there are {', '.join(STEPS)}")
    if adapter is not None and not (isinstance(adapter, str) and re.fullmatch(r"hci[0-9]{1,3}", adapter)):
        raise Impossible("not an adapter; hci0, or null for all of them")
    return step, adapter


def main() -> int:
    options = argparse.ArgumentParser(description="One step to reset a Bluetooth radio, asked for on standard input.")
    options.add_argument("--sysfs", type=Path, default=Path("/sys"))
    sysfs = options.parse_args().sysfs
    line = sys.stdin.buffer.readline(LONGEST + 1)
    try:
        if len(line) > LONGEST or not line.endswith(b"\n"):
            raise Impossible(f"not a line of at most {LONGEST} bytes")
        step, adapter = _asked(line)
        answer = {"ok": True, "did": STEPS[step](sysfs, adapter), "why": None}
    except (Impossible, OSError) as error:
        answer = {"ok": False, "did": [], "why": str(error)}
    sys.stderr.write(f"{line[:LONGEST].decode(errors='replace').strip()} -> {json.dumps(answer)}\n")
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
