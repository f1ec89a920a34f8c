"""Every word that `alerts`, `devices`, `outbox` and `doctor` say: english.py and chinese.py fill it in."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from gateway import story
from gateway.doctor.findings import Level, Part, Sign
from gateway.model import AlertKind, AlertState, Reason, Severity
from gateway.protection import Flaw, State


class Told(NamedTuple):
    """How a sign is told: what is so, and what to do where something is to be done."""

    what: str
    cure: str = ""


class Words(msgspec.Struct, frozen=True):
    """One language. What stands in braces is filled in."""

    kinds: Mapping[AlertKind, str]
    severities: Mapping[Severity, str]
    states: Mapping[AlertState, str]
    reasons: Mapping[Reason, str]
    """What was decided, and why."""
    services: Mapping[str, str]
    """The usual ones; others are said as they are configured."""
    refusals: Mapping[str, str]
    """By the code of an answer."""
    protection: Mapping[State, str]
    flaws: Mapping[Flaw, str]
    happenings: Mapping[type[story.Happening], str]
    levels: Mapping[Level, str]
    parts: Mapping[Part, str]
    signs: Mapping[Sign, Told]
    """What `doctor` finds."""

    alert: str
    who: str
    what: str
    severity: str
    state: str
    since: str
    presses: str
    zone: str
    heard_by: str
    number: str
    device: str
    wearer: str
    last_heard: str
    link: str
    signal: str
    battery: str
    protected: str
    alerts: str

    nothing_open: str
    open_alerts: str
    wearables: str
    no_story: str
    never: str
    lasting: str
    station: str
    stranger: str
    unconfirmed: str
    test: str
    late: str
    storm: str
    not_worn: str
    replayed: str
    by: str
    comma: str
    because: str
    service: str
    accepted: str
    cleared: str
    test_window: str
    now: str
    minutes: str
    hours: str
    days: str
    unsynced: str
    failed: str
    press_key: str
    refused: str
    no_daemon: str
    from_files: str
    denied: str
    lanes: str
    reason: str
    row_refused: str
    row_aside: str
    retried: str
    nothing_refused: str
