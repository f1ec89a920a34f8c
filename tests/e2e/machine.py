"""A virtual machine on a throw-away disk: booted, asked, cut from its power, and never left running."""

import atexit
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

BOOT_S = 240
"""About 15 s on an idle core under emulation."""
KERNEL = (
    "console=ttyS0 quiet panic=-1 mitigations=off nokaslr random.trust_cpu=on tsc=reliable no_timer_check "
    "net.ifnames=0 audit=0 systemd.show_status=0 systemd.default_timeout_start_sec=240"
)
_running: set["Machine"] = set()


class Failed(AssertionError):
    """A command in the machine did not end well; says what it printed."""


class Done(NamedTuple):
    code: int
    output: str


class Machine:
    """`image` is the folder that image.sh filled; `share` is what the machine sees, read-only, as /mnt/share."""

    kernel = KERNEL

    def __init__(self, image: Path, share: Path, *, memory_mb: int = 768) -> None:
        self.share = share
        self._image, self._memory_mb = image, memory_mb
        self._folder = Path(tempfile.mkdtemp(prefix="station-e2e-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: dict[int, Done] = {}
        self._news = threading.Condition()
        self._there = False
        self._asked = 0
        _end_with_us()
        disk = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(image / "root.img"), str(self._disk)]
        subprocess.run(disk, check=True)

    def boot(self) -> float:
        """Start it and wait until it answers; the seconds that took."""
        begun = time.monotonic()
        self._there = False
        _running.add(self)
        with (self._folder / "qemu.log").open("ab") as said:
            self._process = subprocess.Popen(self._command(), stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        self._control, self.receiver = self._connected("control"), self._connected("receiver")
        threading.Thread(target=self._listen, args=(self._control,), daemon=True).start()
        with self._news:
            if not self._news.wait_for(lambda: self._there or not self._alive, BOOT_S) or not self._there:
                raise Failed(f"the machine did not boot:\n{self._said('console.log')}\n{self._said('qemu.log')}")
        self.run("mkdir -p /mnt/share; mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=262144 share /mnt/share")
        self.run("ip link set lo up")
        return time.monotonic() - begun

    def ask(self, command: str, timeout: float = 120) -> Done:
        """Run a shell command as root; how it ended."""
        with self._news:
            self._asked += 1
            number = self._asked
            asked = json.dumps({"id": number, "command": command, "timeout": timeout})
            self._control.sendall(asked.encode() + b"\n")
            if not self._news.wait_for(lambda: number in self._answers or not self._alive, timeout + 30):
                raise Failed(f"no answer: {command}\n{self._said('console.log')}")
            if number not in self._answers:
                raise Failed(f"the machine is gone: {command}\n{self._said('console.log')}")
            return self._answers.pop(number)

    def run(self, command: str, timeout: float = 120) -> str:
        """What the command printed. Failed where it ended otherwise than with 0."""
        done = self.ask(command, timeout)
        if done.code != 0:
            raise Failed(f"{command}\nended with {done.code}:\n{done.output}")
        return done.output

    def cut_power(self) -> None:
        """As if the plug were pulled: what was not on the disk is gone."""
        self._kill(signal.SIGKILL)

    def close(self) -> None:
        self._kill(signal.SIGKILL)
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def _disk(self) -> Path:
        return self._folder / "disk.qcow2"

    def _kill(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
        _running.discard(self)

    def _command(self) -> list[str]:
        folder = self._folder
        return [
            "setpriv", "--pdeathsig", "KILL",  # even where nobody is left to end it
            "qemu-system-x86_64", "-accel", "tcg,thread=multi,tb-size=512", "-cpu", "max", "-M", "q35", "-smp", "2",
            "-m", str(self._memory_mb), "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-kernel", str(self._image / "vmlinuz"), "-initrd", str(self._image / "initrd.gz"), "-append", self.kernel,
            "-serial", f"file:{folder}/console.log",
            # a flush in the machine is an fsync here, and what was not flushed dies with it
            "-drive", f"file={self._disk},if=none,id=disk,format=qcow2,cache=writeback,aio=threads",
            "-device", "virtio-blk-pci,drive=disk", "-device", "virtio-rng-pci", "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=control,path={folder}/control,server=on,wait=off",
            "-device", "virtserialport,chardev=control,name=control",
            "-chardev", f"socket,id=receiver,path={folder}/receiver,server=on,wait=off",
            "-fsdev", f"local,id=share,path={self.share},security_model=none,readonly=on",
            "-device", "virtio-9p-pci,fsdev=share,mount_tag=share",
            *self._hardware(),
        ]  # fmt: skip

    def _hardware(self) -> list[str]:
        """A receiver on USB, an FTDI as they have; it stays plugged in while nobody speaks for it."""
        return ["-device", "qemu-xhci", "-device", "usb-serial,chardev=receiver,always-plugged=on"]

    def _connected(self, name: str) -> socket.socket:
        for _ in range(400):
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(str(self._folder / name))
            except OSError:
                connection.close()
                if not self._alive:
                    break
                time.sleep(0.05)
            else:
                return connection
        raise Failed(f"qemu did not start:\n{self._said('qemu.log')}")

    def _listen(self, control: socket.socket) -> None:
        with contextlib.suppress(OSError), control.makefile("rb") as lines:
            for line in lines:
                told: dict[str, Any] = json.loads(line)
                with self._news:
                    if told["id"] == 0:
                        self._there = True
                    else:
                        self._answers[told["id"]] = Done(told["code"], told["output"])
                    self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def _said(self, name: str) -> str:
        path = self._folder / name
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""


def kill_all() -> None:
    """No machine outlives whoever started it."""
    for machine in list(_running):
        machine.close()


def _end_with_us() -> None:
    """Machines end with this process, on SIGTERM as well; pytest itself sees to SIGINT."""
    if threading.current_thread() is not threading.main_thread() or _ended in _registered:
        return
    _registered.append(_ended)
    atexit.register(kill_all)
    signal.signal(signal.SIGTERM, _ended)


_registered: list[Any] = []


def _ended(number: int, _: object) -> None:
    kill_all()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


@contextlib.contextmanager
def machine(image: Path, share: Path) -> Iterator[Machine]:
    """A machine that has booted."""
    made = Machine(image, share)
    try:
        print(f"the machine has booted in {made.boot():.1f} s", flush=True)
        yield made
    finally:
        made.close()
