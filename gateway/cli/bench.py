"""What profiles make of bytes: which one reads them, which others look at them, and why these do not. Pure."""

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from drivers.base import BASE_UUID, Address, BadFrame, Decoded, KeyOf, Packet, PacketKind
from drivers.ble.sections import Sections
from drivers.framing import BracketedFraming, Framing, LineFraming, Refusal
from drivers.profile.compiled import Profile
from drivers.profile.golden import ANY_ADDRESS
from drivers.profile.recognition import carriers
from drivers.registry import Profiles
from drivers.relay import relayed
from gateway.cli.given import AT, LINK, Given, Heard, Quarantined, Stream

WORDS = {
    "too_short": "it ends before its last field",
    "no_key": "it is encrypted, and no key is known for this device; give it with --key-file",
    "decryption": "the code is wrong under this key and address, so nothing of it can be believed",
    "no_address": "it does not say who sent it",
    "key_size": "the key has another size than this format wants",
    "malformed": "its parts do not fit together as this format has them",
    "version": "it is of a version that is not read",
}
"""What a decoder's reasons mean."""
CUT, NONE = "incomplete", "no_frame"
"""Why a framing finds nothing: the frame goes on behind the end, or there is none."""


class Refused(msgspec.Struct, frozen=True):
    """Why bytes are not read; `by` is the profile that they belong to, None where they may be anything."""

    by: str | None
    reason: str
    why: str

    def __str__(self) -> str:
        return f"{self.reason}: {self.why}" if self.why else self.reason


class Outcome(msgspec.Struct, frozen=True):
    """What became of one packet, or of bytes that make none: decoded, refused, or neither where nothing knows it.

    `others` are profiles that look at such packets, each with why it is not the one. `relayed` is the advert that a
    frame passes on: then that is what counts.
    """

    title: str
    octets: bytes
    packet: Packet | None = None
    decoded: Decoded | None = None
    refused: Refused | None = None
    others: tuple[tuple[str, str], ...] = ()
    relayed: "Read | None" = None

    @property
    def read(self) -> bool:
        return self.relayed.decoded if self.relayed is not None else self.decoded is not None


class Read(msgspec.Struct, frozen=True):
    """One thing that was given, and what became of each part of it. `sender` is who sent it, where that is known."""

    outcomes: tuple[Outcome, ...]
    where: str = ""
    sections: Sections | None = None
    sender: Address | None = None

    @property
    def decoded(self) -> bool:
        return any(outcome.read for outcome in self.outcomes)


