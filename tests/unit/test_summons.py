"""What the daemon asks of the unit that does actions: names and pseudonyms, and nothing that could be more."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.summons import Summons, encode, parse

SUMMONS = Summons("siren", "01kas0hm4nq8tz6m3d7e9f1234", "sos", "band-0001", "hall", 2)


def test_what_is_asked_arrives() -> None:
    assert parse(encode(SUMMONS)) == SUMMONS
    assert parse(b'{"action":"siren","alert":"a","kind":"fall"}') == Summons("siren", "a", "fall")


def test_a_program_is_told_by_variables_which_are_empty_where_nothing_is_known() -> None:
    assert SUMMONS.environment() == {
        "STATION_GATEWAY_ACTION": "siren",
        "STATION_GATEWAY_ALERT": "01kas0hm4nq8tz6m3d7e9f1234",
        "STATION_GATEWAY_KIND": "sos",
        "STATION_GATEWAY_DEVICE": "band-0001",
        "STATION_GATEWAY_ZONE": "hall",
        "STATION_GATEWAY_COUNT": "2",
    }
    assert Summons("siren", "a", "fall").environment()["STATION_GATEWAY_ZONE"] == ""


@pytest.mark.parametrize("word", ["", "a b", "a\n", "$(reboot)", "../a", "A", "a" * 41, "\0", "é"])
@pytest.mark.parametrize("field", ["action", "alert", "kind", "device", "zone"])
def test_nothing_but_a_pseudonym_is_taken(field: str, word: str) -> None:
    line = encode(msgspec.to_builtins(SUMMONS) | {field: word})
    with pytest.raises(msgspec.ValidationError):
        parse(line)


@pytest.mark.parametrize("line", [b"", b"\n", b"[]", b"{}", b'{"action":1}', encode(SUMMONS)[:-1], b"\xff"])
def test_what_is_no_summons_is_refused(line: bytes) -> None:
    with pytest.raises((msgspec.MsgspecError, UnicodeDecodeError)):
        parse(line)


@pytest.mark.parametrize("more", [{"run": ["/bin/sh"]}, {"count": 0}, {"count": "1"}])
def test_no_other_key_is_taken_and_a_count_counts(more: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        parse(encode(msgspec.to_builtins(SUMMONS) | more))


@given(st.binary(max_size=200))
def test_rubbish_is_refused_in_no_other_way(line: bytes) -> None:
    with pytest.raises((msgspec.MsgspecError, UnicodeDecodeError)):
        parse(line)
