"""What the cloud may ask and say: every message on a subscribed topic is answered or counted, and never trusted."""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated

import msgspec

from gateway.alerts import Refusal
from gateway.allowance import Allowance
from gateway.desk import Desk
from gateway.errors import RequestRefused
from gateway.inputs import Accept, Clear
from gateway.model import Alert
from gateway.tray import Asked, Ruled
from gateway.trials import MINUTES, Minutes, Trials
from gateway.wire import Action, Json, Request, Wire, parse_ack, parse_request, request_id

ALERTS_LISTED = 100
LISTS = 2
"""Lists of the open alerts that wait at once: each takes its time from the presses behind it."""
UNDER_WAY = 8 << 10
"""Bytes of answers that may be on their way when another list is asked for: a slow line has alerts behind them."""
ACKS_AT_ONCE, ACKS_PER_S = 500, 50.0
"""A day's acknowledgements may come at once, when a box returns to a broker that has kept them."""
ASKED_AT_ONCE, ASKED_PER_S = 50, 5.0
"""Requests that are carried out, and refusals of floods that are answered; what is beyond is only counted."""

WHY = {
    Refusal.UNKNOWN: "no such alert at this station",
    Refusal.ALREADY_ACCEPTED: "somebody has accepted it already",
    Refusal.ALREADY_CLEARED: "it is cleared already",
    Refusal.WAS_CANCELLED: "the wearer has cancelled it",
}


class Call(msgspec.Struct, frozen=True):
    """A message as it came in, and how to answer it. `answer` is called once, with the verb and the bytes.

    `under_way` says how many bytes of answers the broker has yet to acknowledge.
    """

    topic: str
    payload: bytes
    retained: bool
    answer: Callable[[str, bytes], None]
    forget: Callable[[], None] = lambda: None
    """Called instead, where a flood is not even answered."""
    under_way: Callable[[], int] = lambda: 0


class TestWindow(msgspec.Struct, frozen=True):
    """The arguments of `test-window`. `session` is that of `state`: it proves that the request is no old one."""

    session: str
    by: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    device: str | None = None
    wearer: str | None = None
    minutes: Minutes = MINUTES


Verb = Callable[[Request, Call], None]


class Requests:
    """Carries out acknowledgements and the verbs `alerts`, `test-window`, and those of `told`, which only tell.

    `take` wants topics that `Topics` knows as one or the other. `counts` says what came, by outcome; a `flood` is what
    was not even answered.
    """

    def __init__(
        self,
        wire: Wire,
        desk: Desk,
        trials: Trials,
        session: Callable[[], str],
        told: Mapping[str, Callable[[], Json]],
        now_ms: Callable[[], int],
        counts: Counter[str],
    ) -> None:
        self.counts = counts
        self._wire = wire
        self._desk = desk
        self._trials = trials
        self._session = session
        self._now_ms = now_ms
        self._acks = Allowance(ACKS_AT_ONCE, ACKS_PER_S)
        self._asked = Allowance(ASKED_AT_ONCE, ASKED_PER_S)
        self._busy = Allowance(ASKED_AT_ONCE, ASKED_PER_S)
        self._lists = 0
        self._verbs: dict[str, Verb] = {
            **{verb: partial(self._tell, verb, what) for verb, what in told.items()},
            "alerts": self._alerts,
            "test-window": self._test_window,
        }

    def take(self, call: Call) -> None:
        topics = self._wire.topics
        alert, verb = topics.acked(call.topic), topics.verb(call.topic)
        now_ms = self._now_ms()
        admitted = (self._asked if alert is None else self._acks).take(now_ms)
        if not admitted and not self._busy.take(now_ms):
            self.counts["flood"] += 1
            call.forget()
            return
        asked = "ack" if alert is not None else verb or "unknown"
        try:
            self._carry_out(alert, verb or "", call, admitted=admitted)
        except RequestRefused as refused:
            self._refuse(asked, request_id(call.payload), call, refused)

    def _carry_out(self, alert: str | None, verb: str, call: Call, *, admitted: bool) -> None:
        if not admitted:
            raise RequestRefused("busy", "too much is asked at once; ask again later")
        if alert is not None:
            self._ack(alert, call)
        else:
            self._request(verb, call)

    def _ack(self, alert: str, call: Call) -> None:
        _not_retained(call)
        ack = parse_ack(call.payload)
        given = Accept(alert, ack.by) if ack.action is Action.ACCEPT else Clear(alert, ack.by)

        def heard(outcome: Alert | Refusal) -> None:
            if isinstance(outcome, Alert):
                self._answer("ack", ack.id, call, {"alert": alert, "state": outcome.state.value})
            else:
                refused = RequestRefused(outcome.value, f"{alert}: {WHY.get(outcome, 'it changes nothing')}")
                self._refuse("ack", ack.id, call, refused)

        if not self._desk.rule(Ruled(given, heard)):
            raise RequestRefused("busy", "too many acknowledgements wait; send it again")

    def _request(self, verb: str, call: Call) -> None:
        if verb not in self._verbs:
            raise RequestRefused("unknown_verb", f"known are {', '.join(sorted(self._verbs))}")
        _not_retained(call)
        self._verbs[verb](parse_request(call.payload), call)

    def _tell(self, verb: str, what: Callable[[], Json], request: Request, call: Call) -> None:
        self._answer(verb, request.id, call, what())

    def _alerts(self, request: Request, call: Call) -> None:
        if self._lists >= LISTS or call.under_way() > UNDER_WAY:
            raise RequestRefused("busy", "too many ask for the open alerts; ask again in a second")
        self._lists += 1

        def heard(open_alerts: list[Alert]) -> None:
            self._lists -= 1
            listed = [self._wire.alert_body(alert) for alert in open_alerts[:ALERTS_LISTED]]
            self._answer("alerts", request.id, call, {"total": len(open_alerts), "alerts": listed})

        self._desk.put(Asked(heard))

    def _test_window(self, request: Request, call: Call) -> None:
        try:
            wanted = msgspec.convert(request.args, TestWindow)
        except msgspec.ValidationError as error:
            raise RequestRefused("invalid", f"`args`: not as the contract says: {error}") from error
        if (wanted.device is None) == (wanted.wearer is None):
            raise RequestRefused("invalid", "`args`: name either a `device` or a `wearer`")
        if wanted.session != self._session():  # the broker keeps what was asked while we were away
            raise RequestRefused("stale", "asked of another session; take that of `state` and ask again")
        trial = self._trials.open(self._trials.meant(wanted.device, wanted.wearer), wanted.minutes, wanted.by)
        self._answer("test-window", request.id, call, self._wire.trial_body(trial))

    def _answer(self, verb: str, request: str, call: Call, result: Json) -> None:
        self.counts["ok"] += 1
        call.answer(verb, self._wire.answer(request, result))

    def _refuse(self, verb: str, request: str | None, call: Call, refused: RequestRefused) -> None:
        self.counts[refused.code] += 1
        call.answer(verb, self._wire.refusal(request, refused))


def _not_retained(call: Call) -> None:
    if call.retained:
        raise RequestRefused("retained", "a retained message is never carried out; publish it without the flag")
