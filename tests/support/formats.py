"""Every shipped format, as packets: made from its golden frames, whole or spoilt."""

from collections.abc import Iterator
from functools import cache

from drivers.base import BadFrame, Decoded, Instant, Packet, PacketKind
from drivers.profile.compiled import Profile, characteristics
from drivers.profile.model import Golden
from drivers.profile.recognition import Carrier, carriers
from drivers.registry import Profiles

NOW = Instant(0, 0)
SENDER = "c09800010203"
KEY = bytes(range(16))


@cache
def shipped() -> Profiles:
    return Profiles.load()


@cache
def keyed() -> Profiles:
    """The same, for a station that knows a key of every device."""
    return Profiles.load(key_of=lambda _: KEY)


def golden(profile: Profile) -> Iterator[tuple[Golden, Packet]]:
    """The golden frames that come over the air, as packets."""
    for frame in profile.file.golden:
        sections = (PacketKind.MANUFACTURER, frame.manufacturer), (PacketKind.SERVICE_DATA, frame.service_data)
        for kind, octets in sections:
            for carrier in carriers(profile.file.bluetooth):
                if octets is not None and carrier.kind is kind and octets.startswith(carrier.prefix):
                    yield frame, section(carrier, octets, frame.sender or SENDER)
        if frame.characteristic is not None:
            notified = frame.characteristic
            yield frame, Packet("ble:x", PacketKind.CHARACTERISTIC, notified.uuid, notified.payload, NOW, SENDER)
        yield from ((frame, body(profile, each)) for each in _unwrapped(profile, frame))


def _unwrapped(profile: Profile, frame: Golden) -> list[bytes]:
    if profile.framing is None:
        return []
    octets = profile.framing.wrap(frame.line.encode()) if frame.line is not None else frame.serial or b""
    return [each for each in profile.framing.deframer().feed(octets) if isinstance(each, bytes)]


def section(carrier: Carrier, octets: bytes, sender: str = SENDER) -> Packet:
    return Packet("ble:x", carrier.kind, carrier.key, octets, NOW, sender, -60)


def body(profile: Profile, octets: bytes) -> Packet:
    return Packet("serial:x", PacketKind.FRAME, profile.name, octets, NOW)


def ways_in(profile: Profile) -> list[Packet]:
    """One packet without a payload for each way in which packets of this profile come."""
    adverts = [section(carrier, carrier.prefix) for carrier in carriers(profile.file.bluetooth)]
    connected = characteristics(profile.file.bluetooth)
    told = [Packet("ble:x", PacketKind.CHARACTERISTIC, uuid, b"", NOW, SENDER) for uuid in connected]
    return [*adverts, *told, *([body(profile, b"")] if profile.frame else [])]


def decoded(profiles: Profiles, packet: Packet) -> Decoded | str | None:
    """What a packet says, or the reason for which it is refused."""
    try:
        return profiles.decode(packet)
    except BadFrame as refused:
        return refused.reason
