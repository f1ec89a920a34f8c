"""What is published of each wearer's protection: judged in turns, sent where it is news, and anew for each session."""

from collections.abc import Callable, Mapping
from functools import partial

from gateway.board import Board
from gateway.health import Faults
from gateway.model import Message, Moment
from gateway.protection import Protection, State, Verdict, Wearer, verdict_body, way_of
from gateway.wire import Json, Wire


class Assurance:
    """`session` is the one that `state` names now; `rings`: the station is told of alerts that nobody accepts."""

    def __init__(
        self,
        protection: Protection,
        board: Board,
        wire: Wire,
        faults: Faults,
        session: Callable[[], str],
        now: Callable[[], Moment],
        *,
        rings: bool,
    ) -> None:
        self._protection, self._board, self._wire = protection, board, wire
        self._faults, self._session, self._now, self._rings = faults, session, now, rings
        self._told = ""
        self._left: dict[str, Verdict] = {}
        """Of whom nothing is said any more, while the topic may still hold something."""

    def begin(self, kept: Mapping[str, Verdict]) -> None:
        """Go on with what was said before; of whoever has left the roster, nothing is said any more."""
        wearers = {wearer.id: wearer for wearer in self._protection.wearers}
        for ident, verdict in kept.items():
            if (wearer := wearers.get(ident)) is not None:
                self._protection.restore(ident, verdict)
                self._board.lay(self._topic(ident), partial(self._made, wearer))
            else:
                self._leave(ident, verdict)

    def turn(self, part: int, parts: int, now: Moment) -> None:
        """Judge a part of the wearers."""
        if self._session() != self._told:
            self._told = self._session()
            self._board.again()
        way = way_of(self._faults, now, rings=self._rings)
        for wearer in self._protection.wearers[part::parts]:
            if self._protection.look(wearer, way, now):
                if self._protection.verdict(wearer.id) is None:
                    self._leave(wearer.id, Verdict(State.AWAY, (), now))
                else:
                    self._board.lay(self._topic(wearer.id), partial(self._made, wearer))

    def kept(self) -> dict[str, Verdict]:
        """Of whom the topics hold something, with what was said last."""
        self._left = {ident: verdict for ident, verdict in self._left.items() if self._topic(ident) in self._board}
        return {**self._left, **self._protection.verdicts}

    def _leave(self, ident: str, verdict: Verdict) -> None:
        self._left[ident] = verdict
        self._board.clear(self._topic(ident))

    def _topic(self, ident: str) -> str:
        return self._wire.topics.protection(ident)

    def _made(self, wearer: Wearer) -> Message:
        """The message, as things are now that it is sent: a broker that is back no longer stands against anybody."""
        now = self._now()
        self._protection.look(wearer, way_of(self._faults, now, rings=self._rings), now)
        verdict = self._protection.verdict(wearer.id)
        if verdict is None:
            return Message(self._topic(wearer.id), b"")
        return self._wire.protection(wearer.id, self._body(wearer, verdict))

    def _body(self, wearer: Wearer, verdict: Verdict) -> Json:
        devices = [self._device(device) for device in wearer.devices]
        return {"session": self._session()} | verdict_body(verdict, self._wire) | {"devices": devices}

    def _device(self, device: str) -> Json:
        seen = self._protection.supervision.seen(device)
        heard = self._wire.when(seen.at) if seen is not None else None
        return {"device": device, "last_heard": heard, "battery_level": seen.charge.level if seen is not None else None}
