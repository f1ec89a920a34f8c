"""gateway.yaml: every error at once, each with its place and cure; what is right is read as it is written."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from drivers.base import Auth, BadFrame, Instant, Packet, PacketKind, Said
from drivers.decoders.catalogue import DECODERS
from drivers.decoders.contract import Decoder
from drivers.marked import Refused
from gateway.config import Trust
from gateway.contract import Codes
from gateway.sections import Secret
from gateway.setup import Setup, load_all, warnings
from gateway.sinks.login import endpoints, login
from gateway.sinks.words import Endpoint
from tests.support.profiles import NAMES

SHIPPED = Path(__file__).parents[2] / "config"
MINIMAL = "station: xinhua-03\nmqtt:\n  brokers: [mqtts://platform.example]\n"
NEEDED = "fleet_key: {file: key}\nlocal_alert: {actions: [{name: lamp, mqtt: {topic: lamp}}]}\n"
"""What a station is warned of not having."""
ROSTER = 'devices:\n  - {id: band-0001, address: "C0:98:00:01:02:03", wearer: w-7f3a}\n'
ADVERT_ONLY = """
profile: advert-only
about: a pendant
source: this test
fields: {pressed: {at: 0, bit: 0}}
occurrences: [{field: pressed, behaviour: level, means: sos}]
bluetooth: {service_data: {uuid: "fff0"}}
golden: [{name: pressed, payload: "01", occurrences: [{kind: sos, active: true}]}]
"""
LINED = """
profile: {name}
about: a pendant
source: this test
fields: {{pressed: {{at: 0, bit: 0}}}}
occurrences: [{{field: pressed, behaviour: level, means: sos}}]
address_bits: 32
serial: {{framing: {{line: {{end: "{end}", longest: 64}}}}, address: {{at: 0, size: 4}}, payload: {{at: 4}}}}
golden: [{{name: pressed, payload: "01", occurrences: [{{kind: sos, active: true}}]}}]
"""
SEALED = """
profile: sealed
about: a pendant
source: this test
decoder: sealed
bluetooth: {manufacturer: {company: 0x0059}}
golden:
  - {name: any, payload: "01", sender: "c09800010203", key: "000102030405060708090a0b0c0d0e0f", auth: ok, counter: 0}
"""
KEY = "231d39c1d7cc1ab1aee224cd096db932"
TOPIC = "not a topic prefix; write words joined by /, without + # or a / at either end"
IN_PLACE = "put it in place, readable for the gateway's user, or correct the path"
Load = Callable[..., Setup]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Write the two files and load them; further files by name and content."""

    def loaded(text: str = MINIMAL, roster: str = ROSTER, **more: str) -> Setup:
        for name, content in {"gateway.yaml": text, "devices.yaml": roster, **more}.items():
            (tmp_path / name).write_text(content)
        return load_all(tmp_path / "gateway.yaml")

    return loaded


def told(load: Load, text: str, roster: str = ROSTER) -> list[str]:
    """Every problem, with the file's name alone."""
    with pytest.raises(Refused) as refused:
        load(text, roster)
    return [str(problem).removeprefix(f"{Path(problem.mark.file).parent}/") for problem in refused.value.problems]


def test_the_shipped_files_load_and_the_station_is_warned_of_nothing_but_the_key_and_its_silence() -> None:
    setup = load_all(SHIPPED / "gateway.yaml")
    assert setup.config.roster == SHIPPED / "devices.yaml"
    assert setup.roster.find("00010203") is not None
    assert (setup.config.serial[0].link, setup.config.bluetooth[0].link) == ("serial:lobby", "ble:hci0")
    assert [warning.split()[0] for warning in warnings(setup.config)] == ["fleet_key", "local_alert.actions"]


