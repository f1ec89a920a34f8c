"""All profiles in force: which packets they know, and what these packets say."""

from collections.abc import Callable, Iterable
from pathlib import Path

from drivers.base import Address, BuzzPattern, Decoded, Packet, PacketKind, Write
from drivers.framing import Framing
from drivers.marked import Mark, Problem, Refused
from drivers.profile.compiled import Profile, carriers
from drivers.profile.load import load

SHIPPED = Path(__file__).parent / "profiles"

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
            if profile.frame:
                self._decoders[PacketKind.FRAME, profile.name] = [(b"", profile.frame)]
        for candidates in self._decoders.values():
            candidates.sort(key=lambda candidate: len(candidate[0]), reverse=True)

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

    def buzz(self, profile: str, link: str, address: Address, pattern: BuzzPattern) -> Write | None:
        """What makes a device buzz, ready for `link`; None where the profile states no way over such a link.

        Over Bluetooth the write is for `address` as given: pass the full one where the canonical one is cut.
        """
        return self._profiles[profile].buzz(link, address, pattern)


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
