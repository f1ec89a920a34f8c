"""A line between a station and its broker, of the kernel's own pieces: slow, far, lossy, or silently dead.

    namespace of the station  near ---- near  router's namespace  wide ---- wide-N  ours, with the brokers

The router loses packets by nft and has a queue for each way by tbf; what it drops it tells nobody. TCP at both ends is
the kernel's, so that what is lost comes again as it does on a real line.
"""

import ipaddress
import itertools
import os
import shlex
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import pytest

from tests.support.processes import end

QUEUE = 64 << 10
"""Bytes that wait for a slow way at most: modems have deep queues."""
BURST = 1_600
CONTROL = "reno"
"""TCP's: every namespace may have it, and at windows as small as these Debian's cubic does the same."""
NOWHERE = "203.0.113.53"
"""What is sent there is never heard of again."""
_numbers = itertools.count(os.getpid() << 4)
_nets = ipaddress.ip_network("198.18.0.0/15")

RULES = """
table ip line {{
    set silent {{ type inet_service; }}
    chain passing {{
        type filter hook forward priority 0;
        tcp dport @silent drop
        tcp sport @silent drop
        oifname != "far" numgen random mod 100 < {loss} drop
    }}
}}
"""


class Line:
    """`rate` in bits a second and `delay_s`, each way; `loss` in percent of packets. Brokers listen at `address`.

    `names` is the name server that the station asks.
    """

    def __init__(self, *, rate: int = 0, delay_s: float = 0.0, loss: int = 0, names: str | None = None) -> None:
        number = next(_numbers) % (1 << 14)
        self._rate, self._delay_s, self._loss, self._names = rate, delay_s, loss, names
        self._station, self._router, self._wide = f"station-{number}", f"router-{number}", f"wide-{number}"
        net = int(_nets[number << 3])
        self._beyond = f"{ipaddress.ip_address(net + 4)}/30"
        self.address, self._gate, self._door, self._box = (str(ipaddress.ip_address(net + at)) for at in (1, 2, 5, 6))
        self.enter = ["ip", "netns", "exec", self._station]
        """Before a command that is to run at the station."""
        self._open = ExitStack()

    def __enter__(self) -> Self:
        tried = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True, check=False)
        if tried.returncode:
            pytest.skip(f"no network namespace can be made here: {tried.stderr.strip()}")
        with ExitStack() as opening:
            for name in (self._station, self._router):
                _run(f"ip netns add {name}")
                opening.callback(_run, f"ip netns delete {name}")
            self._join(opening)
            self._at_router("nft -f -", RULES.format(loss=self._loss))
            if self._rate:
                for way in ("near", "wide"):
                    self._at_router(f"tc qdisc add dev {way} root tbf rate {self._rate} burst {BURST} limit {QUEUE}")
            if self._delay_s:
                self._delay(opening)
            if self._names:
                own = Path("/etc/netns", self._station)
                own.mkdir(parents=True)
                opening.callback(shutil.rmtree, own)
                (own / "resolv.conf").write_text(f"nameserver {self._names}\n")
            self._open = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def silence(self, port: int) -> None:
        """From here on nothing passes to or from the broker of this port, and nothing ends."""
        self._at_router(f"nft add element ip line silent '{{ {port} }}'")

    def speak(self) -> None:
        """All goes on."""
        self._at_router("nft flush set ip line silent")

    def _join(self, opening: ExitStack) -> None:
        station, router = f"-n {self._station}", f"-n {self._router}"
        _run(f"ip {station} link add near type veth peer name near netns {self._router}")
        _run(f"ip link add {self._wide} type veth peer name wide netns {self._router}")
        for where, device, address in (
            (station, "near", self._box),
            (router, "near", self._door),
            (router, "wide", self._gate),
            ("", self._wide, self.address),
        ):
            _run(f"ip {where} addr add {address}/30 dev {device}")
            _run(f"ip {where} link set {device} up")
        opening.callback(_run, f"ip link delete {self._wide}")
        _run(f"ip {station} link set lo up")
        _run(f"ip {station} route add default via {self._door}")
        _run(f"ip route add {self._beyond} via {self._gate}")
        _run(shlex.join([*self.enter, "sh", "-c", f"echo {CONTROL} > /proc/sys/net/ipv4/tcp_congestion_control"]))
        self._at_router("sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'")
        self._at_router(f"ip route add blackhole {NOWHERE}")

    def _delay(self, opening: ExitStack) -> None:
        """What comes in goes to a tun, and what that gives back goes out."""
        self._at_router("ip tuntap add dev far mode tun")
        self._at_router("ip link set far up")
        self._at_router("ip route add default dev far table 9")
        for way in ("near", "wide"):
            self._at_router(f"ip rule add iif {way} table 9")
        command = ["ip", "netns", "exec", self._router, sys.executable, str(Path(__file__).with_name("delay.py"))]
        process = subprocess.Popen([*command, "far", str(self._delay_s)], stdout=subprocess.PIPE)
        opening.callback(end, process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"

    def _at_router(self, command: str, given: str = "") -> None:
        _run(f"ip netns exec {self._router} {command}", given)


def _run(command: str, given: str = "") -> None:
    done = subprocess.run(shlex.split(command), input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr}"