def test_every_error_is_told_at_once_with_file_line_column_and_cure(load: Load) -> None:
    text = """station: Xin Hua
mqtt:
  brokers: [mqtts://platform.example]
  keepalive: 8sec
  password: {}
  root: 398/#
serial:
  - {port: COM3}
  - {port: /dev/ttyUSB0, baud: 12}
telemetry:
  cap: lots
log: {level: loud}
"""
    assert told(load, text) == [
        "gateway.yaml:1:10: station 'Xin Hua': not a name; use 1 to 40 of the characters a-z, 0-9 and -",
        "gateway.yaml:4:14: mqtt.keepalive '8sec': not a duration; write 200ms, 10s, 5min, 24h or 7d",
        "gateway.yaml:5:13: mqtt.password: a secret is not written here; write {file: PATH} or {credential: NAME}",
        "gateway.yaml:6:9: mqtt.root '398/#': " + TOPIC,
        "gateway.yaml:8:12: serial.0.port 'COM3': not a port; write /dev/serial/by-id/… or socket://HOST:PORT",
        "gateway.yaml:9:32: serial.1.baud 12: too small; write a number from 300 to 4000000, such as 115200",
        "gateway.yaml:11:8: telemetry.cap 'lots': not a size; write 128KiB, 512MiB or 2GiB",
        "gateway.yaml:12:14: log.level 'loud': not one of the known words; write 'debug', 'info' or 'warning'",
    ]


@pytest.mark.parametrize(
    ("line", "bounds", "least", "most"),
    [
        ("  keepalive: {}", "1s to 10min", "1s", "10min"),
        ("health_every: {}", "1s to 1h", "1s", "1h"),
        ("telemetry: {{commit_every: {}}}", "10ms to 1min", "10ms", "60s"),
        ("telemetry: {{expiry: {}}}", "1s to 49710d", "1s", "49710d"),
    ],
)
def test_a_duration_out_of_bounds_is_told_the_bounds_in_its_own_units(
    load: Load, line: str, bounds: str, least: str, most: str
) -> None:
    for wrong, what in (("0s", "too short"), ("-1", "too short"), ("50000d", "too long")):
        (problem,) = told(load, MINIMAL + line.format(wrong))
        assert problem.endswith(f": {what}; write {bounds}")
    load(MINIMAL + line.format(least))
    load(MINIMAL + line.format(most))


def test_a_size_too_small_is_told_the_least_there_is(load: Load) -> None:
    (problem,) = told(load, MINIMAL + "telemetry: {cap: 1KiB}\n")
    assert problem.endswith("telemetry.cap '1KiB': too small; write 1MiB or more")
    load(MINIMAL + "telemetry: {cap: 1MiB, window_bytes: 1024}\n")


@pytest.mark.parametrize(
    ("written", "cure"),
    [
        ("  password: hunter2\n", "write {file: PATH} or {credential: NAME}"),
        ("  password: [hunter2]\n", "write {file: PATH} or {credential: NAME}"),
        ("  password: {password: hunter2}\n", "known here are credential, file"),
        ("  passwd: hunter2\n", "did you mean 'password'?"),
        ("fleet_key: hunter2\n", "write {file: PATH} or {credential: NAME}"),
        ("  # also\n  - mqtt://box:hunter2@platform.example\n", "write mqtt.username and mqtt.password"),
        ("  # also\n  - box:hunter2@platform.example\n", "write mqtt.username and mqtt.password"),
    ],
)
def test_a_secret_that_is_written_into_the_file_is_refused_and_not_repeated(
    load: Load, written: str, cure: str
) -> None:
    (problem,) = told(load, "station: a\nmqtt:\n  brokers:\n  - mqtts://platform.example\n" + written)
    assert "hunter2" not in problem
    assert problem.endswith(f"; {cure}")


def test_a_misspelt_way_to_a_secret_is_told_as_what_it_is(load: Load) -> None:
    text = f"{MINIMAL}  password: {{credental: mqtt}}\n"
    assert told(load, text) == ["gateway.yaml:4:14: unknown key 'credental'; did you mean 'credential'?"]


