"""What tells a station of an alert is done by its own unit, as its own user, on a real systemd and a real ttyUSB."""

from tests.e2e.station import Station


def act(station: Station, name: str, user: str = "station-gateway") -> tuple[int, str]:
    """As the daemon's user asks; how it ended, and what was said."""
    done = station.machine.ask(f"runuser -u {user} -- station-gateway act {name} 2>&1", 300)
    if done.code:
        print(station.run("journalctl -u 'station-gateway-act@*' --no-pager | tail -20"))
    return done.code, done.output


def test_a_program_runs_as_a_user_of_its_own_that_sees_nothing_of_the_gateways(station: Station) -> None:
    code, said = act(station, "bell")
    assert (code, said.endswith(": station-gateway-act for trial\n")) == (0, True), said
    print(said)
    journal = station.run("journalctl -u 'station-gateway-act@*' -o cat --no-pager")
    assert '{"action":"bell","alert":"trial","kind":"trial"} -> ' in journal


def test_a_message_reaches_the_broker_on_the_station(station: Station) -> None:
    heard = "mosquitto_sub -h 127.0.0.1 -q 1 -t lamp/set -C 1 -W 60"
    station.run(f"systemd-run -q -u e2e-lamp -p StandardOutput=file:/run/e2e/lamp {heard}; sleep 2")
    assert act(station, "lamp")[0] == 0
    station.wait(lambda: station.run("cat /run/e2e/lamp") == "on\n")


def test_a_program_that_hangs_leaves_nothing_behind_not_even_what_went_its_own_way(station: Station) -> None:
    code, said = act(station, "hung")
    assert (code, said) == (1, "hung: not done within 30 s, and ended\n")
    station.wait(lambda: station.machine.ask("pgrep -u station-gateway-act").code == 1)


def test_a_real_port_takes_its_control_line_and_a_receivers_port_is_not_given_away(station: Station) -> None:
    station.run("ln -s /dev/ttyUSB0 /dev/siren")
    code, said = act(station, "siren")
    assert (code, "busy" in said.lower() or "lock" in said.lower()) == (1, True), said
    station.run("systemctl stop station-gateway")
    try:
        code, said = act(station, "siren")
    finally:
        station.run("systemctl start station-gateway")
    assert (code, "siren: done in 1." in said) == (0, True), said


def test_nobody_else_may_ring(station: Station) -> None:
    asking = "runuser -u nobody -- socat - UNIX:/run/station-gateway-act.sock < /dev/null 2>&1"
    assert "Permission denied" in station.machine.ask(asking).output
