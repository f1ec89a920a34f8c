"""Pseudonyms hide what they are made from and agree wherever they must; ids sort by time."""

import base64
import hashlib
import hmac
from importlib.resources import files
from typing import Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from drivers.base import Instant
from gateway.identity import press_key, stranger, unique_id

KEYS = st.binary(min_size=1, max_size=64)
ADDRESSES = st.integers(0, (1 << 32) - 1).map("{:08x}".format)
TIMES = st.integers(0, (1 << 48) - 1)
CHANCES = st.binary(min_size=10, max_size=10)
PRESS_KEYS = yaml.safe_load(files("gateway.contract").joinpath("press-keys.yaml").read_text(encoding="utf-8"))
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


@pytest.mark.parametrize("row", PRESS_KEYS, ids=lambda row: row["text"])
def test_a_press_key_is_the_published_one(row: dict[str, Any]) -> None:
    fleet = row["fleet_key"].encode()
    assert press_key(fleet, row["address"], row["kind"], row["service"], row["counter"]) == row["key"]


@pytest.mark.parametrize("row", PRESS_KEYS, ids=lambda row: row["text"])
def test_the_published_press_keys_come_out_of_any_hmac(row: dict[str, Any]) -> None:
    """The page's recipe by itself, without a line of the gateway."""
    parts = (row["address"], row["kind"], row["service"] or "", row["counter"])
    assert row["text"] == "{}|{}|{}|{}".format(*parts)
    digest = hmac.new(row["fleet_key"].encode(), row["text"].encode(), hashlib.sha256).digest()
    number, letters = int.from_bytes(digest), "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    assert "".join(letters[number >> 256 - 5 * (place + 1) & 31] for place in range(26)) == row["key"]
    assert base64.b32encode(digest)[:26].decode() == row["key"]


@given(KEYS, KEYS, ADDRESSES, ADDRESSES, st.integers(0, 65535), st.integers(0, 65535))
def test_a_press_key_is_another_for_every_other_press_and_fleet(
    key: bytes, other_key: bytes, address: str, other_address: str, number: int, other_number: int
) -> None:
    here = (key, address, number)
    there = (other_key, other_address, other_number)
    assume(here == there or here[1:] != there[1:] or key.rstrip(b"\0") != other_key.rstrip(b"\0"))  # HMAC pads with 0
    made = [press_key(k, a, "sos", None, n) for k, a, n in (here, there)]
    assert (made[0] == made[1]) is (here == there)
    assert press_key(key, address, "fall", None, number) != made[0] != press_key(key, address, "sos", "ride", number)


@given(KEYS, ADDRESSES, ADDRESSES)
def test_a_stranger_s_name_is_its_own_and_does_not_show_the_address(key: bytes, address: str, other: str) -> None:
    name = stranger(key, address)
    assert name == stranger(key, address)
    assert (name == stranger(key, other)) is (address == other)
    assert name != stranger(key + b"x", address)
    assert address not in name
    assert len(name) == 18
    assert name.startswith("x-")


@given(TIMES, TIMES, CHANCES, CHANCES)
def test_ids_sort_by_time_and_then_by_chance(wall: int, other_wall: int, chance: bytes, other_chance: bytes) -> None:
    here, there = unique_id(Instant(wall, 0), chance), unique_id(Instant(other_wall, 5), other_chance)
    assert (here < there) is ((wall, chance) < (other_wall, other_chance))
    assert (here == there) is ((wall, chance) == (other_wall, other_chance))


@given(TIMES, CHANCES)
def test_time_and_chance_can_be_had_back_from_an_id(wall: int, chance: bytes) -> None:
    number = 0
    for letter in unique_id(Instant(wall, 0), chance):
        number = number << 5 | ALPHABET.index(letter)
    assert (number >> 80, (number & (1 << 80) - 1).to_bytes(10)) == (wall, chance)


def test_an_id_reads_as_a_ulid() -> None:
    chance = bytes.fromhex("d6764c61efb99302bd5b")
    assert unique_id(Instant(1_469_918_176_385, 0), chance).upper() == "01ARYZ6S41TSV4RRFFQ69G5FAV"