def test_what_the_configuration_names_is_looked_at_too_and_all_of_it_is_told(load: Load) -> None:
    text = f"""{MINIMAL}  password: {{file: absent}}
  tls: {{certificate: a.pem, key: b.pem}}
fleet_key: {{credential: nowhere}}
profiles: nowhere
serial:
  - {{port: /dev/a}}
  - {{port: /other/a}}
"""
    problems = told(load, text, roster="devices:\n  - {id: band-0001, address: 12}\n")
    begins = [problem.split(" ")[0] for problem in problems]
    wanted = ["4:13", "6:12", "5:22", "5:34", "10:5"]
    assert begins == [*(f"gateway.yaml:{at}:" for at in wanted), "devices.yaml:2:30:", "nowhere:1:1:"]
    assert "another link is called serial:a already; give one of them a name: of its own" in problems[4]


def test_an_adapter_that_is_named_twice_is_told_however_its_address_is_written(load: Load) -> None:
    links = 'bluetooth:\n  - {adapter: "00:1A:7D:DA:71:13"}\n  - {adapter: "00:1a:7d:da:71:13", name: b}\n'
    twice = "this adapter is named above already; name each adapter once"
    assert told(load, MINIMAL + links + "  - {}\n") == [f"gateway.yaml:6:15: {twice}"]


def test_a_profile_that_is_not_there_or_has_no_serial_side_is_told_at_its_line(load: Load, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "a.yaml").write_text(ADVERT_ONLY)
    links = "profiles: site\nserial:\n  - {port: /dev/a, profile: 389}\n  - {port: /dev/b, profile: advert-only}\n"
    known = ", ".join(sorted((*NAMES, "advert-only")))
    assert told(load, MINIMAL + links.replace("389", '"389"')) == [
        f"gateway.yaml:6:29: no profile is called '389'; known are {known}",
        "gateway.yaml:7:29: the profile 'advert-only' has no serial side; name one that states a framing",
    ]


