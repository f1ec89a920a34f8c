"""Finds out what the daemon's user may do, by asking the kernel as that user. Blocking."""

import grp
import os
import pwd
import stat
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from gateway.config import Config
from gateway.doctor.facts import Access, Confidence, Need
from gateway.doctor.judge_box import STATE
from gateway.doctor.machine import files
from gateway.sections import Secret

USER = "station-gateway"
GROUPS = ("dialout", "bluetooth")
"""What the unit adds to the user's own, as SupplementaryGroups=."""


class Account(msgspec.Struct, frozen=True):
    """Whom the daemon runs as."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...] = ()

    @property
    def asked(self) -> bool:
        """Whether we can try things as that user."""
        return os.geteuid() in (0, self.uid)


def account() -> Account:
    """The installed one's; where there is none, whoever asks."""
    try:
        entry = pwd.getpwnam(USER)
    except KeyError:
        uid = os.geteuid()
        return Account(_name(uid), uid, os.getegid(), tuple(os.getgroups()))
    added = {group.gr_gid for group in grp.getgrall() if group.gr_name in GROUPS}
    groups = {*os.getgrouplist(USER, entry.pw_gid), *added}
    return Account(USER, entry.pw_uid, entry.pw_gid, tuple(sorted(groups)))


def accesses(who: Account, wanted: Iterable[tuple[Path, Need]]) -> Iterator[Access]:
    """Whether `who` may do all that."""
    for path, need in wanted:
        yield Access(path, need, who.name, _may(who, path, need))


def wanted(config: Config, file: Path) -> Iterator[tuple[Path, Need]]:
    """What the daemon does with which files. One that is not there is not denied: that is found elsewhere."""
    tls, influx = config.mqtt.tls, config.influx
    named = [file, config.roster, config.profiles, config.alerts.codes, tls.ca, tls.certificate, tls.key]
    named += [secret.file for secret in secrets(config)]
    named += [influx.ca] if influx is not None else []
    yield from ((path, Need.READ) for path in named if path is not None and _there(path))
    yield from ((path, Need.WRITE) for path in (_data(config.data),) if path is not None)
    yield from ((path, Need.WRITE) for path in files(config.data))
    ports = (Path(link.port) for link in config.serial if link.port.startswith("/"))
    yield from ((port, Need.WRITE) for port in ports if _there(port))


def _data(folder: Path) -> Path | None:
    """Where the data folder is, or is to be made by the daemon; its usual one is made by systemd."""
    if folder == STATE and not _there(folder):
        return None
    return next(each for each in (folder, *folder.parents) if _there(each))


def _there(path: Path) -> bool:
    """Also where we may not see it: then nobody else of our rights may."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def secrets(config: Config) -> list[Secret]:
    token = config.influx.token if config.influx is not None else None
    return [each for each in (config.mqtt.password, config.fleet_key, config.keys, token) if each is not None]


def confidences(config: Config) -> Iterator[Confidence]:
    """The files with secrets, as far as they are there."""
    key = config.mqtt.tls.key
    for path in [secret.path for secret in secrets(config)] + ([key] if key is not None else []):
        try:
            yield Confidence(path, stat.S_IMODE(path.stat().st_mode))
        except OSError:  # not there, or not ours to see: told where it is named
            continue


def _may(who: Account, path: Path, need: Need) -> bool:
    if who.uid == os.geteuid():
        return os.access(path, os.R_OK if need is Need.READ else os.W_OK, effective_ids=True)
    tried = ["test", f"-{need.value}", str(path)]
    groups = list(who.groups)
    return not subprocess.run(tried, user=who.uid, group=who.gid, extra_groups=groups, check=False).returncode  # noqa: S603


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"
