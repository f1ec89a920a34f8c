"""One machine for all: built (or taken from the cache), booted, and given a station by its own install script."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.machine import Machine, machine
from tests.e2e.station import Station, staged

HERE = Path(__file__).parent
CONFIG = """
station: test-01
mqtt: {brokers: ["mqtt://127.0.0.1:1883"]}
health_every: 2s
alerts: {radio_down_after: 30s}
telemetry: {commit_every: 1s}
bluetooth:
  - {adapter: "F0:F0:F0:00:00:01", name: lobby, zone: lobby}
  - {adapter: "F0:F0:F0:00:00:02", name: garden, zone: garden, scan: passive}
serial:
  - {port: /dev/ttyUSB0, name: receiver}
profiles: profiles
local_alert:
  after: 1h
  actions:
    - name: bell
      timeout: 1min  # the emulated machine begins a process in 10 s of its processor
      command: {run: [/bin/sh, -c, 'test ! -r /var/lib/station-gateway && echo "$(id -un) for $STATION_GATEWAY_KIND"']}
    - {name: siren, timeout: 1min, serial: {port: /dev/siren, hold: 1s}}
    - {name: lamp, timeout: 1min, mqtt: {topic: lamp/set}}
    - {name: hung, timeout: 30s, command: {run: [/bin/sh, -c, "trap '' TERM; setsid sleep 600 & sleep 600"]}}
"""
PROFILE = """
profile: shy
about: A sensor that tells its battery only to whom it is bonded with
source: made for this test
bluetooth:
  services: [fff0]
  connect: {read: ["2a19"], poll: 20s, pair: true}
golden:
  - {name: battery, characteristic: {uuid: "2a19", payload: "58"}, values: {battery_level: 88}}
"""
WEARABLES = 100


@pytest.fixture(scope="session")
def image() -> Path:
    """The image's folder, made anew where what it is made of has changed."""
    made_of = (HERE / "image.sh").read_bytes() + (HERE / "guest/agent.py").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "station-gateway-e2e"
    folder = cache / hashlib.sha256(made_of).hexdigest()[:16]
    if not folder.exists():
        shutil.rmtree(cache, ignore_errors=True)
        building = cache / "building"
        subprocess.run(["bash", str(HERE / "image.sh"), str(building)], check=True, stdout=sys.__stderr__)
        building.rename(folder)
    return folder


@pytest.fixture(scope="session")
def guest(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    share = tmp_path_factory.mktemp("share")
    shutil.copytree(HERE / "guest", share / "guest")
    staged(share / "first")
    with machine(image, share) as booted:
        yield booted


@pytest.fixture(scope="session")
def station(guest: Machine) -> Station:
    """A station as a technician leaves it: installed, configured, enabled; its wearables are on the air.

    One for all tests, in the order in which they stand: by their files' names, and the last takes it away.
    """
    made = Station(guest)
    made.begin_broker()
    guest.run("systemctl start bluetooth")
    begun = time.monotonic()
    installed = made.install("first")
    print(f"installed in {time.monotonic() - begun:.1f} s", flush=True)
    assert "Now write /etc/station-gateway/gateway.yaml" in installed.output
    assert guest.ask("systemctl is-active station-gateway").output.strip() == "inactive"
    made.begin_world(WEARABLES)
    made.configure(CONFIG, PROFILE, WEARABLES + 1)  # the last of them is only heard by the serial receiver
    guest.run("systemctl enable --quiet --now station-gateway")
    made.wait(made.hears)
    return made
