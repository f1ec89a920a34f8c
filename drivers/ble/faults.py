"""What an error of BlueZ or of the bus means: the fault's name, its cure, and which rungs may heal it. Pure."""

from typing import NamedTuple

from drivers.base import LinkDown
from drivers.ble.ladder import Cause


class RadioDown(LinkDown):
    """A radio failed; `cause` says what the recovery ladder can do about it."""

    def __init__(self, fault: str, what: str, cure: str, cause: Cause) -> None:
        super().__init__(fault, what, cure)
        self.cause = cause


class _Meaning(NamedTuple):
    fault: str
    says: str
    cure: str
    cause: Cause


_RESTART = "if it stays, `systemctl restart bluetooth`; see `journalctl -u bluetooth`"
_NO_ADAPTER = _Meaning(
    "no_adapter",
    "there is no such Bluetooth adapter",
    "plug it in, or name another one: `bluetoothctl list` shows those that are there",
    Cause.ABSENT,
)
_NO_PERMISSION = _Meaning(
    "no_permission",
    "the system bus does not let the gateway use Bluetooth",
    "the unit has the group bluetooth in SupplementaryGroups: `systemctl cat station-gateway`; whoever runs it"
    " otherwise must be in that group",
    Cause.ELSEWHERE,
)
_NO_BLUETOOTHD = _Meaning(
    "no_bluetoothd", "bluetoothd does not run", "`systemctl enable --now bluetooth`", Cause.ELSEWHERE
)
_OFF = _Meaning(
    "radio_off", "the adapter is switched off", "it is switched on again; else `bluetoothctl power on`", Cause.OFF
)
_BLOCKED = _Meaning(
    "radio_blocked",
    "rfkill blocks the adapter",
    "`rfkill unblock bluetooth`; a hard block is a switch on the box",
    Cause.BLOCKED,
)
_FAILED = _Meaning("radio_failed", "BlueZ reports an error", _RESTART, Cause.FAILED)

_FREEDESKTOP, _BLUEZ = "org.freedesktop.DBus.Error.", "org.bluez.Error."
_MEANINGS = {
    _FREEDESKTOP + "UnknownObject": _NO_ADAPTER,
    _FREEDESKTOP + "UnknownMethod": _NO_ADAPTER,
    _FREEDESKTOP + "UnknownInterface": _NO_ADAPTER,
    _FREEDESKTOP + "AccessDenied": _NO_PERMISSION,
    _BLUEZ + "NotAuthorized": _NO_PERMISSION,
    _BLUEZ + "NotPermitted": _NO_PERMISSION,
    _FREEDESKTOP + "ServiceUnknown": _NO_BLUETOOTHD,
    _FREEDESKTOP + "NameHasNoOwner": _NO_BLUETOOTHD,
    _BLUEZ + "NotReady": _OFF,
    _BLUEZ + "Blocked": _BLOCKED,
    _BLUEZ + "InProgress": _FAILED._replace(
        fault="radio_busy", says="another program is just starting or stopping a scan"
    ),
    _BLUEZ + "Busy": _FAILED._replace(fault="radio_busy", says="the adapter is busy"),
    _BLUEZ + "Failed": _FAILED,
    _FREEDESKTOP + "NoReply": _FAILED._replace(says="BlueZ does not answer"),
}


def refused(adapter: str, name: str, text: str) -> RadioDown:
    """A D-Bus error by its name, as it befell `adapter`."""
    meaning = _MEANINGS.get(name, _FAILED)
    said = f" ({text})" if text and text != meaning.says else ""
    return _down(adapter, meaning, said)


def unanswered(adapter: str) -> RadioDown:
    return _down(adapter, _FAILED._replace(says="BlueZ does not answer"))


def failed(adapter: str, says: str) -> RadioDown:
    return _down(adapter, _FAILED, f" ({says})")


def absent(adapter: str, present: tuple[str, ...]) -> RadioDown:
    there = f"; there are {', '.join(present)}" if present else "; there is none at all"
    return _down(adapter, _NO_ADAPTER, there)


def removed(adapter: str) -> RadioDown:
    return _down(adapter, _NO_ADAPTER._replace(says="the adapter was removed"))


def switched_off(adapter: str) -> RadioDown:
    return _down(adapter, _OFF)


def blocked(adapter: str) -> RadioDown:
    return _down(adapter, _BLOCKED)


def no_bluetoothd(adapter: str, says: str) -> RadioDown:
    return _down(adapter, _NO_BLUETOOTHD._replace(says=says))


def no_bus(adapter: str, says: str) -> RadioDown:
    return RadioDown("no_dbus", f"{adapter}: {says}", "start the system bus: `systemctl start dbus`", Cause.ELSEWHERE)


def deaf(adapter: str, silence_s: int, witness: str | None) -> RadioDown:
    heard_nothing = f"{adapter}: nothing heard for {silence_s} s"
    if witness is None:
        cure = "none, where nobody is there; otherwise it heals itself"
        return RadioDown("radio_silent", heard_nothing, cure, Cause.SILENT)
    cure = "it is reset step by step; if that does not help, replace it"
    return RadioDown("radio_deaf", f"{heard_nothing}, although {witness}", cure, Cause.DEAF)


def _down(adapter: str, meaning: _Meaning, more: str = "") -> RadioDown:
    return RadioDown(meaning.fault, f"{adapter}: {meaning.says}{more}", meaning.cure, meaning.cause)
