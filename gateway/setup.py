"""From gateway.yaml to everything the daemon is started with, or to everything that is wrong with it."""

import importlib.util
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path
from stat import S_ISDIR
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from pydantic import BaseModel

from drivers.framing import Framing, joined
from drivers.marked import Document, Problem, Refused, Where, read
from drivers.registry import Profiles
from drivers.validated import validated
from gateway.actions import LocalAlert
from gateway.codes import load_codes
from gateway.config import Config
from gateway.contract import Codes
from gateway.keys import load_keys
from gateway.roster import Roster, load_roster
from gateway.sections import CREDENTIALS, Secret

T = TypeVar("T")
ROSTER = str(Config.model_fields["roster"].default)
OPTIONAL = (("influx", "InfluxDB", "influxdb_client"), ("metrics", "Prometheus", "prometheus_client"))
"""Sections that want a part of their own: what it is for, and the library that it brings."""
Finding = tuple[Where, str, str]
"""Where, what is wrong, what would be right."""


class Setup(msgspec.Struct, frozen=True):
    """Everything a daemon is started with."""

    config: Config
    roster: Roster
    profiles: Profiles
    codes: Mapping[str, Codes] = MappingProxyType({})
    """The station's own, by kind of alert."""
    doubts: tuple[Problem, ...] = ()
    """What cannot be right, and yet must not keep alerts from being carried."""


def load_all(path: Path, *, bench: bool = False) -> Setup:
    """Read gateway.yaml and all it names. Refused: with every problem of every file at once.

    The `bench` does without the files of secrets: outside of the daemon's unit they may not be there.
    """
    document = read(path)
    problems: list[Problem] = []
    config = _tried(lambda: _resolved(validated(document, Config), path.parent), problems)
    if config is not None:
        found = _doubled(config) if bench else _amiss(config)
        problems += [Problem(document.mark(where), what, cure) for where, what, cure in found]
    devices = _named(document, "roster", ROSTER)
    roster = _tried(partial(load_roster, devices), problems) if devices else None
    if config is not None and config.keys is not None:
        keys = _tried(partial(_keys, config.keys, roster), problems) or {}
        roster = Roster(roster.devices, keys) if roster is not None else None
    own, key_of = _named(document, "profiles"), (roster or Roster(())).key_of
    profiles = _tried(partial(Profiles.load, *([own] if own else []), key_of=key_of), problems)
    if config is not None and profiles is not None:
        problems += [Problem(document.mark(where), what, cure) for where, what, cure in _unknown(config, profiles)]
        if roster is not None:
            found = _unordered(config, roster, profiles)
            problems += [Problem(document.key_mark(where), what, cure) for where, what, cure in found]
    codes = _tried(partial(load_codes, config.alerts.codes), problems) if config and config.alerts.codes else {}
    if problems or config is None or roster is None or profiles is None or codes is None:
        raise Refused(tuple(problems))
    doubts = (Problem(document.mark(where), what, cure) for where, what, cure in _absent(config.local_alert))
    return Setup(config, roster, profiles, codes, tuple(doubts))


def load_config(path: Path) -> Config:
    """Read gateway.yaml alone, without what it names. Refused: with every problem of it at once."""
    return _resolved(validated(read(path), Config), path.parent)


