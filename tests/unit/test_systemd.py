"""systemd/: the units, what installs them and what the daemon takes for granted fit each other."""

import os
import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from drivers.ble import reset
from gateway import actions, summons
from gateway.cli import main
from gateway.config import Config
from gateway.sections import CREDENTIAL_FOLDER, CREDENTIALS

FOLDER = Path(__file__).parents[2] / "systemd"
INSTALL = (FOLDER / "install.sh").read_text(encoding="utf-8")
SERVICE, SOCKET, RESET = "station-gateway.service", "station-gateway-reset.socket", "station-gateway-reset@.service"
ASKED, ACT = "station-gateway-act.socket", "station-gateway-act@.service"
MOST = 2.0
"""The exposure that `systemd-analyze security` may find."""
analysed = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


def unit(name: str) -> dict[str, list[str]]:
    """Every value of each key, in its order."""
    found = defaultdict(list)
    for key, value in re.findall(r"^(\w+)=(.*)$", (FOLDER / name).read_text(encoding="utf-8"), re.MULTILINE):
        found[key].append(value)
    return found


def only(name: str, key: str) -> str:
    (value,) = unit(name)[key]
    return value


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """A root folder with the units, and something to execute where they name it."""
    units = tmp_path / "etc/systemd/system"
    units.mkdir(parents=True)
    for name in (SERVICE, SOCKET, RESET, ASKED, ACT):
        shutil.copy(FOLDER / name, units)
        for command in unit(name)["ExecStart"]:
            program = tmp_path / command.split()[0].lstrip("/")
            program.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy("/bin/true", program)
    return tmp_path


