"""devices.yaml: any spelling of an address finds its device, and no two devices can be taken for one another."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.marked import Refused
from gateway.roster import Device, Roster, load_roster

ADDRESSES = st.integers(0, (1 << 48) - 1).map("{:012x}".format)
SERIAL_IDS = st.integers(0, (1 << 32) - 1).map("{:08x}".format)
NUMBERS = st.from_regex(r"[0-9a-z]{9,11}|[0-9a-z]{13,20}|[0-9a-z]{4,7}", fullmatch=True).filter(
    lambda number: not number.startswith("0x")
)
CURE = "each device wants an address of its own"


def roster(folder: Path, *entries: str) -> Roster:
    path = folder / "devices.yaml"
    path.write_text("\n".join(["devices:", *(f"  - {{{entry}}}" for entry in entries), ""]))
    return load_roster(path)


def refused(folder: Path, *entries: str) -> list[str]:
    with pytest.raises(Refused) as failed:
        roster(folder, *entries)
    return [str(problem).split("devices.yaml:")[1] for problem in failed.value.problems]


def spelt(digits: str, separator: str, *, upper: bool) -> str:
    pairs = separator.join(digits[at : at + 2] for at in range(0, len(digits), 2))
    return pairs.upper() if upper else pairs


def test_a_device_is_found_by_both_spellings_of_its_address_and_by_no_other(tmp_path: Path) -> None:
    known = roster(tmp_path, 'id: band-0001, address: "C0:98:00:01:02:03", wearer: w-7f3a')
    for address in ("c09800010203", "00010203"):
        found = known.find(address)
        assert found is not None
        assert (found.id, found.wearer, found.zone) == ("band-0001", "w-7f3a", None)
    for address in ("c09900010203", "00010204", "010203", "", "C09800010203"):
        assert known.find(address) is None


def test_a_serial_id_may_stand_without_quotes_where_yaml_could_take_it_for_a_number(tmp_path: Path) -> None:
    known = roster(tmp_path, "id: a, address: 00010203", "id: b, address: 00:02:0a:01", 'id: c, address: "0x11223344"')
    found = [known.find(address) for address in ("00010203", "00020a01", "11223344")]
    assert [device and device.id for device in found] == ["a", "b", "c"]


@given(ADDRESSES | SERIAL_IDS, st.sampled_from(["", ":", "-"]), st.booleans())
def test_however_an_address_is_written_it_is_the_same(digits: str, separator: str, upper: bool) -> None:
    device = Device.model_validate({"id": "a", "address": spelt(digits, separator, upper=upper)})
    assert device.address == digits


@given(NUMBERS, st.booleans())
def test_what_a_device_calls_itself_is_its_address(number: str, upper: bool) -> None:
    device = Device.model_validate({"id": "a", "address": number.upper() if upper else number})
    assert device.address == number


def test_a_device_that_calls_itself_by_a_number_is_found_by_all_of_it_alone(tmp_path: Path) -> None:
    known = roster(tmp_path, 'id: watch, address: "867584030012345"', 'id: band, address: "C0:98:30:01:23:45"')
    for address, ident in (("867584030012345", "watch"), ("30012345", "band"), ("c09830012345", "band")):
        found = known.find(address)
        assert found is not None
        assert found.id == ident
    for address in ("367584030012345", "30012346", "0012345", "c19830012345"):
        assert known.find(address) is None


@given(
    st.lists(ADDRESSES | SERIAL_IDS, unique_by=lambda digits: digits[-8:], max_size=30),
    ADDRESSES | SERIAL_IDS | NUMBERS,
)
def test_every_device_is_found_as_itself_and_a_stranger_as_nobody(addresses: Sequence[str], other: str) -> None:
    known = Roster(tuple(Device(id=f"band-{n}", address=digits) for n, digits in enumerate(addresses)))
    for number, digits in enumerate(addresses):
        for spelling in (digits, digits[-8:]):
            found = known.find(spelling)
            assert found is not None
            assert found.id == f"band-{number}"
    serial_ids = {digits for digits in addresses if len(digits) == 8}  # of these the low digits are all that is known
    if other not in {*addresses, *(digits[-8:] for digits in addresses)} and other[-8:] not in serial_ids:
        assert known.find(other) is None


@pytest.mark.parametrize(
    "address",
    ['"C0:98:00:01:02"', '"C0:98:00:01:02:0G"', '""', "11223344", "1e5", "null", "[1]", '"00010203 "', "王", "a.b.c"],
)
def test_what_is_no_address_is_refused_with_what_one_looks_like(tmp_path: Path, address: str) -> None:
    (problem,) = refused(tmp_path, f"id: a, address: {address}")
    assert problem.startswith("2:22: devices.0.address")
    assert problem.endswith(
        'not an address; write "C0:98:00:01:02:03", a serial id of 8 hex digits, '
        "or what the device calls itself, 4 to 20 of 0-9 and a-z, in quotes"
    )


def test_doubled_ids_and_addresses_are_refused_with_the_line_of_the_first(tmp_path: Path) -> None:
    assert refused(
        tmp_path,
        'id: a, address: "C0:98:00:01:02:03"',
        'id: a, address: "C0:98:00:01:02:04"',
        'id: b, address: "c0-98-00-01-02-03"',
        'id: c, address: "00010204"',
        'id: d, address: "C1:98:00:01:02:03"',
    ) == [
        "3:10: the id 'a' stands in line 2 already; give each device an id of its own",
        f"4:22: the address stands in line 2 already; {CURE}",
        f"5:22: its last 8 digits are those of line 3: a serial receiver tells only these; {CURE}",
        f"6:22: its last 8 digits are those of line 2: a serial receiver tells only these; {CURE}",
    ]


def test_mistakes_of_every_entry_are_told_at_once(tmp_path: Path) -> None:
    problems = refused(
        tmp_path, "address: 00010203", "id: Ann Lee, address: 00010204", "id: c, adress: 00010205, address: 00010206"
    )
    assert [problem.split(": ")[0] for problem in problems] == ["2:5", "3:10", "4:13"]
    assert problems[0].endswith("add id: band-0001  # The device's id on the wire: no name, no address.")
    assert problems[2].endswith("unknown key 'adress'; did you mean 'address'?")


@pytest.mark.parametrize(
    ("buttons", "place", "told"),
    [
        ("{singel: sos}", 61, "devices.0.buttons.singel 'singel': no press of a key; write single, double, "),
        ("{single: soss}", 61, "devices.0.buttons.single 'soss': not one of the known words; write "),
        ("{single: none}", 52, "single is said to mean nothing; leave it out, and its press is an alert of kind"),
        ("{2: service_request}", 52, "write 2: {kind: service_request, service: shopping}, say"),
        ("{any: {kind: sos, service: ride}}", 52, "write any: {kind: service_request, service: shopping}, say"),
        ("{any: {kind: sos, window: 3s}}", 52, "any: only a fall has a window; take it out"),
        ("{any: {kind: sos, servce: ride}}", 70, "unknown key 'servce'; did you mean 'service'?"),
        ("sos", 52, "of the wrong kind; write keys with their values below it, indented, such as "),
    ],
)
def test_a_key_that_makes_no_sense_is_told(tmp_path: Path, buttons: str, place: int, told: str) -> None:
    (problem,) = refused(tmp_path, f'id: a, address: "C0:98:00:01:02:03", buttons: {buttons}')
    assert problem.startswith(f"2:{place}: ")
    assert told in problem


def test_two_devices_of_one_person_are_one_wearer_and_a_fixed_button_is_none(tmp_path: Path) -> None:
    known = roster(
        tmp_path,
        'id: a, address: "00000001", wearer: w-1',
        'id: b, address: "00000002", wearer: w-1',
        'id: c, address: "00000003", wearer: w-2',
        'id: d, address: "00000004", zone: toilet',
    )
    assert (known.wearers, len(known.devices)) == (2, 4)


@pytest.mark.parametrize("text", ["", "devices: []\n"])
def test_a_station_may_begin_without_devices(tmp_path: Path, text: str) -> None:
    (tmp_path / "devices.yaml").write_text(text)
    assert load_roster(tmp_path / "devices.yaml").devices == ()


def test_devices_that_are_alike_are_told_beside_everything_else_that_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "devices.yaml"
    path.write_text(
        'devices:\n  - {id: a, address: "00010203"}\n'
        '  - {id: a, address: "C0:98:00:01:02:03", wearer: W}\n  - {id: b}\n'
    )
    with pytest.raises(Refused) as refused:
        load_roster(path)
    assert [(problem.mark.line, problem.mark.column) for problem in refused.value.problems] == [
        (3, 10), (3, 22), (3, 51), (4, 5)
    ]  # fmt: skip