def test_profiles_that_share_a_line_must_cut_it_alike(load: Load, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    for name, end in (("first", "0a"), ("twin", "0a"), ("other", "0d0a")):
        (tmp_path / "site" / f"{name}.yaml").write_text(LINED.format(name=name, end=end))
    link = MINIMAL + "profiles: site\nserial:\n  - {{port: /dev/a, profile: {}}}\n"
    assert load(link.format("[first, twin]")).config.serial[0].profile == ("first", "twin")
    absent, different = told(load, link.format("[first, twin, other, absent]"))
    assert absent.startswith("gateway.yaml:6:29: no profile is called 'absent'; known are 398-reference, ")
    assert different == (
        "gateway.yaml:6:29: the profile 'other' cuts the line into frames in another way than 'twin'; "
        "name profiles of one framing, and give the others a receiver of their own"
    )
    (problem,) = told(load, link.format("[]"))
    assert problem.endswith("serial.0.profile: is empty; write at least 1, such as 398-reference")


def test_the_keys_of_devices_are_told_with_all_else_and_only_by_their_place(load: Load, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"band-0001 {KEY}\n{KEY} band-0001\n")
    text = f"{MINIMAL}keys: {{file: keys}}\nlog: {{level: loud}}\n"
    assert told(load, text)[0].startswith("gateway.yaml:5:14: log.level")
    named = f"{MINIMAL}keys: {{file: keys}}\n"
    no_key = f"keys:2:{len(KEY) + 2}: not a key: 9 characters; write its 16 bytes as 32 hex digits"
    no_id = "keys:2:1: no device of the roster has this id; write it as it stands there, or take it out"
    assert told(load, named) == [no_id, no_key]
    assert told(load, named, "devices: [{id: b}]\n")[1:] == [no_key]
    assert [problem.split(": ")[0] for problem in told(load, named.replace("keys}", "gone}"))] == ["gateway.yaml:4:7"]


def test_what_a_profile_decodes_is_decoded_with_the_sender_s_key(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(payload: bytes, sender: str | None, key: bytes | None) -> Said:
        if key is None:
            raise BadFrame("no_key", payload)
        return Said(address=sender, auth=Auth.OK, counter=key[0])

    monkeypatch.setitem(DECODERS, "sealed", Decoder(decode, lambda *_: []))
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "a.yaml").write_text(SEALED)
    profiles = load(f"{MINIMAL}profiles: site\nkeys: {{file: keys}}\n", keys=f"band-0001 {KEY}\n").profiles

    def heard(sender: str) -> Packet:
        return Packet("ble:hci0", PacketKind.MANUFACTURER, 0x0059, b"\1", Instant(0, 0), sender, -60)

    decoded = profiles.decode(heard("c09800010203"))
    assert decoded is not None
    assert decoded.said.counter == 0x23
    with pytest.raises(BadFrame, match="no_key"):
        profiles.decode(heard("c09800010204"))


def test_trust_is_stated_of_profiles_that_there_are_in_words_that_are_known(load: Load) -> None:
    (word,) = told(load, f"{MINIMAL}trust: {{398-reference: lax}}\n")
    assert word == (
        "gateway.yaml:4:24: trust.398-reference 'lax': not one of the known words; write 'strict' or 'lenient'"
    )
    (name,) = told(load, f"{MINIMAL}trust: {{399-reference: lenient}}\n")
    assert name.startswith("gateway.yaml:4:24: no profile is called '399-reference'; known are 398-reference, ")
    assert load(f"{MINIMAL}trust: {{398-reference: lenient}}\n").config.trust == {"398-reference": Trust.LENIENT}


def test_services_are_renamed_where_a_key_orders_them(load: Load) -> None:
    (wrong,) = told(load, f"{MINIMAL}services: {{shoping: meals}}\n")
    assert wrong == "gateway.yaml:4:12: no key orders 'shoping'; known are callback, ride, shopping"
    assert load(f"{MINIMAL}services: {{shopping: meals}}\n").config.services == {"shopping": "meals"}
    laundry = "buttons: {long: {kind: service_request, service: laundry}}"
    roster = ROSTER.replace("wearer: w-7f3a", laundry)
    assert load(f"{MINIMAL}services: {{laundry: cleaning}}\n", roster=roster).config.services


def test_the_station_s_own_codes_are_read_and_what_is_wrong_with_them_is_told_in_their_file(
    load: Load, tmp_path: Path
) -> None:
    named = f"{MINIMAL}alerts: {{codes: codes.yaml}}\n"
    assert told(load, named) == ["codes.yaml:1:1: there is no such file; create it, or correct the path"]
    (tmp_path / "codes.yaml").write_text("sso: {scaip: null, contact_id: null}\n")
    assert told(load, named) == ["codes.yaml:1:1: unknown key 'sso'; did you mean 'sos'?"]
    (tmp_path / "codes.yaml").write_text("sos: {scaip: null, contact_id: 120}\n")
    assert load(named).codes == {"sos": Codes(None, "120")}
    assert load(MINIMAL).codes == {}


def test_relative_paths_are_seen_from_the_file_s_folder_and_absolute_ones_are_kept(load: Load, tmp_path: Path) -> None:
    more = f"data: var\nmqtt:\n  brokers: [mqtt://a]\n  password: {{file: secret}}\n  tls: {{ca: {__file__}}}\n"
    config = load("station: a\n" + more, secret="hunter2\r\n").config
    assert (config.data, config.mqtt.tls.ca) == (tmp_path / "var", Path(__file__))
    assert config.mqtt.password is not None
    assert config.mqtt.password.read() == "hunter2"


def test_a_credential_is_read_from_systemd_s_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "fleet-key").write_text("s3cret\n")
    assert Secret(credential="fleet-key").read() == "s3cret"
    (tmp_path / "secret_password").write_text("hunter2\n")  # as systemd names it that loads a whole folder
    assert Secret(credential="password").read() == "hunter2"


def test_outside_of_the_unit_a_credential_is_read_where_it_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert Secret(credential="fleet-key").path == Path("/etc/station-gateway/credentials/fleet-key")


