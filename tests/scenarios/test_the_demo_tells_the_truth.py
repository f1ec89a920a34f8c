"""`station-gateway demo` shows what really happened: its exit code and its sum hold against the broker's own log."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.certificates import Certificates
from tests.support.cloud import Cloud
from tests.support.demo import Demo
from tests.support.mosquitto import Mosquitto
from tests.support.processes import free_port, wait_for

SUM = r"(\d+) presses made, (\d+) arrived as an alert"
ALERTS_ARE_HIDDEN = """
topic readwrite 398/v1/+/state
topic readwrite 398/v1/+/health
topic readwrite 398/v1/+/telemetry
topic readwrite 398/v1/+/gap
topic readwrite 398/v1/+/probe
topic write 398/v1/+/alert/+
"""
COMMAND = [sys.executable, "-m", "gateway.cli.main"]
WITHOUT = "import sys; sys.modules[{!r}] = None; from gateway.cli.main import main; sys.exit(main())"
"""The command where a package is not installed."""


def demo(*words: str, command: list[str] = COMMAND) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*command, "demo", *words], capture_output=True, text=True, timeout=60, check=False)


def alerts(broker: Mosquitto) -> set[str]:
    """Those that the broker says it was given."""
    return set(re.findall(r"Received PUBLISH from demo-\w+-alert .*/(alert/[a-z0-9]+)'", broker.log))


def test_with_a_broker_of_its_own_every_press_arrives_as_one_alert(tmp_path: Path) -> None:
    with Demo(tmp_path, "--seconds", "3") as played:
        assert played.wait_end() == 0
        made, arrived = map(int, played.wait_shown(SUM).groups())
        assert made == arrived >= 2
        assert "NOT GOOD" not in played.shown
        assert re.search(r"wearable\W+alert\W+state\W+by\W+after", played.shown)
        assert re.search(r"band-00\d\d.*raised.*\d+\.\d ms", played.shown)


def test_with_a_broker_of_ours_the_broker_was_given_just_those_alerts(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, users={"box": "s3cret: with @ / spaces"}) as broker:
        (tmp_path / "password").write_text("s3cret: with @ / spaces\n")
        ours = ("--broker", f"mqtt://box@localhost:{broker.port}", "--password-file", str(tmp_path / "password"))
        with Demo(tmp_path, "--seconds", "3", *ours) as played:
            assert played.wait_end() == 0
            made, arrived = map(int, played.wait_shown(SUM).groups())
            assert made == arrived == len(alerts(broker)) >= 2
            assert "s3cret" not in played.shown
            station = played.wait_shown(r"station (demo-\w+),")[1]
        with Cloud(broker, station, user=("box", "s3cret: with @ / spaces")) as later:
            later.publish("gap", b"{}")
            assert [seen.topic for seen in later.wait(lambda c: c.messages("gap") and c.seen)] == [f"{later.base}/gap"]


def test_a_broker_over_tls_is_trusted_by_its_certificate_alone(tmp_path: Path) -> None:
    tls = Certificates(tmp_path / "pki")
    with Mosquitto(tmp_path, tls=tls, extra="require_certificate false") as broker:
        words = ("--seconds", "2", "--broker", broker.url)
        with Demo(tmp_path, *words, SSL_CERT_FILE=str(tls.ca)) as played:
            assert played.wait_end() == 0
            assert "NOT GOOD" not in played.shown
        refused = demo(*words)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert "its certificate is not trusted" in refused.stderr


def test_alerts_that_the_broker_hides_are_missed_and_the_end_is_1(tmp_path: Path) -> None:
    hiding = Mosquitto(tmp_path, acl=ALERTS_ARE_HIDDEN)
    with hiding as broker, Demo(tmp_path, "--seconds", "2", "--broker", broker.url) as played:
        assert played.wait_end() == 1
        made, arrived = map(int, played.wait_shown(SUM).groups())
        assert (made >= 1, arrived) == (True, 0)
        assert f"NOT GOOD: {made} presses did not arrive, 0 alerts came of no press" in played.shown
        assert alerts(broker)


def test_a_broker_that_dies_midway_ends_it_with_1_and_the_daemon_says_why(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    broker.start()
    with Demo(tmp_path, "--seconds", "3", "--broker", broker.url) as played:
        played.wait_shown("raised")
        broker.kill()
        assert played.wait_end() == 1
        assert re.search(r"NOT GOOD: [1-9]\d* presses did not arrive", played.shown)
        assert re.search(rf"the daemon says: {broker.url}: .*; ", played.shown)


def test_a_broker_that_comes_back_in_time_costs_nothing(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker, Demo(tmp_path, "--seconds", "4", "--broker", broker.url) as played:
        played.wait_shown("raised")
        broker.stop()
        broker.start()
        assert played.wait_end() == 0, played.shown
        assert "NOT GOOD" not in played.shown


@pytest.mark.parametrize("package", ["amqtt", "rich"])
def test_without_the_extra_it_says_what_to_install(package: str) -> None:
    told = demo("--seconds", "2", command=[sys.executable, "-c", WITHOUT.format(package)])
    assert (told.returncode, told.stdout) == (2, "")
    assert (
        told.stderr == "demo: it needs the packages amqtt and rich; pip install 'station-gateway[demo]' brings them\n"
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--broker", "localhost"], "argument --broker: not a broker; write mqtt://HOST:1883, or mqtts://HOST:8883"),
        (["--broker", "http://localhost"], "argument --broker: not a broker; write mqtt://HOST:1883"),
        (["--broker", "mqtt://a:b@:1883"], "argument --broker: not a broker; write mqtt://HOST:1883"),
        (["--seconds", "soon"], "argument --seconds: 'soon' is no time for a demo; write 2 or more, in seconds"),
        (["--seconds", "nan"], "argument --seconds: 'nan' is no time for a demo; write 2 or more, in seconds"),
        (["--seconds", "1"], "argument --seconds: '1' is no time for a demo; write 2 or more, in seconds"),
        (["--broker", "mqtt://box:s3cret@localhost"], "a password is not written here; name the file that holds it"),
        (["--password-file", "nowhere"], "demo: --password-file wants a name beside it"),
        (["--broker", "mqtt://box@localhost", "--password-file", "nowhere"], "No such file or directory: 'nowhere'"),
        (["--broker", "mqtt://broker.invalid"], "demo: mqtt://broker.invalid:1883: the name is not known"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_2(words: list[str], sentence: str) -> None:
    told = demo(*words)
    assert (told.returncode, told.stdout) == (2, "")
    assert sentence in told.stderr
    assert "s3cret" not in told.stderr


def test_a_broker_that_is_not_there_or_lets_nobody_in_ends_it_with_2(tmp_path: Path) -> None:
    nowhere = f"mqtt://localhost:{free_port()}"
    told = demo("--broker", nowhere)
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.startswith(f"demo: {nowhere}: cannot be reached (Connection refused); check --broker")
    with Mosquitto(tmp_path, users={"box": "s3cret"}) as broker:
        (tmp_path / "password").write_text("wrong")
        ours = ("--broker", f"mqtt://box@localhost:{broker.port}", "--password-file", str(tmp_path / "password"))
        told = demo(*ours)
        assert (told.returncode, told.stdout) == (2, "")
        assert "refuses our credentials" in told.stderr
        assert "wrong" not in told.stderr


def test_ctrl_c_ends_it_with_its_sum_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with Demo(tmp_path) as played:
        played.wait_shown("raised")
        pty, daemons = Path(played.pty), played.daemons
        assert pty.exists()
        assert len(daemons) == 1
        played.press_ctrl_c()
        assert played.wait_end(10) == 0
        made, arrived = map(int, played.wait_shown(SUM).groups())
        assert made == arrived >= 1
        wait_for(lambda: not pty.exists(), 2, "the pty is gone")
        assert played.daemons == []
        assert list(played.made.iterdir()) == []


def test_a_daemon_that_dies_ends_it_with_2_and_what_it_said_last(tmp_path: Path) -> None:
    with Demo(tmp_path) as played:
        played.wait_shown("raised")
        os.kill(played.daemons[0], signal.SIGKILL)
        assert played.wait_end(10) == 2
        played.wait_shown(r'demo: the daemon has ended with -9; it said last:\W+\{"')
        assert list(played.made.iterdir()) == []


def test_a_terminal_that_is_closed_leaves_nothing_behind_either(tmp_path: Path) -> None:
    with Demo(tmp_path) as played:
        played.wait_shown("raised")
        played.close_terminal()
        played.wait_end(10)
        assert played.daemons == []
        assert list(played.made.iterdir()) == []
