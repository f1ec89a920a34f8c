"""All profiles in force: which packets they know, and what these packets say."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from drivers.base import BASE_UUID, Address, BuzzPattern, Decoded, KeyOf, Packet, PacketKind, Write
from drivers.framing import Framing
from drivers.marked import Mark, Problem, Refused
from drivers.profile.compiled import DecodesOrPasses, Profile, characteristics
from drivers.profile.connect import Connect
from drivers.profile.links import ConnectShape
from drivers.profile.load import load
from drivers.profile.recognition import admits, carriers
from drivers.relay import relayed

SHIPPED = Path(__file__).parent / "profiles"

AD_MANUFACTURER = 0xFF
AD_SERVICE_DATA = {2: 0x16, 4: 0x20, 16: 0x21}
AD_SERVICES = {2: (0x02, 0x03), 4: (0x04, 0x05), 16: (0x06, 0x07)}
PATTERN_MAX = 31
"""Bytes of a pattern that BlueZ looks at."""


class Candidate(NamedTuple):
    """A way to decode a section that begins so, of a device that is admitted."""

    prefix: bytes
    admits: Callable[[Packet], bool] | None
    decode: DecodesOrPasses
    choosy: bool = False
    """Whether it passes over payloads that are not filled as it knows them."""


def _no_key(_: Address) -> None:
    return None


class Profiles:
    """Immutable. Profiles that share a company id or UUID are told apart by their prefixes, the longest first.

    Of equal ones those go first that look at the device's name or address, or at what the payload is filled with.
    """

    def __init__(self, profiles: Iterable[Profile], key_of: KeyOf = _no_key) -> None:
        self._profiles = {profile.name: profile for profile in profiles}
        self.names = tuple(sorted(self._profiles))
        self.intervals = {profile.name: profile.file.interval for profile in self._profiles.values()}
        """How often the devices of each profile speak, in ms; 0: only when something happens, None: it says nothing."""
        self._decoders: dict[tuple[PacketKind, int | str], list[Candidate]] = {}
        for profile in self._profiles.values():
            for kind, key, candidate in _candidates(profile, key_of):
                self._decoders.setdefault((kind, key), []).append(candidate)
            for uuid in characteristics(profile.file.bluetooth):
                told = Candidate(b"", None, partial(self._told, profile))
                self._decoders.setdefault((PacketKind.CHARACTERISTIC, uuid), [told])
            if profile.frame:
                self._decoders[PacketKind.FRAME, profile.name] = [Candidate(b"", None, profile.frame)]
        for candidates in self._decoders.values():
            candidates.sort(key=_particular, reverse=True)
        self._relaying = frozenset(name for name, each in self._profiles.items() if each.relays)
        callers = [profile for profile in self._profiles.values() if _asks(profile)]
        self._called_by_section = any(carriers(profile.file.bluetooth) for profile in callers)

    @classmethod
    def load(cls, *site: Path, key_of: KeyOf = _no_key) -> "Profiles":
        """The shipped profiles and those in the `site` folders; a site profile takes a shipped one's place by name.

        `key_of` gives the keys of the devices that have one, by the address that sends.
        Refused: with every problem of every file, golden frames that decode otherwise among them.
        """
        problems: list[Problem] = []
        chosen: dict[str, tuple[Profile, Path]] = {}
        for folder in (SHIPPED, *site):
            loaded = _folder(folder, problems)
            problems += _twice(loaded, lambda profile: [profile.name], "the name")
            chosen |= {profile.name: (profile, path) for profile, path in loaded}
        problems += _twice(list(chosen.values()), _recognised_by, "what it is recognised by,")
        if problems:
            raise Refused(tuple(problems))
        return cls((profile for profile, _ in chosen.values()), key_of)

    def __getitem__(self, name: str) -> Profile:
        return self._profiles[name]

    def decode(self, packet: Packet) -> Decoded | None:
        """What `packet` says; None where no profile knows it. Raises BadFrame where one does and cannot read it."""
        for prefix, wanted, decode, _ in self._candidates(packet.kind, packet.key):
            if packet.payload.startswith(prefix) and (wanted is None or wanted(packet)):
                decoded = decode(packet)
                if decoded is not None:
                    return decoded
        return None

    def relayed(self, packet: Packet, decoded: Decoded) -> tuple[Packet, ...]:
        """The packets of an advert that a receiver passes on whole; none where it does not. Raises BadFrame."""
        if decoded.profile not in self._relaying:
            return ()
        inside = relayed(self._profiles[decoded.profile], packet, decoded)
        return inside.packets if inside is not None else ()

    def _candidates(self, kind: PacketKind, key: int | str) -> Iterable[Candidate]:
        """Who may know such a packet; a frame's key may be the names of several profiles, joined by `+`."""
        known = self._decoders.get((kind, key))
        if known is None and kind is PacketKind.FRAME:
            return chain.from_iterable(self._decoders.get((kind, name), ()) for name in str(key).split("+"))
        return known or ()

    def framing(self, profile: str) -> Framing:
        """How `profile` is framed on a serial line; KeyError where it is unknown or has no serial side."""
        framing = self._profiles[profile].framing
        if framing is None:
            raise KeyError(profile)
        return framing

    def knows(self, kind: PacketKind, key: int | str, payload: bytes) -> bool:
        """Whether any profile looks at such a section, and it begins as one of them wants it."""
        return any(payload.startswith(candidate.prefix) for candidate in self._candidates(kind, key))

    def looks_at(self, kind: PacketKind, key: int | str) -> bool:
        """Whether any profile looks at such sections, however they begin."""
        return any(True for _ in self._candidates(kind, key))

    def connect(
        self, services: Collection[str], manufacturer: Mapping[int, bytes], service_data: Mapping[str, bytes]
    ) -> Connect | None:
        """What connection the profiles of a device ask for, by what its advert lists and holds; None for none."""
        if not services and not self._called_by_section:
            return None  # so it is with most adverts
        mine = [each for each in self._profiles.values() if _matches(each, services, manufacturer, service_data)]
        asked = [connect for each in mine if (connect := _asks(each))]
        if not asked:
            return None
        polls = [shape.poll for shape in asked if shape.poll is not None]
        speaks = next((each for each in mine if each.file.bluetooth and each.file.bluetooth.buzz), mine[0])
        return Connect(
            profile=speaks.name,
            notify=tuple(dict.fromkeys(uuid for shape in asked for uuid in shape.notify)),
            read=tuple(dict.fromkeys(uuid for shape in asked for uuid in shape.read)),
            poll_ms=min(polls, default=None),
            alerts=any(profile.alerts for profile in mine),
            pair=any(shape.pair for shape in asked),
        )

    def patterns(self) -> tuple[tuple[int, bytes], ...]:
        """What a section of an advert begins with that any profile wants: its AD type, and its first bytes.

        AD types are those of the Assigned Numbers; a service may stand in a complete or in an incomplete list.
        """
        found: list[tuple[int, bytes]] = []
        for profile in self._profiles.values():
            for _, key, prefix, _ in carriers(profile.file.bluetooth):
                if isinstance(key, int):
                    found.append((AD_MANUFACTURER, key.to_bytes(2, "little") + prefix))
                else:
                    octets = _short(key)
                    found.append((AD_SERVICE_DATA[len(octets)], octets + prefix))
            for uuid in profile.file.bluetooth.services if profile.file.bluetooth else ():
                octets = _short(uuid)
                found += [(ad_type, octets) for ad_type in AD_SERVICES[len(octets)]]
        return tuple(dict.fromkeys((ad_type, octets[:PATTERN_MAX]) for ad_type, octets in found))

    def buzz(self, profile: str, link: str, address: Address, pattern: BuzzPattern) -> Write | None:
        """What makes a device buzz, ready for `link`; None where the profile states no way over such a link.

        Over Bluetooth the write is for `address` as given: pass the full one where the canonical one is cut.
        """
        return self._profiles[profile].buzz(link, address, pattern)

    def _told(self, otherwise: Profile, packet: Packet) -> Decoded:
        """A characteristic, read for the profile that the wearable was connected for."""
        return self._profiles.get(packet.profile or "", otherwise).characteristic(packet)


