"""`python delay.py DEVICE SECONDS`: a tun device that gives each packet back after a time. Says `ready` when it does.

The kernels of our machines have no netem.
"""

import fcntl
import os
import select
import struct
import sys
import time
from collections import deque

TUNSETIFF = 0x400454CA
TUN, BARE = 0x0001, 0x1000
PACKET_MAX = 65_536


def delay(device: str, seconds: float) -> None:
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", device.encode(), TUN | BARE))
    print("ready", flush=True)
    under_way: deque[tuple[float, bytes]] = deque()
    while True:
        left = max(0.0, under_way[0][0] - time.monotonic()) if under_way else None
        if select.select([tun], [], [], left)[0]:
            under_way.append((time.monotonic() + seconds, os.read(tun, PACKET_MAX)))
        while under_way and under_way[0][0] <= time.monotonic():
            os.write(tun, under_way.popleft()[1])


if __name__ == "__main__":
    delay(sys.argv[1], float(sys.argv[2]))
