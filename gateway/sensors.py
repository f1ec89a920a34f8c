"""What the box says of itself, read from the kernel and from files. A sensor may take its time."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from gateway.box import ENDS, HOT, Box, Certificate, Unseen, Zone
from gateway.config import Config
from gateway.disk import Disk
from gateway.health import Faults
from gateway.sinks.blocking import on_thread
from gateway.validity import validities

SYS = Path("/sys")
LOOK_S = 30.0


class Sensors:
    """`seen` is what the latest look found."""

    def __init__(self, config: Config, disk: Disk, faults: Faults) -> None:
        self._config, self._disk, self._faults = config, disk, faults
        self.seen = Box()

    async def run(self) -> None:
        """Look again and again until cancelled; a sensor that hangs holds up nothing else."""
        while True:
            await on_thread(self.look, lambda: None, "sensors")
            self.mind(datetime.now(UTC))
            await asyncio.sleep(LOOK_S)

    def look(self) -> None:
        """Blocking."""
        read = tuple(each for each in certificates(self._config) if isinstance(each, Certificate))
        self.seen = Box(thermometers(), self._disk.free, self._disk.size, read)

    def mind(self, now: datetime) -> None:
        """Begin and end the faults."""
        for each in self.seen.certificates:
            if each.ends <= now + ENDS:
                what = f"{each.where}: the certificate ends at {each.ends:%Y-%m-%d %H:%M} UTC"
                self._faults.begin("certificate_ends", each.where, what, "put a new one in its place")
            else:
                self._faults.end(each.where, "certificate_ends")
        hottest = self.seen.temperature
        if hottest is not None and hottest >= HOT:
            self._faults.begin("box_hot", "box", f"the box has {hottest:.0f} degrees Celsius", "give it air")
        else:
            self._faults.end("box", "box_hot")


def thermometers(sys: Path = SYS) -> tuple[Zone, ...]:
    """Those that answer."""
    found = []
    for zone in sorted(sys.glob("class/thermal/thermal_zone*")):
        try:
            name, millidegrees = (zone / "type").read_text("ascii").strip(), int((zone / "temp").read_text("ascii"))
        except (OSError, ValueError):  # a sensor that sleeps
            continue
        found.append(Zone(name, millidegrees / 1000))
    return tuple(found)


def certificates(config: Config) -> Iterator[Certificate | Unseen]:
    """Those that the configuration names. Of a chain what ends first counts, of authorities what ends last."""
    tls, influx = config.mqtt.tls, config.influx
    yield from _certificate("mqtt.tls.ca", tls.ca, authorities=True)
    yield from _certificate("mqtt.tls.certificate", tls.certificate, authorities=False)
    yield from _certificate("influx.ca", influx.ca if influx else None, authorities=True)


def _certificate(where: str, path: Path | None, *, authorities: bool) -> Iterator[Certificate | Unseen]:
    if path is None:
        return
    try:
        found = validities(path.read_text("ascii"))
    except OSError as error:
        yield Unseen(where, f"{path}: {error.strerror}")
    except ValueError as error:
        yield Unseen(where, f"{path}: {error}")
    else:
        if found:
            counts = (max if authorities else min)(found, key=lambda each: each.ends)
            yield Certificate(where, *counts)
        else:
            yield Unseen(where, f"{path}: there is no certificate in it")
