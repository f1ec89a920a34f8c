"""One step to bring a Bluetooth radio back, for a daemon that may not do it itself.

Installed as /usr/lib/station-gateway/reset-radio; systemd runs it as root, once per connection to the socket
/run/station-gateway-reset.sock. One line of JSON in: {"step": "unblock", "power" or "rebind", "adapter": "hci0" or
null}. One line out: {"ok": true or false, "did": [what was done], "why": null or a sentence}.

Needs nothing but Python's standard library. `--sysfs DIR` takes another folder for /sys: for tests.
"""

import argparse
import errno
import fcntl
import json
import re
import socket
import sys
import time
from pathlib import Path

LONGEST = 200
AF_BLUETOOTH, BTPROTO_HCI = 31, 1
"""Linux's own numbers: not every Python was built with their names."""
HCIDEVUP, HCIDEVDOWN = 0x400448C9, 0x400448CA
RADIO = ("e0", "01", "01")
"""Class, subclass and protocol of a USB radio: wireless controller, radio frequency, Bluetooth."""
SETTLE_S = 0.3
BINDS = 3
"""A device that was unbound must not be left so: binding it is tried this often."""


class Impossible(Exception):
    """The step cannot be done; in words for whoever reads the gateway's log."""


def unblock(sysfs: Path, adapter: str | None) -> list[str]:
    """Lift the soft blocks of rfkill: the adapter's own, and those of no single adapter.

    A hard block is a switch on the box: no program can lift it.
    """
    did, hard, seen = [], [], False
    for switch in sorted((sysfs / "class/rfkill").glob("rfkill*")):
        owner = _word(switch / "name")
        of_another = adapter is not None and owner != adapter and _is_adapter(owner)
        if _word(switch / "type") != "bluetooth" or of_another:
            continue
        seen = True
        if _word(switch / "soft") == "1":
            _write(switch / "soft", "0")
            did.append(f"unblocked {switch.name} ({owner})")
        if _word(switch / "hard") == "1":
            hard.append(f"{switch.name} ({owner})")
    if hard:
        raise Impossible(f"{', '.join(hard)}: blocked by a switch on the box")
    if not seen:
        raise Impossible(f"rfkill knows no Bluetooth radio{f' {adapter}' if adapter else ''}")
    return did or ["nothing was blocked"]


def power(sysfs: Path, adapter: str | None) -> list[str]:
    """Take the controller down and up, as the kernel's HCI sockets let root do it."""
    present = sorted(path.name for path in (sysfs / "class/bluetooth").glob("hci*") if _is_adapter(path.name))
    names = [adapter] if adapter else present
    if not names:
        raise Impossible("there is no controller")
    with _controllers() as controllers:
        for name in names:
            for request, verb in ((HCIDEVDOWN, "taken down"), (HCIDEVUP, "brought up")):
                try:
                    fcntl.ioctl(controllers, request, int(name[3:]))
                except OSError as error:
                    if error.errno != errno.EALREADY:
                        raise Impossible(f"{name} could not be {verb}: {error.strerror}") from error
    return [f"took {name} down and up" for name in names]


def rebind(sysfs: Path, adapter: str | None) -> list[str]:
    """Bind the radio's USB device anew, which resets it as if it were plugged out and in.

    Where the adapter is not there: every USB radio that should bear one and does not. Those that do are left alone.
    """
    devices = _usb_of(sysfs, adapter) or _bereft(sysfs)
    if not devices:
        raise Impossible("no USB Bluetooth radio is without its adapter; one that is soldered on cannot be bound anew")
    for device in devices:
        if (sysfs / "bus/usb/devices" / device / "driver").exists():
            _write(sysfs / "bus/usb/drivers/usb/unbind", device)
        _bind(sysfs / "bus/usb/drivers/usb/bind", device)
    return [f"bound USB device {device} anew" for device in devices]


STEPS = {"unblock": unblock, "power": power, "rebind": rebind}


def _controllers() -> socket.socket:
    try:
        return socket.socket(AF_BLUETOOTH, socket.SOCK_RAW, BTPROTO_HCI)
    except OSError as error:
        raise Impossible(f"this kernel has no Bluetooth sockets: {error.strerror}") from error


def _bind(bind: Path, device: str) -> None:
    for left in reversed(range(BINDS)):
        time.sleep(SETTLE_S)
        try:
            _write(bind, device)
        except Impossible:
            if not left:
                raise
        else:
            return


def _usb_of(sysfs: Path, adapter: str | None) -> list[str]:
    """The USB device whose interface the adapter is."""
    link = sysfs / "class/bluetooth" / (adapter or "none") / "device"
    found = re.fullmatch(r"(\d+-\d+(?:\.\d+)*):\d+\.\d+", link.resolve().name) if link.exists() else None
    return [found[1]] if found else []


def _bereft(sysfs: Path) -> list[str]:
    """USB radios without an adapter. One that is not bound has no interfaces to know it by, and only its own class."""
    devices = sysfs / "bus/usb/devices"
    radios = {
        path.name.partition(":")[0]
        for path in devices.glob("*-*")
        if _kind(path, "bInterface") == RADIO or _kind(path, "bDevice") == RADIO
    }
    return sorted(radio for radio in radios if not any(devices.glob(f"{radio}:*/bluetooth/hci*")))


def _kind(path: Path, of: str) -> tuple[str, ...]:
    return tuple(_word(path / f"{of}{part}") for part in ("Class", "SubClass", "Protocol"))


def _is_adapter(name: str) -> bool:
    return re.fullmatch(r"hci[0-9]{1,3}", name) is not None


def _word(path: Path) -> str:
    return path.read_text(encoding="ascii", errors="replace").strip() if path.exists() else ""


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="ascii")
    except OSError as error:
        raise Impossible(f"{path}: {error.strerror}") from error


def _asked(line: bytes) -> tuple[str, str | None]:
    """The step and the adapter of a request. Impossible where it is none."""
    if len(line) > LONGEST or not line.endswith(b"\n"):
        raise Impossible(f"not a line of at most {LONGEST} bytes")
    try:
        asked = json.loads(line)
    except ValueError as error:
        raise Impossible("not a line of JSON") from error
    if not isinstance(asked, dict) or set(asked) != {"step", "adapter"}:
        raise Impossible('not a request: {"step": …, "adapter": …}')
    step, adapter = asked["step"], asked["adapter"]
    if not isinstance(step, str) or step not in STEPS:
        raise Impossible(f"no such step; there are {', '.join(STEPS)}")
    if adapter is not None and not (isinstance(adapter, str) and _is_adapter(adapter)):
        raise Impossible("not an adapter; hci0, or null where none is known")
    return step, adapter


def main() -> int:
    options = argparse.ArgumentParser(description="One step to reset a Bluetooth radio, asked for on standard input.")
    options.add_argument("--sysfs", type=Path, default=Path("/sys"))
    sysfs = options.parse_args().sysfs
    line = sys.stdin.buffer.readline(LONGEST + 1)
    try:
        step, adapter = _asked(line)
        answer = {"ok": True, "did": STEPS[step](sysfs, adapter), "why": None}
    except (Impossible, OSError) as error:
        answer = {"ok": False, "did": [], "why": str(error)}
    sys.stderr.write(f"{line[:LONGEST].decode(errors='replace').strip()} -> {json.dumps(answer)}\n")
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
