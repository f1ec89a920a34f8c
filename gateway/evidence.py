"""What is kept of bytes as they came in: everything for half a minute, and what could not be read for a closer look."""

from drivers.base import Address, Instant, Packet, PacketKind
from gateway.quarantine import Quarantine
from gateway.recorder import Recorder


class Evidence:
    """Every call returns at once."""

    def __init__(self, quarantine: Quarantine, recorder: Recorder) -> None:
        self._quarantine, self._recorder = quarantine, recorder

    def heard(self, packet: Packet, device: Address | None) -> None:
        """A packet as it came over the air, and the device that it was found to be of."""
        self._recorder.heard(packet, device)

    def absurd(self, packet: Packet, fields: tuple[str, ...]) -> None:
        """A packet whose fields say what cannot be."""
        self._quarantine.add(packet.link, f"absurd {', '.join(fields)}", packet.payload, packet.received)

    def unread(self, link: str, reason: str, payload: bytes, received: Instant) -> None:
        """A packet that a profile should have read, and could not."""
        self._quarantine.add(link, reason, payload, received)
        self._recorder.failed(link)

    def rejected(self, link: str, reason: str, payload: bytes, received: Instant) -> None:
        """Bytes that made no packet."""
        self._recorder.rejected(Packet(link, PacketKind.FRAME, "", payload, received), reason)
        self.unread(link, reason, payload, received)
