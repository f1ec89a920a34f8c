"""From the configuration, and what the daemon says, to everything that is found: each part is looked at and judged."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from drivers.ble.reset import SOCKET as RESET
from drivers.marked import Refused
from drivers.registry import Profiles
from gateway.box import Unseen
from gateway.config import Config
from gateway.doctor import allowed, judge_box, judge_links, machine, ports, radios, uplinks
from gateway.doctor.facts import Need, Socket, Unit, Welcome
from gateway.doctor.findings import Finding, Sign
from gateway.doctor.ports import Held
from gateway.doctor.standing import Daemon, NoDaemon
from gateway.sensors import certificates, thermometers
from gateway.setup import load_all, load_config, warnings
from gateway.summons import UNIT as ACT

SERVICE = "station-gateway.service"
DATA: Path = Config.model_fields["data"].default


class Station(msgspec.Struct, frozen=True):
    """What is examined. `profiles` are those that somebody means to be heard by."""

    file: Path
    config: Config
    profiles: tuple[str, ...] = ()


async def examine(file: Path, daemon: Daemon | NoDaemon) -> list[Finding]:
    """Everything, by part; a configuration that is refused leaves what needs none."""
    station, found = configuration(file)
    time, unit = machine.time(station.config.data if station else DATA), machine.unit(SERVICE)
    found += [*judge_box.time(time), *judge_box.temperature(thermometers()), *judge_box.unit(unit)]
    if station is not None:
        found += [*_disk(station), *_permissions(station, unit), *_ways(station, daemon)]
        found += await _bluetooth(station, daemon)
        found += await _brokers(station, time.now)
    found += judge_links.daemon(daemon)
    if isinstance(daemon, Daemon):
        found += judge_links.links(daemon, station.profiles if station else ())
    return sorted(found, key=lambda finding: finding.sign.part.place)


def configuration(file: Path) -> tuple[Station | None, list[Finding]]:
    """As `check` tells it; the file itself is used further even where what it names is wrong."""
    try:
        setup = load_all(file)
    except Refused as refused:
        wrong = [Finding(Sign.CONFIG_WRONG, str(each.mark), each.what, cure=each.cure) for each in refused.problems]
        try:
            return Station(file, load_config(file)), wrong
        except Refused:
            return None, wrong
    told = [Finding(Sign.CONFIG_GOOD, str(file), setup.config.station, str(len(setup.roster.devices)))]
    told += [Finding(Sign.CONFIG_DOUBTFUL, str(each.mark), each.what, cure=each.cure) for each in setup.doubts]
    for warning in warnings(setup.config):
        what, _, cure = warning.partition("; ")
        told.append(Finding(Sign.CONFIG_DOUBTFUL, str(file), what, cure=cure))
    return Station(file, setup.config, _meant(setup.config, setup.profiles)), told


def _meant(config: Config, profiles: Profiles) -> tuple[str, ...]:
    """The station's own profiles, and those that its serial receivers speak."""
    own = set(profiles.names) - set(Profiles.load().names) if config.profiles is not None else set()
    return tuple(sorted(own | {name for link in config.serial for name in link.profile}))


def _disk(station: Station) -> Iterator[Finding]:
    yield from judge_box.disk(machine.disk(station.config))
    worn = machine.wear(station.config.data)
    if worn is not None:
        yield from judge_box.wear(worn)


def _permissions(station: Station, unit: Unit | Unseen) -> Iterator[Finding]:
    who, config = allowed.account(), station.config
    wanted = list(allowed.wanted(config, station.file))
    if who.asked:
        secrets = allowed.confidences(config)
        yield from judge_box.permissions(who.name, allowed.accesses(who, wanted), secrets)
    else:
        yield Finding(Sign.NOT_ROOT, found=who.name)
    yield from judge_box.sandbox(unit, config.data, (path for path, need in wanted if need is Need.READ))


def _ways(station: Station, daemon: Daemon | NoDaemon) -> Iterator[Finding]:
    """The sockets of what the daemon may not do itself, and the receivers' ports."""
    config = station.config
    if config.local_alert.actions:
        path = config.local_alert.socket
        yield from judge_box.socket(Socket(f"{ACT}.socket", path, path.is_socket()))
    if config.bluetooth:
        yield from judge_box.socket(Socket("station-gateway-reset.socket", RESET, RESET.is_socket()))
    for link in config.serial:
        yield from judge_links.port(ports.port(link, _held(link.link, daemon)))


def _held(link: str, daemon: Daemon | NoDaemon) -> Held:
    if isinstance(daemon, NoDaemon):
        return Held.NO
    return Held.OPEN if link in daemon.links and daemon.links[link].up else Held.WANTED


async def _bluetooth(station: Station, daemon: Daemon | NoDaemon) -> list[Finding]:
    """Each adapter; of two that say the same of bluetoothd one does."""
    found: list[Finding] = []
    for link in station.config.bluetooth:
        told = judge_links.adapter(await radios.adapter(link.adapter), used=isinstance(daemon, Daemon))
        found += [each for each in told if each not in found]
    return found


async def _brokers(station: Station, now: datetime) -> list[Finding]:
    """Each broker, and all certificates: those that the configuration names, and those that brokers show."""
    received = await uplinks.brokers(station.config)
    shown = [each.certificate for each in received if isinstance(each, Welcome) and each.certificate is not None]
    found = list(judge_links.brokers(received))
    for certificate in (*certificates(station.config), *shown):
        found += judge_links.certificate(certificate, now)
    return found
