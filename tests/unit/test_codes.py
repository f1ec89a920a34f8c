"""The station's own codes: what differs counts, what is left out stays, and every mistake is told at its line."""

from pathlib import Path

import pytest

from drivers.marked import Refused
from gateway.alerts import Rules, raised
from gateway.codes import load_codes
from gateway.contract import Codes, codes
from gateway.wire import Wire
from tests.support.inside import StillClock, sos
from tests.support.moments import moment

SHIPPED = Path(__file__).parents[2] / "gateway/contract/codes.yaml"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "codes.yaml"


def wrong(file: Path, text: str) -> list[str]:
    file.write_text(text)
    with pytest.raises(Refused) as refused:
        load_codes(file)
    return [str(problem).removeprefix(f"{file}:") for problem in refused.value.problems]


def test_the_shipped_file_is_one_that_a_station_may_copy() -> None:
    assert load_codes(SHIPPED) == codes()


def test_only_what_is_written_differs(file: Path) -> None:
    file.write_text('fall: {scaip: 0005/0010, contact_id: "102"}\nstorm: {scaip: null, contact_id: 309}\nsos:\n')
    own = load_codes(file)
    assert own == {"fall": Codes("0005/0010", "102"), "storm": Codes(None, "309")}


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "sos: null\n"])
def test_a_file_in_which_nothing_is_written_changes_nothing(file: Path, text: str) -> None:
    file.write_text(text)
    assert load_codes(file) == {}


def test_every_mistake_is_told_at_its_place(file: Path) -> None:
    text = (
        "sos: {scaip: 3/10, contact_id: 1011}\n"
        "sso: {scaip: null, contact_id: null}\n"
        "fall: {scaip: 0005/0009}\n"
        "button: 0003/0010\n"
        "storm: {scaip: null, contact_id: null, siren: 1}\n"
    )
    scaip = "write device and status, such as 0003/0010, or null where there is none"
    event = 'write three digits, such as "101", or null where there is none'
    assert wrong(file, text) == [
        f"1:14: sos.scaip '3/10': not a SCAIP code; {scaip}",
        f"1:32: sos.contact_id 1011: not a Contact ID event; {event}",
        "2:1: unknown key 'sso'; did you mean 'sos'?",
        "3:7: the key 'contact_id' is missing; add contact_id: '101'  # …",
        "4:9: button '0003/0010': of the wrong kind; write keys with their values below it, indented",
        "5:40: unknown key 'siren'; known here are contact_id, scaip",
    ]


@pytest.mark.parametrize("value", ["003/0010", "0003-0010", "'0003/0010 '", "0003/001٠", "[0003/0010]", "true", "3"])
def test_what_is_no_scaip_code(file: Path, value: str) -> None:
    (told,) = wrong(file, f"sos: {{scaip: {value}, contact_id: null}}")
    assert "SCAIP" in told


@pytest.mark.parametrize("value", ["10", "1010", "true", "1.1", '"10١"', "[101]", "-10", "E10"])
def test_what_is_no_contact_id_event(file: Path, value: str) -> None:
    (told,) = wrong(file, f"sos: {{scaip: null, contact_id: {value}}}")
    assert "Contact ID" in told


def test_own_codes_go_out_with_the_alerts_and_the_others_as_shipped() -> None:
    alert = raised(None, sos(1), moment(0), Rules()).alert
    for own, wanted in (({}, codes()["sos"]), ({"sos": Codes(None, "120")}, Codes(None, "120"))):
        told = Wire("398/v1", "test-01", "0.1.0", StillClock(), own).alert_body(alert)["codes"]
        assert told == {"scaip": wanted.scaip, "contact_id": wanted.contact_id}
