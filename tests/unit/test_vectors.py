"""Every vector in tests/vectors: bytes that others published, and what their publisher says they mean.

One file per profile, named after it, with a list of `sound` vectors and one of `refused` ones. A vector has its `name`
and its `source` (which may stand at the top for all), and its bytes in one carrier or several:

- `manufacturer: ID HEX`, `service: UUID HEX`, `characteristic: UUID HEX`, `advert: HEX` (whole), `payload: HEX` (bare);
- `serial: HEX` (a whole frame) or `line: TEXT`: these are also fed byte by byte, and with rubbish around.

`sender`, `called` and `key` say of whom an advert is, by what name, and with which key. What must come out: `by` (the
profile, where it is not the file's), `values`, `occurrences` (in the words of golden frames), `absurd`; off the wire
`address` and `rssi`; and where they are stated `absent`, `address`, `auth`, `counter`, `reply`. Of a receiver that
passes on adverts, `relayed` is the advert and `then` what the Bluetooth profiles say of it. A refused vector states the
`reason`; `not_recognised` is what the profile does not take.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import yaml

from drivers.base import Address, BadFrame, Decoded, Instant, Packet, PacketKind, Said
from drivers.framing import LineFraming
from drivers.profile.compiled import field_of
from drivers.profile.links import FieldPlace
from drivers.profile.written import digits
from drivers.registry import Profiles
from tests.support.adverts import sections, uuid
from tests.support.vectors import FOLDER, Vector, found, key, payload

KEYS: dict[Address, bytes] = {}
PROFILES = Profiles.load(key_of=KEYS.get)
NOW = Instant(0, 0)
NOBODY = "0" * 12
RUBBISH = bytes.fromhex("a5a55a00a55a01027e5b")
AIR = ("manufacturer", "service", "characteristic", "advert")
WIRE = ("serial", "line")


class Case(NamedTuple):
    """One vector in one of its carriers."""

    profile: str
    vector: Vector
    carrier: str

    def __str__(self) -> str:
        return f"{self.profile}: {self.vector['name']}, {self.carrier}"


FILES = {path.stem: yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("*.yaml"))}


def cases(part: str, carriers: tuple[str, ...]) -> list[Any]:
    listed = (
        Case(profile, vector, carrier)
        for profile, file in FILES.items()
        for vector in file[part]
        for carrier in carriers
        if carrier in vector
    )
    return [pytest.param(case, id=str(case)) for case in listed]


def octets(written: str) -> bytes:
    return bytes.fromhex(digits(written))


def packets(case: Case) -> Iterator[Packet]:
    """What an adapter hands over of an advert or a value."""
    vector = case.vector
    if case.carrier == "advert":
        parts = list(sections(octets(vector["advert"])))
    else:
        name, _, content = vector[case.carrier].partition(" ")
        kind = PacketKind("service_data" if case.carrier == "service" else case.carrier)
        parts = [(kind, int(name, 16) if kind is PacketKind.MANUFACTURER else uuid(name), octets(content))]
    called = next((part[2].decode() for part in parts if part[0] is None), vector.get("called"))
    for kind, number, content in parts:
        if kind is not None:
            yield Packet("ble:hci0", kind, number, content, NOW, vector.get("sender", NOBODY), -60, called)


def heard(case: Case) -> list[Decoded]:
    """What the case's profile says of what an adapter hands over."""
    by = case.vector.get("by", case.profile)
    return [decoded for packet in packets(case) if (decoded := PROFILES.decode(packet)) and decoded.profile == by]


def bare(case: Case) -> Said | None:
    return PROFILES[case.profile].read(payload(case.vector), case.vector.get("sender"), key(case.vector))


def on_the_wire(case: Case) -> bytes:
    written = case.vector[case.carrier]
    return octets(written) if case.carrier == "serial" else PROFILES.framing(case.profile).wrap(written.encode())


def rubbish(profile: str) -> bytes:
    """What belongs to no frame; on a line it is one of its own."""
    framing = PROFILES.framing(profile)
    return RUBBISH + framing.delimiter if isinstance(framing, LineFraming) else RUBBISH


def fed(profile: str, stream: bytes, chunk: int) -> list[bytes | BadFrame]:
    deframer = PROFILES.framing(profile).deframer()
    return [each for at in range(0, len(stream), chunk) for each in deframer.feed(stream[at : at + chunk])]


def framed(profile: str, body: bytes) -> Decoded | None:
    return PROFILES.decode(Packet("serial:x", PacketKind.FRAME, profile, body, NOW))


