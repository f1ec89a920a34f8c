"""Lines of one device that says who it is once, and not again in what it sends after that."""

from dataclasses import dataclass

from drivers.base import BadFrame
from drivers.framing.contract import Deframer, Framing


@dataclass(frozen=True, slots=True)
class LoginFraming:
    """Another framing, with the device's id in front of every body.

    A body that begins with `begins` is a login: from `at` on, it tells the id in `size` bytes. It is put before this
    body and all that follow on the line. Until a device has logged in, zeros stand for its id: a press must not wait
    for a name.
    """

    framing: Framing
    begins: bytes
    at: int
    size: int

    def deframer(self) -> Deframer:
        return _LoginDeframer(self, self.framing.deframer())

    def wrap(self, body: bytes) -> bytes:
        return self.framing.wrap(body[self.size :])

    def claims(self, octets: bytes) -> bool:
        return self.framing.claims(octets)

    def explain(self, octets: bytes) -> str:
        return self.framing.explain(octets)


class _LoginDeframer:
    def __init__(self, login: LoginFraming, deframer: Deframer) -> None:
        self._login, self._deframer = login, deframer
        self._device = bytes(login.size)

    def feed(self, chunk: bytes) -> list[bytes | BadFrame]:
        return [each if isinstance(each, BadFrame) else self._named(each) for each in self._deframer.feed(chunk)]

    def _named(self, body: bytes) -> bytes:
        login = self._login
        if body.startswith(login.begins) and len(body) >= login.at + login.size:
            self._device = body[login.at : login.at + login.size]
        return self._device + body
