"""What `doctor` can find: of which part of the station it is, how bad that is, and what is told of it. No I/O."""

from collections.abc import Iterable
from enum import Enum, IntEnum, StrEnum

import msgspec


class Level(IntEnum):
    """How bad it is; the worst is the exit code."""

    OK = 0
    WARNING = 1
    ERROR = 2


class Part(StrEnum):
    CONFIGURATION = "configuration"
    CLOCK = "clock"
    TEMPERATURE = "temperature"
    DISK = "disk"
    PERMISSIONS = "permissions"
    UNITS = "units"
    BLUETOOTH = "bluetooth"
    SERIAL = "serial"
    BROKERS = "brokers"
    CERTIFICATES = "certificates"
    DAEMON = "daemon"
    LINKS = "links"

    @property
    def place(self) -> int:
        """In what is told: what others rest on comes first."""
        return list(Part).index(self)


class Sign(Enum):
    """Each has one level, one sentence and one cure in each language."""

    def __init__(self, _name: str, part: Part, level: Level) -> None:
        self.part, self.level = part, level

    CONFIG_GOOD = "config_good", Part.CONFIGURATION, Level.OK
    CONFIG_DOUBTFUL = "config_doubtful", Part.CONFIGURATION, Level.WARNING
    CONFIG_WRONG = "config_wrong", Part.CONFIGURATION, Level.ERROR

    CLOCK_SYNCED = "clock_synced", Part.CLOCK, Level.OK
    CLOCK_UNSYNCED = "clock_unsynced", Part.CLOCK, Level.WARNING
    CLOCK_IMPLAUSIBLE = "clock_implausible", Part.CLOCK, Level.ERROR
    CLOCK_BEHIND = "clock_behind", Part.CLOCK, Level.ERROR

    COOL = "cool", Part.TEMPERATURE, Level.OK
    HOT = "hot", Part.TEMPERATURE, Level.WARNING
    TOO_HOT = "too_hot", Part.TEMPERATURE, Level.ERROR

    DISK_GOOD = "disk_good", Part.DISK, Level.OK
    DISK_TIGHT = "disk_tight", Part.DISK, Level.WARNING
    DISK_FULL = "disk_full", Part.DISK, Level.ERROR
    DISK_CROWDED = "disk_crowded", Part.DISK, Level.ERROR
    DISK_READ_ONLY = "disk_read_only", Part.DISK, Level.ERROR
    DISK_VOLATILE = "disk_volatile", Part.DISK, Level.ERROR
    DISK_UNFIT = "disk_unfit", Part.DISK, Level.ERROR
    DISK_UNSEEN = "disk_unseen", Part.DISK, Level.ERROR
    WEAR_LOW = "wear_low", Part.DISK, Level.OK
    WEAR_HIGH = "wear_high", Part.DISK, Level.WARNING
    WORN_OUT = "worn_out", Part.DISK, Level.ERROR

    ALLOWED = "allowed", Part.PERMISSIONS, Level.OK
    UNREADABLE = "unreadable", Part.PERMISSIONS, Level.ERROR
    UNWRITABLE = "unwritable", Part.PERMISSIONS, Level.ERROR
    HIDDEN = "hidden", Part.PERMISSIONS, Level.ERROR
    SHUT_IN = "shut_in", Part.PERMISSIONS, Level.ERROR
    SECRET_OPEN = "secret_open", Part.PERMISSIONS, Level.WARNING
    NOT_ROOT = "not_root", Part.PERMISSIONS, Level.WARNING

    UNIT_GOOD = "unit_good", Part.UNITS, Level.OK
    UNIT_ABSENT = "unit_absent", Part.UNITS, Level.WARNING
    UNIT_DISABLED = "unit_disabled", Part.UNITS, Level.ERROR
    UNIT_STOPPED = "unit_stopped", Part.UNITS, Level.ERROR
    NO_SYSTEMD = "no_systemd", Part.UNITS, Level.WARNING
    SOCKET_GOOD = "socket_good", Part.UNITS, Level.OK
    SOCKET_ABSENT = "socket_absent", Part.UNITS, Level.ERROR

    BLUETOOTHD_RUNS = "bluetoothd_runs", Part.BLUETOOTH, Level.OK
    ADAPTER_GOOD = "adapter_good", Part.BLUETOOTH, Level.OK
    ADAPTER_OFF = "adapter_off", Part.BLUETOOTH, Level.WARNING
    ADAPTER_IDLE = "adapter_idle", Part.BLUETOOTH, Level.WARNING
    ADAPTER_BLOCKED = "adapter_blocked", Part.BLUETOOTH, Level.ERROR
    ADAPTER_SWITCHED_OFF = "adapter_switched_off", Part.BLUETOOTH, Level.ERROR
    ADAPTER_ABSENT = "adapter_absent", Part.BLUETOOTH, Level.ERROR
    NO_BUS = "no_bus", Part.BLUETOOTH, Level.ERROR
    NO_BLUETOOTHD = "no_bluetoothd", Part.BLUETOOTH, Level.ERROR
    BLUETOOTH_DENIED = "bluetooth_denied", Part.BLUETOOTH, Level.ERROR
    BLUETOOTH_FAILED = "bluetooth_failed", Part.BLUETOOTH, Level.ERROR

    PORT_GOOD = "port_good", Part.SERIAL, Level.OK
    PORT_ABSENT = "port_absent", Part.SERIAL, Level.ERROR
    PORT_NO_TERMINAL = "port_no_terminal", Part.SERIAL, Level.ERROR
    PORT_TAKEN = "port_taken", Part.SERIAL, Level.ERROR
    PORT_FAILED = "port_failed", Part.SERIAL, Level.ERROR

    BROKER_GOOD = "broker_good", Part.BROKERS, Level.OK
    BROKER_UNREACHABLE = "broker_unreachable", Part.BROKERS, Level.WARNING
    BROKER_CLOSES = "broker_closes", Part.BROKERS, Level.WARNING
    BROKER_TLS = "broker_tls", Part.BROKERS, Level.WARNING
    BROKER_CERTIFICATE = "broker_certificate", Part.BROKERS, Level.WARNING
    BROKER_REFUSES = "broker_refuses", Part.BROKERS, Level.WARNING
    LOGIN_REFUSED = "broker_refuses_credentials", Part.BROKERS, Level.WARNING
    LOGIN_UNREADABLE = "credentials_unreadable", Part.BROKERS, Level.WARNING
    NO_BROKER = "no_broker", Part.BROKERS, Level.ERROR

    CERTIFICATE_GOOD = "certificate_good", Part.CERTIFICATES, Level.OK
    CERTIFICATE_ENDS = "certificate_ends", Part.CERTIFICATES, Level.WARNING
    CERTIFICATE_ENDED = "certificate_ended", Part.CERTIFICATES, Level.ERROR
    CERTIFICATE_EARLY = "certificate_early", Part.CERTIFICATES, Level.ERROR
    CERTIFICATE_UNREADABLE = "certificate_unreadable", Part.CERTIFICATES, Level.ERROR

    DAEMON_RUNS = "daemon_runs", Part.DAEMON, Level.OK
    DAEMON_DENIED = "daemon_denied", Part.DAEMON, Level.WARNING
    NO_DAEMON = "no_daemon", Part.DAEMON, Level.ERROR
    DAEMON_WARNS = "daemon_warns", Part.DAEMON, Level.WARNING
    DAEMON_FAULT = "daemon_fault", Part.DAEMON, Level.ERROR
    ALERTS_WAIT = "alerts_wait", Part.DAEMON, Level.ERROR
    SET_ASIDE = "set_aside", Part.DAEMON, Level.WARNING

    LINK_HEARS = "link_hears", Part.LINKS, Level.OK
    LINK_SILENT = "link_silent", Part.LINKS, Level.WARNING
    LINK_UNREAD = "link_unread", Part.LINKS, Level.WARNING
    PROFILE_SILENT = "profile_silent", Part.LINKS, Level.WARNING

    @property
    def word(self) -> str:
        return self.value[0]


class Finding(msgspec.Struct, frozen=True):
    """`where` it is, what was `found` there, and one thing `more` that its sentence has room for.

    `cure` is what others have said of it, where our own words know no better.
    """

    sign: Sign
    where: str = ""
    found: str = ""
    more: str = ""
    cure: str = ""


def worst(findings: Iterable[Finding]) -> Level:
    return max((finding.sign.level for finding in findings), default=Level.OK)
