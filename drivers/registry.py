"""All profiles in force: which packets they know, and what these packets say."""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from pathlib import Path

from drivers.base import Address, BuzzPattern, Decoded, Packet, PacketKind, Write
from drivers.framing import Framing
from drivers.marked import Mark, Problem, Refused
from drivers.profile.compiled import Profile, carriers, characteristics
from drivers.profile.connect import Connect
from drivers.profile.links import ConnectShape
from drivers.profile.load import load
from drivers.profile.written import BASE_UUID

SHIPPED = Path(__file__).parent / "profiles"

AD_MANUFACTURER = 0xFF
AD_SERVICE_DATA = {2: 0x16, 4: 0x20, 16: 0x21}
AD_SERVICES = {2: (0x02, 0x03), 4: (0x04, 0x05), 16: (0x06, 0x07)}
PATTERN_MAX = 31
"""Bytes of a pattern that BlueZ looks at."""

Decode = Callable[[Packet], Decoded]


class Profiles:
    """Immutable. Profiles that share a company id or UUID are told apart by their prefixes, the longest first."""

    def __init__(self, profiles: Iterable[Profile]) -> None:
        self._profiles = {profile.name: profile for profile in profiles}
        self.names = tuple(sorted(self._profiles))
        self._decoders: dict[tuple[PacketKind, int | str], list[tuple[bytes, Decode]]] = {}
        for profile in self._profiles.values():
            for kind, key, prefix in carriers(profile.file.bluetooth):
                self._decoders.setdefault((kind, key), []).append((prefix, profile.advert(prefix)))
            for uuid in characteristics(profile.file.bluetooth):
                self._decoders.setdefault((PacketKind.CHARACTERISTIC, uuid), [(b"", partial(self._told, profile))])
            if profile.frame:
                self._decoders[PacketKind.FRAME, profile.name] = [(b"", profile.frame)]
        for candidates in self._decoders.values():
            candidates.sort(key=lambda candidate: len(candidate[0]), reverse=True)
        callers = [profile for profile in self._profiles.values() if _asks(profile)]
        self._called_by_section = any(carriers(profile.file.bluetooth) for profile in callers)

    @classmethod
    def load(cls, *site: Path) -> "Profiles":
        """The shipped profiles and those in the `site` folders; a site profile takes a shipped one's place by name.

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
        return cls(profile for profile, _ in chosen.values())

    def __getitem__(self, name: str) -> Profile:
        return self._profiles[name]

    def decode(self, packet: Packet) -> Decoded | None:
        """What `packet` says; None where no profile knows it. Raises BadFrame where one does and cannot read it."""
        for prefix, decode in self._decoders.get((packet.kind, packet.key), ()):
            if packet.payload.startswith(prefix):
                return decode(packet)
        return None

    def framing(self, profile: str) -> Framing:
        """How `profile` is framed on a serial line; KeyError where it is unknown or has no serial side."""
        framing = self._profiles[profile].framing
        if framing is None:
            raise KeyError(profile)
        return framing

    def knows(self, kind: PacketKind, key: int | str) -> bool:
        """Whether any profile looks at such a section."""
        return (kind, key) in self._decoders

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
            alerts=any(profile.file.occurrences for profile in mine),
            pair=any(shape.pair for shape in asked),
        )

    def patterns(self) -> tuple[tuple[int, bytes], ...]:
        """What a section of an advert begins with that any profile wants: its AD type, and its first bytes.

        AD types are those of the Assigned Numbers; a service may stand in a complete or in an incomplete list.
        """
        found: list[tuple[int, bytes]] = []
        for profile in self._profiles.values():
            for _, key, prefix in carriers(profile.file.bluetooth):
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
    company, data = bluetooth.manufacturer, bluetooth.service_data
    if company and manufacturer.get(company.company, b"-").startswith(company.prefix):
        return company.company in manufacturer
    return bool(data and data.uuid in service_data and service_data[data.uuid].startswith(data.prefix))


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


def _recognised_by(profile: Profile) -> list[tuple[PacketKind, int | str, bytes]]:
    return carriers(profile.file.bluetooth)


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
