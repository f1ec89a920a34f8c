"""Judgements on what the daemon is joined to, and on the daemon: radios, ports, brokers, certificates. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from gateway.box import ENDS, Certificate, Unseen
from gateway.doctor.facts import Adapter, Blocked, Port, Trouble, Welcome
from gateway.doctor.findings import Finding, Part, Sign
from gateway.doctor.standing import Daemon, NoDaemon

ALERTS_S = 60
"""Alerts that wait for so long do not get through: a connection that works takes some milliseconds."""
LISTEN_S = 600
"""Before the daemon has listened for so long, silence means nothing."""
MILD = frozenset({
    "clock_unsynced", "passive_unsupported", "radio_silent", "beacon_missing", "influx_busy", "quarantine_unsaved",
    "story_unsaved", "recording_unsaved", "control_absent", "control_taken", "capture_absent", "metrics_absent",
    "certificate_ends", "box_hot", "checkpoint_unsaved",
})  # fmt: skip
"""Faults of the daemon with which presses go on as ever."""
_RADIO = {
    "no_adapter": Sign.ADAPTER_ABSENT,
    "no_dbus": Sign.NO_BUS,
    "no_bluetoothd": Sign.NO_BLUETOOTHD,
    "no_permission": Sign.BLUETOOTH_DENIED,
}
_BROKER = {sign.word: sign for sign in Sign if sign.part is Part.BROKERS}


def adapter(fact: Adapter | Trouble, *, used: bool) -> Iterator[Finding]:
    """`used`: a daemon runs, and means to scan with it."""
    if isinstance(fact, Trouble):
        yield Finding(_RADIO.get(fact.fault, Sign.BLUETOOTH_FAILED), found=fact.what, cure=fact.cure)
        return
    yield Finding(Sign.BLUETOOTHD_RUNS, found=fact.bluetoothd or "?")
    where = f"{fact.name} ({fact.address})"
    if fact.blocked is Blocked.HARD:
        yield Finding(Sign.ADAPTER_SWITCHED_OFF, where)
    elif fact.blocked is Blocked.SOFT:
        yield Finding(Sign.ADAPTER_BLOCKED, where)
    elif not fact.powered:
        yield Finding(Sign.ADAPTER_OFF, where)
    elif used and not fact.scanning:
        yield Finding(Sign.ADAPTER_IDLE, where)
    else:
        yield Finding(Sign.ADAPTER_GOOD, where)


def port(fact: Port) -> Iterator[Finding]:
    if not fact.there:
        yield Finding(Sign.PORT_ABSENT, fact.port)
    elif not fact.terminal:
        yield Finding(Sign.PORT_NO_TERMINAL, fact.port)
    elif fact.holders:
        yield Finding(Sign.PORT_TAKEN, fact.port, ", ".join(fact.holders))
    elif fact.trouble is not None:
        yield Finding(Sign.PORT_FAILED, fact.port, fact.trouble)
    else:
        yield Finding(Sign.PORT_GOOD, fact.port)


def brokers(facts: Sequence[Welcome | Trouble]) -> Iterator[Finding]:
    """Each of the list; that none lets us in is one more."""
    for fact in facts:
        if isinstance(fact, Welcome):
            yield Finding(Sign.BROKER_GOOD, fact.endpoint)
        else:
            yield Finding(_BROKER[fact.fault], found=fact.what, cure=fact.cure)
    if all(isinstance(fact, Trouble) for fact in facts):
        yield Finding(Sign.NO_BROKER)


def certificate(fact: Certificate | Unseen, now: datetime) -> Iterator[Finding]:
    if isinstance(fact, Unseen):
        yield Finding(Sign.CERTIFICATE_UNREADABLE, fact.where, fact.why)
        return
    ends, days = f"{fact.ends:%Y-%m-%d %H:%M}", str((fact.ends - now).days)
    if fact.ends <= now:
        yield Finding(Sign.CERTIFICATE_ENDED, fact.where, more=ends)
    elif fact.begins > now:
        yield Finding(Sign.CERTIFICATE_EARLY, fact.where, more=f"{fact.begins:%Y-%m-%d %H:%M}")
    elif fact.ends <= now + ENDS:
        yield Finding(Sign.CERTIFICATE_ENDS, fact.where, days, ends)
    else:
        yield Finding(Sign.CERTIFICATE_GOOD, fact.where, days, ends)


def daemon(fact: Daemon | NoDaemon) -> Iterator[Finding]:
    if isinstance(fact, NoDaemon):
        yield Finding(Sign.DAEMON_DENIED if fact.denied else Sign.NO_DAEMON, fact.socket, fact.why)
        return
    yield Finding(Sign.DAEMON_RUNS, found=str(fact.uptime_s // 60))
    for fault in fact.faults:
        sign = Sign.DAEMON_WARNS if fault.fault in MILD else Sign.DAEMON_FAULT
        yield Finding(sign, fault.where, f"{fault.fault}: {fault.what}", cure=fault.cure)
    alerts = fact.lanes.get("alert")
    if alerts is not None and alerts.pending and alerts.oldest_s >= ALERTS_S:
        yield Finding(Sign.ALERTS_WAIT, found=str(alerts.pending), more=str(alerts.oldest_s // 60))
    for name, lane in fact.lanes.items():
        if lane.set_aside:
            yield Finding(Sign.SET_ASIDE, name, str(lane.set_aside))


def links(fact: Daemon, expected: Iterable[str]) -> Iterator[Finding]:
    """What each link brought, and which of the `expected` profiles read nothing of it."""
    patient = fact.uptime_s >= LISTEN_S
    for name, link in fact.links.items():
        if link.readings:
            yield Finding(Sign.LINK_HEARS, name, str(link.packets))
        elif link.heard:
            yield Finding(Sign.LINK_UNREAD, name, str(link.heard))
        elif link.up and patient:
            yield Finding(Sign.LINK_SILENT, name, str(fact.uptime_s // 60))
    read = {profile for link in fact.links.values() for profile in link.profiles}
    if patient:
        for name in expected:
            if name not in read:
                yield Finding(Sign.PROFILE_SILENT, name, str(fact.uptime_s // 60))
