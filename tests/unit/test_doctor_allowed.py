"""What a user may do is what the kernel lets that user do: tried as somebody who is not root."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config import Config
from gateway.doctor import allowed
from gateway.doctor.allowed import Account, accesses, account, confidences, wanted
from gateway.doctor.facts import Confidence, Need

NOBODY = Account("nobody", 65534, 65534)
as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can try things as another user")


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that others can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


def may(who: Account, path: Path, need: Need) -> bool:
    (found,) = accesses(who, [(path, need)])
    assert (found.path, found.need, found.user) == (path, need, who.name)
    return found.allowed


@as_root
@pytest.mark.parametrize(
    ("mode", "owner", "group", "read", "write"),
    [
        (0o600, 0, 0, False, False),
        (0o604, 0, 0, True, False),
        (0o606, 0, 0, True, True),
        (0o600, 65534, 0, True, True),
        (0o640, 0, 65534, True, False),
        (0o060, 0, 4242, True, True),
        (0o200, 65534, 0, False, True),
    ],
)
def test_a_file_by_its_mode_and_owner(
    folder: Path, mode: int, owner: int, group: int, *, read: bool, write: bool
) -> None:
    file = folder / "a file"
    file.touch()
    os.chown(file, owner, group)
    file.chmod(mode)
    who = Account("nobody", 65534, 65534, (4242,))
    assert (may(who, file, Need.READ), may(who, file, Need.WRITE)) == (read, write)


@as_root
def test_a_folder_above_that_is_shut_hides_what_is_in_it(folder: Path) -> None:
    file = folder / "shut" / "file"
    file.parent.mkdir(mode=0o700)
    file.touch(mode=0o666)
    assert not may(NOBODY, file, Need.READ)
    assert may(Account("root", 0, 0), file, Need.READ)
    assert not may(NOBODY, folder / "absent", Need.READ)


def test_without_the_installed_user_it_is_whoever_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowed, "USER", "no-such-user")
    assert (account().uid, account().asked) == (os.geteuid(), True)
    monkeypatch.setattr(allowed, "USER", "nobody")
    monkeypatch.setattr(allowed, "GROUPS", ("dialout", "no-such-group"))
    assert account().name == "nobody"
    assert len(account().groups) == 2  # its own, and that of the serial ports


def test_what_the_daemon_wants_is_what_the_configuration_names(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("gateway.yaml", "devices.yaml", "ca.pem", "key", "token"):
        (folder / name).touch()
    config = Config.model_validate(
        {
            "station": "a",
            "data": folder / "data",
            "roster": folder / "devices.yaml",
            "mqtt": {
                "brokers": ["mqtts://b"],
                "password": {"file": folder / "absent"},
                "tls": {"ca": folder / "ca.pem"},
            },
            "fleet_key": {"file": folder / "key"},
            "influx": {"url": "http://a", "org": "o", "bucket": "b", "token": {"file": folder / "token"}},
            "serial": [{"port": "/dev/null"}, {"port": "socket://a:1"}, {"port": "/dev/absent"}],
        }
    )
    read = [folder / name for name in ("gateway.yaml", "devices.yaml", "ca.pem", "key", "token")]
    assert list(wanted(config, folder / "gateway.yaml")) == [
        *((path, Need.READ) for path in read), (folder, Need.WRITE), (Path("/dev/null"), Need.WRITE)
    ]  # fmt: skip
    (folder / "data").mkdir()
    (folder / "data" / "alert.db").touch()
    assert [path for path, need in wanted(config, read[0]) if need is Need.WRITE] == [
        folder / "data", folder / "data" / "alert.db", Path("/dev/null")
    ]  # fmt: skip
    monkeypatch.setattr(allowed, "STATE", config.data.parent / "usual")
    usual = config.model_copy(update={"data": config.data.parent / "usual"})
    assert [path for path, need in wanted(usual, read[0]) if need is Need.WRITE] == [Path("/dev/null")]
    (folder / "key").chmod(0o644)
    (folder / "token").chmod(0o600)
    assert list(confidences(config)) == [Confidence(folder / "key", 0o644), Confidence(folder / "token", 0o600)]
