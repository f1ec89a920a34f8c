"""A station that is only what it says: for those who receive it, and for what no real station would lose."""

from collections.abc import Sequence

from gateway.alerts import PRESSES
from gateway.clock import Clock
from gateway.identity import press_key
from gateway.model import (
    Alert,
    AlertKey,
    AlertKind,
    AlertState,
    Draft,
    Gap,
    GapCause,
    Heard,
    Message,
    Press,
    Reason,
    Severity,
    Wearable,
)
from gateway.wire import Wire
from tests.support import contract
from tests.support.moments import BOOT, moment

ADDRESS = "00000001"
STRANGER = Wearable(ADDRESS, "x-0f3c9a1be27d6a54", registered=False)
Pressed = tuple[int | None, float]
"""A press: its number, where station and device have what makes a key, and the second at which it was heard."""


class PaperStation:
    """Numbers its messages as a station's alert lane does."""

    def __init__(self, name: str, epoch: str) -> None:
        clock = Clock(BOOT)
        clock.synced = True
        self.name, self._epoch, self._next = name, epoch, 1
        self._wire = Wire("398/v1", name, "0.1.0", clock)

    def alert(self, ident: str, presses: Sequence[Pressed], wearer: str | None = "w-0001") -> Message:
        """The alert of that id as it is once it was pressed so often."""
        every = tuple(Press(number and _key(number), moment(round(second * 1000))) for number, second in presses)
        who = Wearable(ADDRESS, "band-0001", wearer) if wearer else STRANGER
        alert = Alert(
            id=ident.rjust(26, "0"),
            key=AlertKey(who.subject, AlertKind.SOS, None, test=False),
            wearable=who,
            severity=Severity.CRITICAL,
            state=AlertState.RAISED,
            at=every[0].at,
            changed_at=every[-1].at,
            presses=every if len(every) <= PRESSES else (every[0], *every[1 - PRESSES :]),
            press_count=len(every),
            heard_by=(Heard("serial:rx", -67),),
        )
        return self._numbered(self._wire.alert(alert, Reason.PRESS, alert.changed_at))

    def gap(self, first: int, last: int, lane: str = "alert") -> Message:
        gap = Gap(lane, self._epoch, GapCause.SHED, moment(0), first, last, last - first + 1)
        return self._numbered(self._wire.gap(gap))

    def online(self) -> Message:
        lanes = {"alert": (self._epoch, self._next), "telemetry": ("eeeeeeee", 1)}
        return self._wire.online("0" * 26, moment(0), lanes)

    def lose(self, count: int = 1) -> None:
        """So many messages will never be heard of."""
        self._next += count

    def _numbered(self, draft: Draft) -> Message:
        message = draft.freeze(self._epoch, self._next)
        self._next += 1
        contract.check(message.topic, message.payload)
        return message


def _key(number: int) -> str:
    return press_key(b"fleet", ADDRESS, "sos", None, number)