def warnings(config: Config) -> list[str]:
    """What works and is nevertheless not as it should be on a station."""
    found = []
    if config.fleet_key is None:
        what = "fleet_key is not set: that two stations heard the same press cannot be told by its key"
        found.append(f"{what}; give all stations the same one, such as fleet_key: {{credential: fleet-key}}")
    if not config.local_alert.actions:
        what = "local_alert.actions is not set: nobody at the station is told of an alert that no one accepts"
        found.append(f"{what}, nor while no broker is reachable; write what is to be done, such as a siren")
    unstable = [link.port for link in config.serial if re.fullmatch(r"/dev/tty(USB|ACM)\d+", link.port)]
    found += [f"serial port {port} may change its number; use its path below /dev/serial/by-id/" for port in unstable]
    if len(config.bluetooth) > 1:
        unstable = [link.adapter for link in config.bluetooth if link.adapter.startswith("hci")]
        found += [f"Bluetooth adapter {name} may be another one after a reboot; use its address" for name in unstable]
    found += [f"{link.link} is for trials: what it plays is taken for real presses" for link in config.replay]
    for broker in config.mqtt.brokers:
        if _in_the_open(broker, "mqtt"):
            found.append(f"{broker} is not encrypted; use mqtts:// for a broker that is not on this box")
    if config.influx is not None and _in_the_open(config.influx.url, "http"):
        found.append(f"{config.influx.url} is not encrypted; use https:// for a database that is not on this box")
    return found


def _in_the_open(address: str, plain: str) -> bool:
    """Whether what goes there leaves this box unencrypted."""
    url = urlsplit(address)
    return url.scheme == plain and url.hostname not in ("localhost", "127.0.0.1", "::1")


def _named(document: Document, key: str, default: str | None = None) -> Path | None:
    """The path under a key at the top, right or wrong as the rest may be, so that what it names is read as well."""
    value = document.value.get(key, default) if isinstance(document.value, dict) else default
    usable = isinstance(value, str) and value and "\0" not in value
    return document.path.parent.absolute() / str(value) if usable else None


def _tried(work: Callable[[], T], problems: list[Problem]) -> T | None:
    try:
        return work()
    except Refused as refused:
        problems += refused.problems
        return None


def _keys(kept: Secret, roster: Roster | None) -> dict[str, bytes]:
    """The keys of devices; none where their file cannot be read, which is told where it is named."""
    if _unreadable(kept.path) is not None:
        return {}
    return load_keys(kept.path, {device.id for device in roster.devices} if roster else None)


def _unknown(config: Config, profiles: Profiles) -> Iterator[Finding]:
    """Profiles that there are not; of serial links also those without a serial side, and lines cut in several ways."""
    for name in config.trust:
        if name not in profiles.names:
            yield ("trust", name), f"no profile is called {name!r}", f"known are {', '.join(profiles.names)}"
    for index, link in enumerate(config.serial):
        where = ("serial", index, "profile")
        framings: dict[str, Framing] = {}
        for name in link.profile:
            if name not in profiles.names:
                yield where, f"no profile is called {name!r}", f"known are {', '.join(profiles.names)}"
                continue
            try:
                framings[name] = profiles.framing(name)
            except KeyError:
                yield where, f"the profile {name!r} has no serial side", "name one that states a framing"
        for first, other in pairwise(framings):
            if joined([framings[first], framings[other]]) is None:
                what = f"the profile {other!r} cuts the line into frames in another way than {first!r}"
                yield where, what, "name profiles of one framing, and give the others a receiver of their own"


def _unordered(config: Config, roster: Roster, profiles: Profiles) -> Iterator[Finding]:
    """Services that are called otherwise here, and that no key orders."""
    keys = (meaning.service for device in roster.devices for meaning in device.buttons.values())
    known = {each for name in profiles.names for each in profiles[name].services} | set(filter(None, keys))
    for service in sorted(config.services.keys() - known):
        yield ("services", service), f"no key orders {service!r}", f"known are {', '.join(sorted(known))}"


def _amiss(config: Config) -> Iterator[Finding]:
    yield from _missing(config)
    if _is_no_folder(config.data):
        yield ("data",), f"{config.data} is not a folder", "name a folder; it is made where there is none"
    for section, of, library in OPTIONAL:
        if getattr(config, section) is not None and importlib.util.find_spec(library) is None:
            cure = f"run install.sh again, which adds it now; elsewhere pip install 'station-gateway[{section}]'"
            yield (section,), f"the optional part for {of} is not installed", cure
    yield from _doubled(config)
    yield from _disputed(config)


