"""A machine without systemd, there in half the time: on a network, with two receivers and more disks than its own."""

import socket
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.machine import KERNEL, Machine

LOOPBACK = "10.0.2.2"
"""Where it finds the host's own loopback."""


class Bare(Machine):
    """`disks` are its vdb, vdc, …. Its receivers are /dev/ttyS1 and /dev/ttyS2: qemu's USB converter hangs the machine
    where much comes at once."""

    kernel = f"{KERNEL} begin=/usr/local/sbin/e2e-bare"

    def __init__(self, image: Path, share: Path, disks: Sequence[Path]) -> None:
        super().__init__(image, share)
        self._disks = disks

    def boot(self) -> float:
        taken = super().boot()
        self.second, self.reports = self._connected("second"), self._connected("reports")
        self.run("ip link set eth0 up; ip address add 10.0.2.15/24 dev eth0")
        return taken

    def _connected(self, name: str) -> socket.socket:
        line = super()._connected(name)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # it keeps little of what nobody listened to
        return line

    def _hardware(self) -> list[str]:
        drives = [f"file={disk},if=virtio,format=raw,cache=writeback,aio=threads" for disk in self._disks]
        return [
            "-serial", "chardev:receiver",
            "-chardev", f"socket,id=second,path={self._folder}/second,server=on,wait=off", "-serial", "chardev:second",
            # what a program in the machine has said, whatever becomes of the machine a moment later
            "-chardev", f"socket,id=reports,path={self._folder}/reports,server=on,wait=off",
            "-device", "virtserialport,chardev=reports,name=reports",
            "-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net",
            *(word for drive in drives for word in ("-drive", drive)),
        ]  # fmt: skip
