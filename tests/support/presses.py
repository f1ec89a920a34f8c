"""What the gateway makes of the presses that one device's frames tell."""

from drivers.base import Occurrence
from drivers.decoders.contract import Decode
from gateway.episodes import Episodes, Verdict
from tests.support.moments import moment


class Device:
    """One device on the air, its frames heard one by one."""

    def __init__(self, decode: Decode, address: str, key: bytes) -> None:
        self._decode, self._address, self._key = decode, address, key
        self._episodes = Episodes()

    def hear(self, frame: bytes, ms: int) -> list[Verdict]:
        readings = self._decode(frame, self._address, self._key).readings
        heard = [each for each in readings if isinstance(each, Occurrence)]
        return [self._episodes.hear(self._address, each, moment(ms), registered=True).verdict for each in heard]
