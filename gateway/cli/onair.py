"""Who is on the air: what each device said last, how strongly and how often it is heard. Pure: `now` is passed in."""

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator

import msgspec

from drivers.base import Address, BadFrame, Decoded, Instant, Measurement, Occurrence, Packet
from drivers.profile.golden import told, wording
from drivers.registry import Profiles
from gateway.cli.bench import titled
from gateway.cli.objects import device_of, event_of
from gateway.cli.sheet import worded

RATE_MS = 10_000
"""The time that a rate is counted over."""
DEVICES = 4_096
PARTS = 8
"""Different things remembered of one device: a phone may say anything."""


class Entry(msgspec.Struct, frozen=True):
    """One packet, or bytes that made none, as it is shown. `what` is a profile or what the packet is."""

    at: Instant
    link: str
    device: Address | None
    rssi: int | None
    what: str
    text: str


class Device:
    """One device, as last heard."""

    def __init__(self) -> None:
        self.last: Entry
        self._parts: OrderedDict[str, Entry] = OrderedDict()
        self._times: deque[int] = deque(maxlen=4_096)

    def hear(self, entry: Entry) -> None:
        self.last = self._parts[entry.what] = entry
        if len(self._parts) > PARTS:
            self._parts.popitem(last=False)
        if not self._times or self._times[-1] != entry.at.mono_ms:  # sections of one advert count once
            self._times.append(entry.at.mono_ms)

    @property
    def parts(self) -> Iterable[Entry]:
        """The latest of each thing that it says, the ones first that it began with."""
        return self._parts.values()

    def rate(self, now_ms: int) -> float:
        """Adverts or frames in a second, of late."""
        while self._times and now_ms - self._times[0] > RATE_MS:
            self._times.popleft()
        return len(self._times) * 1000 / RATE_MS


class OnAir:
    """The devices heard, by link and address; those of longest ago are forgotten beyond `DEVICES`."""

    def __init__(self) -> None:
        self.heard = 0
        self._devices: OrderedDict[tuple[str, str], Device] = OrderedDict()

    def hear(self, entry: Entry) -> None:
        self.heard += 1
        who = entry.link, entry.device or ""
        self._devices.setdefault(who, Device()).hear(entry)
        self._devices.move_to_end(who)
        if len(self._devices) > DEVICES:
            self._devices.popitem(last=False)

    def __len__(self) -> int:
        return len(self._devices)

    def __iter__(self) -> Iterator[Device]:
        """The strongest first: what a technician holds in the hand is at the top."""
        ordered = sorted(self._devices.items(), key=lambda each: (-(each[1].last.rssi or -999), each[0]))
        return (device for _, device in ordered)


def entries(packet: Packet, profiles: Profiles) -> Iterator[Entry]:
    """What a packet says, or why it says nothing; of a frame that passes an advert on, what that says."""
    try:
        decoded = profiles.decode(packet)
        inside = profiles.relayed(packet, decoded) if decoded else ()
    except BadFrame as bad:
        yield _unread(packet, f"{bad.reason}: {packet.payload.hex()}")
        return
    if inside:
        for section in inside:
            yield from entries(section, profiles)
    elif decoded is None:
        yield _unread(packet, packet.payload.hex())
    else:
        rssi = decoded.rssi if decoded.rssi is not None else packet.rssi
        yield Entry(packet.received, packet.link, device_of(packet, decoded), rssi, decoded.profile, said(decoded))


def _unread(packet: Packet, text: str) -> Entry:
    return Entry(packet.received, packet.link, packet.address, packet.rssi, titled(packet), text)


def said(decoded: Decoded) -> str:
    """Readings and occurrences in a line: what happens first."""
    occurred = (each for each in decoded.said.readings if isinstance(each, Occurrence))
    happened = [wording(told(each)) for each in occurred if event_of(each) is not None]
    measured = [worded(each) for each in decoded.said.readings if isinstance(each, Measurement)]
    absurd = [f"{name} absurd" for name in decoded.said.absurd]
    receiver = ["the receiver itself"] if decoded.address is None else []
    return "; ".join((*receiver, *happened, *measured, *absurd))