def verdict(read: Callable[[], object]) -> str:
    """Why bytes are refused, if they are."""
    try:
        return "read" if read() else "not_recognised"
    except BadFrame as refused:
        return refused.reason


def verdict_on(profile: str, body: bytes | BadFrame) -> str:
    return body.reason if isinstance(body, BadFrame) else verdict(lambda: framed(profile, body))


def check(vector: Vector, decoded: Decoded) -> None:
    """That what was decoded is all that is stated, and nothing more."""
    said = found(decoded.said)
    stated = {"values": {}, "occurrences": [], "absurd": []}
    stated |= {name: vector[name] for name in said if name in vector and name != "address"}
    assert {name: said[name] for name in stated} == stated


@pytest.mark.parametrize("case", cases("sound", AIR))
def test_a_vector_off_the_air_says_what_its_source_says(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    vector = case.vector
    if "key" in vector:
        monkeypatch.setitem(KEYS, vector["sender"], key(vector))
    (decoded,) = heard(case)
    check(vector, decoded)
    assert decoded.address == vector.get("address", decoded.address)


@pytest.mark.parametrize("case", cases("sound", ("payload",)))
def test_a_bare_payload_says_the_same(case: Case) -> None:
    said = bare(case)
    assert said is not None
    check(case.vector, Decoded(case.profile, None, None, said))


@pytest.mark.parametrize("chunk", [1, 7, 4096])
@pytest.mark.parametrize("around", [False, True], ids=["alone", "in rubbish"])
@pytest.mark.parametrize("case", cases("sound", WIRE))
def test_a_vector_off_the_wire_says_what_its_source_says(case: Case, chunk: int, *, around: bool) -> None:
    rest = rubbish(case.profile) if around else b""
    frames = fed(case.profile, rest + on_the_wire(case) + rest, chunk)
    read = [framed(case.profile, each) for each in frames if isinstance(each, bytes)]
    (decoded,) = [each for each in read if each is not None]
    check(case.vector, decoded)
    vector = case.vector
    assert (decoded.address, decoded.rssi) == (vector.get("address"), vector.get("rssi"))


@pytest.mark.parametrize("case", [case for case in cases("sound", WIRE) if "relayed" in case.values[0].vector])
def test_a_relayed_advert_is_read_as_if_it_had_been_heard(case: Case) -> None:
    vector, profile = case.vector, PROFILES[case.profile]
    (body,) = fed(case.profile, on_the_wire(case), 4096)
    assert profile.file.serial is not None
    assert isinstance(profile.file.serial.relays, FieldPlace)
    assert isinstance(body, bytes)
    advert = field_of(profile, profile.file.serial.relays.field)(body)
    assert advert == vector["relayed"]
    then = vector.get("then", {"by": None})
    inside = Case(case.profile, {"advert": advert, "sender": vector["address"]}, "advert")
    decoded = [each for each in map(PROFILES.decode, packets(inside)) if each is not None]
    assert [each.profile for each in decoded] == [then["by"]] * ("then" in vector)
    for each in decoded:
        check(then, each)
        assert each.address == vector["address"]


@pytest.mark.parametrize("case", cases("refused", ("payload",)))
def test_a_malformed_payload_is_refused(case: Case) -> None:
    assert verdict(lambda: bare(case)) == case.vector["reason"]


@pytest.mark.parametrize("case", cases("refused", AIR))
def test_a_malformed_vector_off_the_air_is_refused(case: Case) -> None:
    assert verdict(lambda: heard(case)) == case.vector["reason"]


@pytest.mark.parametrize("chunk", [1, 7, 4096])
@pytest.mark.parametrize("case", cases("refused", WIRE))
def test_a_malformed_vector_off_the_wire_spoils_nothing_after_it(case: Case, chunk: int) -> None:
    good = next(each.values[0] for each in cases("sound", WIRE) if each.values[0].profile == case.profile)
    *broken, last = fed(case.profile, on_the_wire(case) + on_the_wire(good), chunk)
    reasons = [verdict_on(case.profile, each) for each in broken]
    assert reasons[0] == case.vector["reason"]
    assert "read" not in reasons
    assert isinstance(last, bytes)
    decoded = framed(case.profile, last)
    assert decoded is not None
    check(good.vector, decoded)


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_of_a_profile_with_sources_and_something_malformed(name: str) -> None:
    file = FILES[name]
    assert name in PROFILES.names
    assert set(file) <= {"source", "sound", "refused"}
    assert file["sound"]
    assert file["refused"]
    unsourced = [each["name"] for each in (*file["sound"], *file["refused"]) if "source" not in file | each]
    assert unsourced == []
