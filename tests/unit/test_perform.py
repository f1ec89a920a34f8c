"""Each kind of action, done: real programs, a real broker, a relay over RFC 2217, and what goes wrong with them."""

import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from gateway.actions import Action
from gateway.perform import perform
from gateway.summons import Outcome, Summons
from tests.support.mosquitto import Mosquitto
from tests.support.processes import free_port, wait_for
from tests.support.relay import Relay

SUMMONS = Summons("it", "01kas0hm4nq8tz6m3d7e9f1234", "sos", "band-0001", None, 3)


def done(timeout: str = "10s", **kind: Any) -> Outcome:
    return perform(Action.model_validate({"name": "it", "timeout": timeout, **kind}), SUMMONS)


def shell(script: str, timeout: str = "10s", **environment: str) -> Outcome:
    return done(timeout, command={"run": ["/bin/sh", "-c", script], "environment": environment})


def test_a_program_is_told_of_the_alert_beside_its_own_environment() -> None:
    told = "$STATION_GATEWAY_KIND $STATION_GATEWAY_COUNT [$STATION_GATEWAY_ZONE]"
    outcome = shell(f'echo "{told} $VOLUME $PWD"', VOLUME="8")
    assert (outcome.failure, outcome.code, outcome.said) == (None, 0, "sos 3 [] 8 /")


def test_no_shell_reads_the_arguments() -> None:
    assert done(command={"run": ["/bin/echo", "$HOME", "; reboot"]}).said == "$HOME ; reboot"


def test_a_program_that_fails_is_told_with_its_code_and_what_it_said_last() -> None:
    outcome = shell("echo one; echo no such card >&2; exit 3")
    assert (outcome.failure, outcome.code, outcome.said) == ("ended with 3: no such card", 3, "no such card")
    assert shell("kill -9 $$").failure == "ended by signal 9"


@pytest.mark.parametrize(
    ("program", "why"),
    [("/nowhere/ring", "/nowhere/ring: No such file or directory"), ("/etc/passwd", "/etc/passwd: Permission denied")],
)
def test_a_program_that_cannot_be_run_is_told(program: str, why: str) -> None:
    assert done(command={"run": [program]}).failure == why


def test_a_program_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    children = tmp_path / "children"
    outcome = shell(f"sleep 60 & echo $! > {children}; echo $$ >> {children}; trap '' TERM; sleep 60", "1s")
    assert outcome.failure == "not done within 1 s, and ended"
    assert 1_000 <= outcome.ms < 10_000
    for process in children.read_text().split():
        wait_for(lambda process=process: not alive(int(process)), 5)


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(") ", 1)[1][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_what_a_program_leaves_behind_ends_with_it(tmp_path: Path) -> None:
    child = tmp_path / "child"
    outcome = shell(f"sleep 60 & echo $! > {child}; echo rings")
    assert (outcome.failure, outcome.said) == (None, "rings")
    wait_for(lambda: not alive(int(child.read_text())), 5)


def test_a_program_that_pours_waits_for_nobody_and_only_its_end_is_kept() -> None:
    outcome = shell("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo; printf '%0300d\\n' 7")
    assert (outcome.failure, outcome.said) == (None, "0" * 200)


def test_what_is_no_text_is_no_trouble() -> None:
    assert shell("printf 'caf\\351'").said == "caf\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(("line", "other"), [("rts", "dtr"), ("dtr", "rts")])
def test_a_control_line_is_set_for_its_time_and_released(line: str, other: str) -> None:
    with Relay() as relay:
        outcome = done(serial={"port": relay.url, "line": line, "hold": "200ms"})
        assert outcome.failure is None
        wait_for(lambda: relay.changes()[-2:] == [(line, True), (line, False)], 5, str(relay.pulled))
        assert relay.held(line) >= 0.2
        assert (other, True) not in relay.changes()


def test_a_control_line_is_released_where_the_time_is_over() -> None:
    with Relay() as relay:
        action = Action.model_validate({"name": "it", "timeout": "5s", "serial": {"port": relay.url, "hold": "4s"}})
        hurried = action.model_copy(update={"timeout": 2_000})  # as on a network that takes long
        assert perform(hurried, SUMMONS).failure == "not done within 2 s, and ended"
        wait_for(lambda: relay.changes()[-2:] == [("rts", True), ("rts", False)], 5, str(relay.pulled))


def test_a_port_without_control_lines_is_told(tmp_path: Path) -> None:
    """Such as a pty: that a siren hung there would stay silent must not look like success."""
    master, slave = os.openpty()
    try:
        failure = done(serial={"port": os.ttyname(slave), "hold": "100ms"}).failure
        assert failure is not None
        assert "Inappropriate ioctl" in failure
    finally:
        os.close(master)
        os.close(slave)
    assert "No such file" in str(done(serial={"port": str(tmp_path / "none")}).failure)


def test_a_message_is_with_the_broker_when_it_is_done(tmp_path: Path) -> None:
    lamp, heard, ready = Client(CallbackAPIVersion.VERSION2), [], threading.Event()
    lamp.on_message = lambda _client, _userdata, message: heard.append(message.payload)
    lamp.on_subscribe = lambda *_: ready.set()
    with Mosquitto(tmp_path) as broker:
        lamp.connect("localhost", broker.port)
        lamp.subscribe("hall/lamp/set", 1)
        lamp.loop_start()
        assert ready.wait(5)
        outcome = done(mqtt={"broker": broker.url, "topic": "hall/lamp/set", "payload": "on"})
        assert outcome.failure is None
        wait_for(lambda: heard == [b"on"], 5)
        lamp.disconnect()
        lamp.loop_stop()


def test_a_broker_that_is_not_there_or_lets_nobody_in_is_told(tmp_path: Path) -> None:
    gone = done(mqtt={"broker": f"mqtt://localhost:{free_port()}", "topic": "lamp"}).failure
    assert gone is not None
    assert "refused" in gone
    with Mosquitto(tmp_path, users={"somebody": "secret"}) as broker:
        refused = done(mqtt={"broker": broker.url, "topic": "lamp"}).failure
        assert refused is not None
        assert "uthori" in refused


def test_a_broker_that_does_not_answer_costs_the_time_of_the_action_and_no_more(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker:
        broker.freeze(frozen=True)
        try:
            outcome = done("1s", mqtt={"broker": broker.url, "topic": "lamp"})
        finally:
            broker.freeze(frozen=False)
    assert outcome.failure == "not done within 1 s, and ended"


def test_nothing_of_the_limit_is_left_over() -> None:
    before = signal.getsignal(signal.SIGALRM)
    shell("exit 0", "1s")
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