def _disputed(config: Config) -> Iterator[Finding]:
    """Names of actions that mean two of them, and ports that a receiver and an action want."""
    ports = [link.port for link in config.serial]
    for index, action in enumerate(config.local_alert.actions):
        where = ("local_alert", "actions", index)
        if config.local_alert.action(action.name) is not action:
            yield (*where, "name"), f"another action is called {action.name} already", "give it a name of its own"
        if action.serial is not None and action.serial.port in ports:
            cure = "put the siren on a port of its own: a receiver's is held by the daemon"
            yield (*where, "serial", "port"), "a receiver is at this port", cure


def _absent(local: LocalAlert) -> Iterator[Finding]:
    """Programs of actions that there are not."""
    for index, action in enumerate(local.actions):
        program = action.command.run[0] if action.command else None
        if program is not None and shutil.which(program) is None:
            cure = "put it in place, executable for the user station-gateway-act, or correct the path"
            yield ("local_alert", "actions", index, "command", "run", 0), f"{program} is no program", cure


def _resolved(config: Config, folder: Path) -> Config:
    """Every relative path, seen from the file's folder."""
    base = folder.absolute()

    def seen(part: Any) -> Any:
        match part:
            case Path():
                return base / part
            case BaseModel():
                return part.model_copy(update={name: seen(getattr(part, name)) for name in type(part).model_fields})
            case tuple():
                return tuple(seen(inner) for inner in part)
            case _:
                return part

    resolved: Config = seen(config)
    return resolved


def _missing(config: Config) -> Iterator[Finding]:
    """Files that the configuration names and that cannot be read."""
    mqtt, tls = config.mqtt, config.mqtt.tls
    named: list[tuple[Where, Path | Secret | None]] = [
        (("mqtt", "password"), mqtt.password),
        (("fleet_key",), config.fleet_key),
        (("keys",), config.keys),
        (("mqtt", "tls", "ca"), tls.ca),
        (("mqtt", "tls", "certificate"), tls.certificate),
        (("mqtt", "tls", "key"), tls.key),
    ]
    if config.influx is not None:
        named += [(("influx", "token"), config.influx.token), (("influx", "ca"), config.influx.ca)]
    for where, kept in named:
        path = kept.path if isinstance(kept, Secret) else kept
        what = _unreadable(path) if path is not None else None
        if what is not None:
            yield where, f"{path}: {what}", _put_in_place(kept)


def _is_no_folder(path: Path) -> bool:
    try:
        return not S_ISDIR(path.stat().st_mode)
    except OSError:  # not there yet, or not ours to see
        return False


def _put_in_place(kept: Path | Secret | None) -> str:
    if isinstance(kept, Secret) and kept.credential:
        return f"put it into {CREDENTIALS}/{kept.credential}, readable for root alone; only root can check it"
    return "put it in place, readable for the gateway's user, or correct the path"


def _unreadable(path: Path) -> str | None:
    """What is wrong with a file that the configuration names."""
    try:
        content = path.read_bytes()
        content.decode("utf-8")
    except OSError as error:
        return (error.strerror or "cannot be read").lower()
    except UnicodeDecodeError:
        return "is not UTF-8"
    return None if content.strip() else "is empty"


def _doubled(config: Config) -> Iterator[Finding]:
    """Links that cannot be told apart."""
    seen: set[str] = set()
    for section in ("serial", "bluetooth", "replay"):
        for index, link in enumerate(getattr(config, section)):
            if link.link in seen:
                cure = "give one of them a name: of its own"
                yield (section, index), f"another link is called {link.link} already", cure
            seen.add(link.link)
    adapters = [link.adapter.lower() for link in config.bluetooth]
    for index, adapter in enumerate(adapters):
        if adapter in adapters[:index]:
            yield ("bluetooth", index, "adapter"), "this adapter is named above already", "name each adapter once"