def analyse(*arguments: str) -> str:
    """What it says; its exit code must be 0."""
    done = subprocess.run(["systemd-analyze", *arguments], check=False, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@analysed
@pytest.mark.parametrize("name", [SERVICE, SOCKET, RESET.replace("@", "@1"), ASKED, ACT.replace("@", "@1")])
def test_systemd_finds_nothing_wrong_with_the_units(box: Path, name: str) -> None:
    assert analyse("verify", f"--root={box}", "--man=no", "--recursive-errors=no", name) == ""


@analysed
@pytest.mark.parametrize("name", [SERVICE, ACT.replace("@", "@1")])
def test_what_listens_to_strangers_and_what_rings_are_shut_in(box: Path, name: str) -> None:
    limits = f"--threshold={10 * MOST:.0f}", "--offline=true"
    said = analyse("security", f"--root={box}", *limits, "--no-pager", name)
    found = re.search(rf"exposure level for {re.escape(name)}: ([\d.]+)", said)
    assert found
    assert 0 < float(found[1]) <= MOST


def test_it_is_started_again_however_often_it_ends() -> None:
    text = (FOLDER / SERVICE).read_text()
    assert text.index("StartLimitIntervalSec=0") < text.index("[Service]")
    assert (only(SERVICE, "Type"), only(SERVICE, "Restart")) == ("notify", "always")
    assert int(only(SERVICE, "WatchdogSec")) > 0


def test_what_the_daemon_is_started_with_is_what_it_understands() -> None:
    program, *arguments = only(SERVICE, "ExecStart").split()
    assert program == "/opt/station-gateway/current/bin/station-gateway"
    assert "home=/opt/station-gateway\n" in INSTALL
    assert '"$home/current/bin/station-gateway"' in INSTALL
    assert main._parsed(arguments).config == Path("/etc/station-gateway/gateway.yaml")
    assert "etc=/etc/station-gateway\n" in INSTALL


def test_its_folders_are_those_of_the_configuration() -> None:
    assert Path("/var/lib") / only(SERVICE, "StateDirectory") == Config.model_fields["data"].default
    assert only(SERVICE, "LoadCredential") == f"{CREDENTIAL_FOLDER}:{CREDENTIALS}"
    made = dict(re.findall(r"^d (\S+) (\d+)", (FOLDER / "tmpfiles.conf").read_text(), re.MULTILINE))
    assert made == {"/etc/station-gateway": "0750", str(CREDENTIALS): "0700"}
    assert only(SERVICE, "ConfigurationDirectoryMode") == made["/etc/station-gateway"]


def test_users_and_groups_are_the_same_everywhere() -> None:
    user = only(SERVICE, "User")
    groups = only(SERVICE, "SupplementaryGroups").split()
    declared = re.findall(r"^[ug] (\S+)", (FOLDER / "sysusers.conf").read_text(), re.MULTILINE)
    assert declared == [user, only(ACT, "User"), "bluetooth"]
    assert only(SOCKET, "SocketGroup") == only(ASKED, "SocketGroup") == user
    assert set(groups) == {"dialout", "bluetooth"}
    assert re.findall(r'GROUP="(\w+)"', (FOLDER / "60-station-gateway.rules").read_text()) == ["dialout"]


@pytest.mark.skipif(not shutil.which("systemd-sysusers"), reason="systemd-sysusers is not installed")
def test_systemd_makes_the_users(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    subprocess.run(["systemd-sysusers", f"--root={tmp_path}", FOLDER / "sysusers.conf"], check=True, timeout=30)
    made = {line.split(":")[0] for line in (tmp_path / "etc/passwd").read_text().splitlines()}
    assert made == {only(SERVICE, "User"), only(ACT, "User")}


def test_the_reset_unit_listens_where_the_daemon_asks_and_runs_what_is_installed() -> None:
    assert only(SOCKET, "ListenStream") == str(reset.SOCKET)
    assert SOCKET in unit(SERVICE)["Wants"][0].split()
    program = only(RESET, "ExecStart").split()[-1]
    assert f'share/systemd/reset-radio.py" {program}\n' in INSTALL
    assert float(only(RESET, "RuntimeMaxSec")) <= reset.ANSWER_S


def test_only_the_reset_unit_has_rights_and_only_those_that_it_needs() -> None:
    assert unit(SERVICE)["CapabilityBoundingSet"] == [""]
    assert "User" not in unit(RESET)
    assert only(RESET, "CapabilityBoundingSet") == "CAP_NET_ADMIN CAP_NET_RAW"
    assert only(RESET, "NoNewPrivileges") == "yes"


def test_the_daemon_may_ask_whether_the_clock_is_right_and_may_not_set_it() -> None:
    """systemd takes the question, which is the setting's call, out of @system-service and with ProtectClock=."""
    allowed = unit(SERVICE)["SystemCallFilter"]
    assert allowed[-1].split() == ["adjtimex", "clock_adjtime", "clock_adjtime64"]
    assert "ProtectClock" not in unit(SERVICE)
    assert unit(SERVICE)["CapabilityBoundingSet"] == [""]


def test_nothing_is_waited_for_that_may_never_come() -> None:
    """A station without a time server would otherwise wait for one with systemd-time-wait-sync or chrony-wait."""
    after = [name for value in unit(SERVICE)["After"] for name in value.split()]
    assert not {"time-sync.target", "time-set.target", "network-online.target"} & set(after)


def test_the_unit_that_rings_listens_where_the_daemon_asks_and_reads_nothing_but_the_configuration() -> None:
    assert only(ASKED, "ListenStream") == str(actions.SOCKET)
    for key in ("Wants", "After"):
        assert any(ASKED in value.split() for value in unit(SERVICE)[key])
    program, *arguments = only(ACT, "ExecStart").split()
    assert program == only(SERVICE, "ExecStart").split()[0]
    args = main._parsed(arguments)
    assert (args.serve, str(args.config)) == (True, "${CREDENTIALS_DIRECTORY}/gateway.yaml")
    assert only(ACT, "LoadCredential") == "gateway.yaml:/etc/station-gateway/gateway.yaml"
    assert only(ACT, "CapabilityBoundingSet") == ""
    assert float(only(ACT, "RuntimeMaxSec")) > 60 + summons.MARGIN_S
    assert set(only(ACT, "SupplementaryGroups").split()) & {"station-gateway", "root"} == set()


def test_drivers_of_receivers_that_are_plugged_in_later_are_loaded_before_the_rules_are_made() -> None:
    """systemd looks up a device's driver when the unit starts: what is not loaded by then stays forbidden."""
    loaded = {"char-ttyUSB rw": "modprobe@usbserial.service", "char-ttyACM rw": "modprobe@cdc_acm.service"}
    assert loaded.keys() <= set(unit(SERVICE)["DeviceAllow"])
    for key in ("Wants", "After"):
        assert set(loaded.values()) <= {name for value in unit(SERVICE)[key] for name in value.split()}


def test_every_file_is_installed_and_taken_away_again() -> None:
    units = re.findall(r"station-gateway[\w@-]*\.(?:service|socket)", INSTALL)
    assert {path.name for path in FOLDER.glob("*.service")} | {path.name for path in FOLDER.glob("*.socket")} == set(
        units
    )
    installed = set(re.findall(r'share/systemd/([\w.-]+)" (/\S+)', INSTALL))
    left = {path.name for path in FOLDER.iterdir()} - set(units) - {"install.sh", "wheels.sh", "README.md"}
    assert {name for name, _ in installed} == left
    removing = INSTALL.split("uninstall() {")[1].split("\n}\n")[0]
    assert all(place in removing or str(Path(place).parent) in removing for _, place in installed)


def shell(script: str, *arguments: str) -> tuple[int, str]:
    """As anybody but root."""
    nobody = 65534 if os.getuid() == 0 else None
    command = ["sh", str(FOLDER / script), *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30, user=nobody)
    return done.returncode, done.stdout + done.stderr


def test_the_scripts_say_how_they_are_used() -> None:
    code, said = shell("install.sh", "--help")
    assert (code, said.count("\n"), "[--wheels FOLDER]" in said, "--purge" in said) == (0, 2, True, True)
    assert shell("install.sh", "--wheel") == (2, said)
    for wrong in (["--wheels"], ["--wheels", "/nowhere"]):
        assert shell("install.sh", *wrong) == (1, "station-gateway: --wheels wants a folder\n")
    assert shell("install.sh") == (1, "station-gateway: run it as root\n")
    code, said = shell("wheels.sh")
    assert (code, "wheels.sh FOLDER" in said) == (2, True)


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
def test_shellcheck_finds_nothing() -> None:
    scripts = sorted(FOLDER.glob("*.sh")) + sorted((FOLDER.parent / "tests").glob("*.sh"))
    done = subprocess.run(["shellcheck", *scripts], check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")