def test_a_secret_that_is_not_there_is_told_with_the_way_to_put_it_there(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/nowhere")
    absent = "no such file or directory"
    put = "put it into /etc/station-gateway/credentials/fleet-key, readable for root alone; only root can check it"
    assert told(load, f"{MINIMAL}  password: {{file: absent}}\nfleet_key: {{credential: fleet-key}}\n") == [
        f"gateway.yaml:4:13: {tmp_path}/absent: {absent}; {IN_PLACE}",
        f"gateway.yaml:5:12: /nowhere/fleet-key: {absent}; {put}",
    ]


def test_the_bench_does_without_secrets_and_knows_links_apart(load: Load, tmp_path: Path) -> None:
    twice = "serial: [{port: /dev/a}, {port: /dev/a}]\n"
    text = f"{MINIMAL}  password: {{file: absent}}\nfleet_key: {{credential: absent}}\n"
    with pytest.raises(Refused):
        load(text)
    assert load_all(tmp_path / "gateway.yaml", bench=True).config.station == "xinhua-03"
    (tmp_path / "gateway.yaml").write_text(text + twice)
    with pytest.raises(Refused, match="another link is called serial:a already"):
        load_all(tmp_path / "gateway.yaml", bench=True)


@pytest.mark.parametrize(
    ("content", "what"),
    [(b"", "is empty"), (b"\n", "is empty"), (b"caf\xe9", "is not UTF-8"), (None, "is a directory")],
)
def test_a_secret_that_cannot_be_one_is_told_what_is_wrong_with_it(
    load: Load, tmp_path: Path, content: bytes | None, what: str
) -> None:
    if content is None:
        (tmp_path / "password").mkdir()
    else:
        (tmp_path / "password").write_bytes(content)
    written = f"{MINIMAL}  password: {{file: password}}\n"
    assert told(load, written) == [f"gateway.yaml:4:13: {tmp_path}/password: {what}; {IN_PLACE}"]


@pytest.mark.parametrize("said", [{}, {"file": "a", "credential": "b"}, "hunter2", {"file": ""}])
def test_a_secret_is_pointed_at_in_exactly_one_way(said: object) -> None:
    with pytest.raises(ValidationError, match="a secret is not written here"):
        Secret.model_validate(said)


@pytest.mark.parametrize(
    ("more", "column"),
    [
        ("telemetry: {expiry: 1e400}", 21),
        (f"telemetry: {{expiry: {'9' * 400}d}}", 21),
        ("telemetry: {expiry: 73000d}", 21),
        ('telemetry: {batch: "12"}', 20),
        ("telemetry: {batch: true}", 20),
        ("serial: [{port: 'socket://h:99999'}]", 17),
        ("fleet_key: {file: /dev/null}", 12),
        ("fleet_key: {file: /tmp}", 12),
    ],
)
def test_what_no_machine_could_keep_to_is_refused_at_its_place(load: Load, more: str, column: int) -> None:
    (problem,) = told(load, f"{MINIMAL}{more}\n")
    assert problem.startswith(f"gateway.yaml:4:{column}:")


def test_each_broker_that_is_none_is_told(load: Load) -> None:
    problems = told(load, "station: a\nmqtt:\n  brokers: ['mqtt://[::1', mqtt://h:0]\n")
    assert ["not a broker; write" in problem for problem in problems] == [True, True]


def test_a_secret_in_the_wrong_place_is_not_repeated_in_the_error(load: Load) -> None:
    (problem,) = told(load, f"{MINIMAL}  password: hunter2\n")
    assert problem.startswith("gateway.yaml:4:")
    assert "hunter2" not in problem


def test_half_a_client_certificate_is_refused(load: Load) -> None:
    what = "certificate and key go together; name both or neither"
    assert told(load, f"{MINIMAL}  tls: {{key: /dev/null}}\n") == [f"gateway.yaml:4:8: mqtt.tls: {what}"]


def test_the_uplink_is_given_what_is_written(load: Load) -> None:
    brokers = "[mqtts://a.example, mqtt://b.example, 'mqtt://[::1]:1999']"
    mqtt = load(f"station: a\nmqtt:\n  brokers: {brokers}\n  version: '3.1.1'\n  keepalive: 5s\n").config.mqtt
    named = [Endpoint("a.example", 8883, tls=True), Endpoint("b.example", 1883, tls=False)]
    assert endpoints(mqtt) == (*named, Endpoint("::1", 1999, tls=False))
    alert, telemetry = (login(mqtt, "a", keep_session=kept) for kept in (True, False))
    assert (alert.version.name, alert.keepalive_s, alert.keep_session_s) == ("MQTTv311", 5, 86_400)
    assert telemetry.keep_session_s == 0


def test_what_works_and_is_not_good_is_warned_of(load: Load) -> None:
    brokers = "mqtt:\n  brokers: [mqtt://a.example, mqtt://localhost, 'mqtt://[::1]', mqtts://b]\n"
    links = "serial:\n  - {port: /dev/ttyUSB0}\n  - {port: /dev/ttyAMA0}\n  - {port: /dev/ttyACM1}\n"
    found = warnings(load(f"station: a\n{brokers}{links}replay: [{{file: a}}]\n").config)
    assert [warning.split(" is ")[0].split(" may ")[0] for warning in found] == [
        "fleet_key", "local_alert.actions", "serial port /dev/ttyUSB0", "serial port /dev/ttyACM1", "replay:a", "mqtt://a.example"
    ]  # fmt: skip
    assert warnings(load(MINIMAL + NEEDED, key="k").config) == []


def test_of_several_adapters_each_is_better_named_by_its_address(load: Load) -> None:
    key, one, two = MINIMAL + NEEDED, "{adapter: hci1}", '{adapter: "00:1A:7D:DA:71:13"}'
    assert warnings(load(f"{key}bluetooth: [{one}]\n", key="k").config) == []
    unstable = ["Bluetooth adapter hci1 may be another one after a reboot; use its address"]
    assert warnings(load(f"{key}bluetooth: [{one}, {two}]\n", key="k").config) == unstable


# InfluxDB

INFLUX = "fleet_key: {{file: key}}\ninflux: {{url: '{}', org: datong, bucket: stations, token: {{file: token}}}}\n"


def test_an_influxdb_is_optional_and_read_with_its_defaults(load: Load) -> None:
    assert load(MINIMAL).config.influx is None
    influx = load(MINIMAL + INFLUX.format("https://influx.example"), key="k", token="t").config.influx
    assert influx is not None
    assert (influx.token.read(), influx.ca, influx.cap, influx.timeout) == ("t", None, 512 << 20, 10_000)


@pytest.mark.parametrize(
    "url", ["influx.example:8086", "mqtt://a", "https://", "http://a:99999", "http://a/?org=b", "http://a:0"]
)
def test_an_address_that_is_no_databases_is_refused(load: Load, url: str) -> None:
    with pytest.raises(Refused, match="not a database's address; write https://HOST:8086"):
        load(MINIMAL + INFLUX.format(url), key="k", token="t")


def test_a_secret_in_the_address_is_refused_and_not_repeated(load: Load) -> None:
    with pytest.raises(Refused) as refused:
        load(MINIMAL + INFLUX.format("https://me:hunter2@influx.example"), key="k", token="t")
    assert "write influx.token" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_files_that_the_influxdb_section_names_are_looked_at(load: Load) -> None:
    with pytest.raises(Refused, match=r":5:79: .*/token: no such file or directory"):
        load(MINIMAL + INFLUX.format("https://influx.example"), key="k")


def test_without_its_optional_part_the_section_is_refused_with_what_to_do(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "influxdb_client", None)
    with pytest.raises(Refused, match=r"for InfluxDB is not installed; run install\.sh again"):
        load(MINIMAL + INFLUX.format("https://influx.example"), key="k", token="t")
    assert load(MINIMAL).config.influx is None


def test_a_database_in_the_open_is_warned_of_unless_it_is_on_this_box(load: Load) -> None:
    for url, told in (("http://influx.example:8086", 1), ("https://influx.example", 0), ("http://localhost:8086", 0)):
        found = warnings(load(MINIMAL + INFLUX.format(url), key="k", token="t").config)
        assert [each.split()[0] for each in found if "influx" in each or url in each] == [url] * told