def _asks(profile: Profile) -> ConnectShape | None:
    """What connection a profile asks for."""
    return profile.file.bluetooth.connect if profile.file.bluetooth else None


def _matches(
    profile: Profile, services: Collection[str], manufacturer: Mapping[int, bytes], service_data: Mapping[str, bytes]
) -> bool:
    """Whether an advert is of a device that `profile` describes."""
    bluetooth = profile.file.bluetooth
    if bluetooth is None:
        return False
    if any(uuid in services for uuid in bluetooth.services):
        return True
    for _, key, prefix, _ in carriers(bluetooth):
        payload = manufacturer.get(key) if isinstance(key, int) else service_data.get(key)
        if payload is not None and payload.startswith(prefix):
            return True
    return False


def _short(uuid: str) -> bytes:
    """A UUID as adverts hold it, in as few bytes as it has."""
    if uuid.endswith(BASE_UUID):
        short = bytes.fromhex(uuid[:8])
        return (short[2:] if short.startswith(b"\0\0") else short)[::-1]
    return bytes.fromhex(uuid.replace("-", ""))[::-1]


def _folder(folder: Path, problems: list[Problem]) -> list[tuple[Profile, Path]]:
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix in {".yaml", ".yml"})
    except OSError as failed:
        cure = "name a folder that the gateway may read"
        problems.append(Problem(Mark(str(folder), 1, 1), f"no profiles: {failed.strerror}", cure))
        return []
    loaded = []
    for path in paths:
        try:
            loaded.append((load(path), path))
        except Refused as refused:
            problems += refused.problems
    return loaded


def _candidates(profile: Profile, key_of: KeyOf) -> Iterator[tuple[PacketKind, int | str, Candidate]]:
    wanted = admits(profile.file.bluetooth)
    for carrier in carriers(profile.file.bluetooth):
        candidate = Candidate(carrier.prefix, wanted, profile.advert(carrier, key_of), choosy=_choosy(profile))
        yield carrier.kind, carrier.key, candidate


def _choosy(profile: Profile) -> bool:
    return profile.file.decoder is None and all(layout.choosy for layout in profile.layouts)


def _particular(candidate: Candidate) -> tuple[int, bool, bool]:
    """The higher, the earlier it is tried."""
    return len(candidate.prefix), candidate.admits is not None, candidate.choosy


def _recognised_by(profile: Profile) -> list[object]:
    """What no other profile may be recognised by; a choosy one leaves over what it does not know."""
    bluetooth = profile.file.bluetooth
    if bluetooth is None or _choosy(profile):
        return []
    return [(carrier[:3], bluetooth.name, bluetooth.address) for carrier in carriers(bluetooth)]


def _twice(loaded: list[tuple[Profile, Path]], keys: Callable[[Profile], Iterable[object]], what: str) -> list[Problem]:
    """Two profiles that cannot be told apart."""
    seen: dict[object, Path] = {}
    problems = []
    for profile, path in loaded:
        for key in keys(profile):
            first = seen.setdefault(key, path)
            if first != path:
                said = f"{what} of the profile '{profile.name}' is already taken by {first}"
                problems.append(Problem(Mark(str(path), 1, 1), said, "change one, or keep only one of the files"))
    return problems