class Bench:
    """Asks all profiles together which of them counts, and each alone what it would make of it."""

    def __init__(self, profiles: Profiles, key_of: KeyOf) -> None:
        self.profiles = profiles
        self._serial = tuple(name for name in profiles.names if profiles[name].framing is not None)
        self._alone = {name: Profiles([profiles[name]], key_of) for name in profiles.names}

    def read(self, given: Given) -> Read:
        match given:
            case Heard(packets=packets, sender=sender, where=where, sections=sections):
                outcome = self._single if given.single else self.packet
                return Read(tuple(map(outcome, packets)), where, sections, sender)
            case Stream():
                return Read(self._stream(given))
            case Quarantined():
                return Read((self._quarantined(given),), f"{given.where}, {given.at} {given.link} {given.reason}")

    def packet(self, packet: Packet) -> Outcome:
        looking = {name: self._try(name, packet) for name in self._alone if self._looks(name, packet)}
        decoded = refused = None
        try:
            decoded = self.profiles.decode(packet)
        except BadFrame as bad:
            alike = (n for n, found in looking.items() if isinstance(found, BadFrame) and found.reason == bad.reason)
            by = next(alike, None)
            refused = Refused(by, bad.reason, WORDS.get(bad.reason, ""))
        chosen = decoded.profile if decoded else refused.by if refused else None
        others = tuple((name, self._why(name, packet, found)) for name, found in looking.items() if name != chosen)
        relayed = self._relayed(packet, decoded) if decoded else None
        return Outcome(titled(packet), packet.payload, packet, decoded, refused, others, relayed)

    def _single(self, packet: Packet) -> Outcome:
        """A section whose device may well be called what a profile wants: nothing here says otherwise."""
        outcome = self.packet(packet)
        if outcome.decoded is None and outcome.refused is None:
            sides = (self.profiles[name].file.bluetooth for name, _ in outcome.others)
            named = (self.packet(replace(packet, name=side.name)) for side in sides if side and side.name)
            return next((each for each in named if each.decoded), outcome)
        return outcome

    def _relayed(self, packet: Packet, decoded: Decoded) -> Read | None:
        """The advert in a frame that passes one on; an empty one where it is none."""
        try:
            advert = relayed(self.profiles[decoded.profile], packet, decoded)
        except BadFrame as bad:
            return Read((Outcome("advert", packet.payload, refused=Refused(decoded.profile, bad.reason, "")),))
        if advert is None:
            return None
        return Read(tuple(map(self.packet, advert.packets)), "", advert.sections, decoded.address)

    def _looks(self, name: str, packet: Packet) -> bool:
        if packet.kind is PacketKind.FRAME:
            return name in str(packet.key).split("+")
        return self._alone[name].looks_at(packet.kind, packet.key)

    def _try(self, name: str, packet: Packet) -> Decoded | BadFrame | None:
        try:
            return self._alone[name].decode(packet)
        except BadFrame as bad:
            return bad

    def _why(self, name: str, packet: Packet, found: Decoded | BadFrame | None) -> str:
        """Why a profile that looks at such packets is not the one that reads this."""
        if isinstance(found, Decoded):
            return "would read it too; another goes first"
        if isinstance(found, BadFrame):
            return f"{found.reason}: {WORDS.get(found.reason, '')}"
        found_in = carriers(self.profiles[name].file.bluetooth)
        wanted = [each.prefix for each in found_in if (each.kind, each.key) == (packet.kind, packet.key)]
        if not wanted or any(packet.payload.startswith(prefix) for prefix in wanted):
            return "wants other values in it, or a device of another name or address"
        begins = packet.payload[: max(map(len, wanted))].hex() or "nothing"
        return f"wants {' or '.join(prefix.hex() for prefix in wanted)} in front, there is {begins}"

    def _stream(self, stream: Stream) -> tuple[Outcome, ...]:
        """As the first profile cuts and reads it that can; else as the nearest does, whose frames are broken."""
        tried = {name: self._frames(self.profiles[name], stream) for name in stream.names}
        best = max(tried, key=lambda name: _rank(tried[name]), default="")
        if not best or not _rank(tried[best]):
            return (Outcome("serial line", stream.octets, others=_summed(tried)),)
        others = _summed({name: outcomes for name, outcomes in tried.items() if name != best})
        first, *rest = tried[best]
        return replace(first, others=(*first.others, *others)), *rest

    def _frames(self, profile: Profile, stream: Stream) -> list[Outcome]:
        """Every frame and all rubbish between, as the profile's framing cuts them."""
        framing = profile.framing
        if framing is None:
            return []
        octets = _framed(framing, stream.octets) if stream.text else stream.octets
        heard = framing.deframer().feed(octets) or [BadFrame(CUT if framing.claims(octets) else NONE, octets)]
        return [
            _broken(profile, framing, each)
            if isinstance(each, BadFrame)
            else self.packet(Packet(LINK, PacketKind.FRAME, profile.name, each, AT))
            for each in heard
        ]

    def _quarantined(self, line: Quarantined) -> Outcome:
        """As what a link delivers, if it looks like it. What kind of packet it was is not kept."""
        outcomes = list(self._guesses(line))
        read = (outcome for outcome in outcomes if outcome.read)
        refused = (outcome for outcome in outcomes if outcome.refused)
        return next(read, None) or next(refused, None) or Outcome("bytes", line.octets)

    def _guesses(self, line: Quarantined) -> Iterator[Outcome]:
        """Bytes of a serial line, the body of a sound frame on one, or a section that begins as some profile wants."""
        if line.link.startswith("serial:") and line.reason in set(Refusal):
            yield from self._stream(Stream(line.octets, self._serial))
        elif line.link.startswith("serial:"):
            bodies = (Packet(line.link, PacketKind.FRAME, name, line.octets, AT) for name in self._serial)
            yield from map(self.packet, bodies)
        else:
            yield from self._sections(line)

    def _sections(self, line: Quarantined) -> Iterator[Outcome]:
        for name in self.profiles.names:
            for carrier in carriers(self.profiles[name].file.bluetooth):
                if carrier.prefix and line.octets.startswith(carrier.prefix):
                    yield self.packet(Packet(line.link, carrier.kind, carrier.key, line.octets, AT, ANY_ADDRESS))


def titled(packet: Packet) -> str:
    """`manufacturer data of company 0xFFFF`: what a packet is."""
    if isinstance(packet.key, int):
        return f"manufacturer data of company 0x{packet.key:04X}"
    if packet.kind is PacketKind.FRAME:
        return "serial frame"
    what = "service data of" if packet.kind is PacketKind.SERVICE_DATA else "characteristic"
    return f"{what} {short(packet.key)}"


def short(uuid: str) -> str:
    """A UUID as people write it: in four or eight digits, where it has so few."""
    if not uuid.endswith(BASE_UUID):
        return uuid
    return f"0x{uuid.removesuffix(BASE_UUID).removeprefix('0000').upper()}"


def _framed(framing: Framing, text: bytes) -> bytes:
    """A line of text as it stands on the wire; as it is where this framing carries no text, or not such a line."""
    if not isinstance(framing, LineFraming | BracketedFraming) or framing.claims(text):
        return text
    try:
        return framing.wrap(text)
    except ValueError:
        return text


def _broken(profile: Profile, framing: Framing, bad: BadFrame) -> Outcome:
    ours = bad.reason != Refusal.RUBBISH and framing.claims(bad.payload)
    refused = Refused(profile.name if ours else None, bad.reason, framing.explain(bad.payload))
    return Outcome("serial line", bad.payload, refused=refused)


def _rank(outcomes: list[Outcome]) -> int:
    """How near a profile comes to a serial line: 2 where it reads some of it, 1 where its frames are broken."""
    if any(outcome.decoded for outcome in outcomes):
        return 2
    return int(any(outcome.refused and outcome.refused.by for outcome in outcomes))


def _summed(tried: dict[str, list[Outcome]]) -> tuple[tuple[str, str], ...]:
    """What each profile makes of a serial line that is not read under it."""
    return tuple((name, _sum(outcomes)) for name, outcomes in tried.items())


def _sum(outcomes: list[Outcome]) -> str:
    if any(outcome.decoded for outcome in outcomes):
        return "would read it too; another goes first"
    return next((str(outcome.refused) for outcome in outcomes if outcome.refused), "wants other values in it")
