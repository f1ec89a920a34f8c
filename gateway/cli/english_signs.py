"""What `doctor` finds, in English: what it is, and what to do."""

from gateway.cli.words import Told
from gateway.doctor.findings import Sign

ENGLISH_SIGNS = {
    Sign.CONFIG_GOOD: Told("{where}: good. Station {found}, wearables: {more}"),
    Sign.CONFIG_DOUBTFUL: Told("{where}: {found}", "{cure}"),
    Sign.CONFIG_WRONG: Told("{where}: {found}", "{cure}"),
    Sign.CLOCK_SYNCED: Told("synchronised, {found} UTC"),
    Sign.CLOCK_UNSYNCED: Told(
        "not synchronised; it shows {found} UTC", "`timedatectl set-ntp true`; see that a time server is reachable"
    ),
    Sign.CLOCK_IMPLAUSIBLE: Told(
        "it cannot be {found} UTC",
        "`timedatectl set-time`; a box that forgets the time without power wants a new battery",
    ),
    Sign.CLOCK_BEHIND: Told(
        "it shows {found} UTC, and the data folder was written at {more}",
        "`timedatectl set-ntp true`; a box that forgets the time without power wants a new battery",
    ),
    Sign.COOL: Told("{found} degrees Celsius at most ({where})"),
    Sign.HOT: Told("{found} degrees Celsius ({where})", "give the box air, and clean its vents"),
    Sign.TOO_HOT: Told("{found} degrees Celsius ({where}): it may switch off", "give the box air, and see to its fan"),
    Sign.DISK_GOOD: Told("{where}: {found} free of {more}"),
    Sign.DISK_TIGHT: Told(
        "{where}: {found} free, while up to {more} may yet be wanted",
        "a larger disk, or less for telemetry.cap and influx.cap",
    ),
    Sign.DISK_FULL: Told("{where}: {found} free", "free space: see `du -x {where}` and `df`"),
    Sign.DISK_CROWDED: Told("{where}: it takes {found} more files", "remove small files: see `df -i`"),
    Sign.DISK_READ_ONLY: Told(
        "{where}: the file system is read-only",
        "see `dmesg` for why, and `mount -o remount,rw`; a dying disk is replaced",
    ),
    Sign.DISK_VOLATILE: Told(
        "{where}: on {found}, which a power cut empties", "name a folder in `data:` that is on the box's disk"
    ),
    Sign.DISK_UNFIT: Told(
        "{where}: on {found}, where nothing is safe from a power cut",
        "name a folder in `data:` on ext4, xfs, btrfs or f2fs",
    ),
    Sign.DISK_UNSEEN: Told(
        "{where}: cannot be looked at ({found})", "run doctor as root; else see whether the disk is sound: `dmesg`"
    ),
    Sign.WEAR_LOW: Told("{where}: {found} % of its life is used at most"),
    Sign.WEAR_HIGH: Told("{where}: {found} % of its life is used", "replace the box or its disk within the year"),
    Sign.WORN_OUT: Told("{where}: worn out ({found} % of its life is used)", "replace the box or its disk now"),
    Sign.ALLOWED: Told("{found} may use all that it needs"),
    Sign.UNREADABLE: Told(
        "{where}: {found} may not read it", "`chgrp {found} {where}` and `chmod g+r`, folders above too"
    ),
    Sign.UNWRITABLE: Told(
        "{where}: {found} may not write it", "`chown {found} {where}`; for a serial port `adduser {found} dialout`"
    ),
    Sign.HIDDEN: Told(
        "{where}: the daemon's unit does not let it see this",
        "move it to /etc/station-gateway or /var/lib/station-gateway",
    ),
    Sign.SHUT_IN: Told(
        "{where}: the daemon's unit does not let it write there",
        "`data: /var/lib/station-gateway`, or `ReadWritePaths={where}` by `systemctl edit station-gateway`",
    ),
    Sign.SECRET_OPEN: Told("{where}: a secret that everybody on the box may read (mode {found})", "`chmod o= {where}`"),
    Sign.NOT_ROOT: Told("what {found} may do was not tried", "run doctor as root"),
    Sign.UNIT_GOOD: Told("{where}: begins with the box, and runs"),
    Sign.UNIT_ABSENT: Told("{where}: {found}", "install the gateway: `sh systemd/install.sh`"),
    Sign.UNIT_DISABLED: Told(
        "{where}: {found}; after a power cut nobody starts it", "`systemctl enable station-gateway`"
    ),
    Sign.UNIT_STOPPED: Told(
        "{where}: {found}", "`systemctl restart station-gateway`; see `journalctl -u station-gateway`"
    ),
    Sign.NO_SYSTEMD: Told(
        "systemd cannot be asked{found}", "whatever starts the daemon must start it again whenever it ends"
    ),
    Sign.SOCKET_GOOD: Told("{more}: asked at {where}"),
    Sign.SOCKET_ABSENT: Told("{where}: not there", "`systemctl enable --now {more}`"),
    Sign.BLUETOOTHD_RUNS: Told("bluetoothd answers (version {found})"),
    Sign.ADAPTER_GOOD: Told("{where}: on"),
    Sign.ADAPTER_OFF: Told("{where}: switched off", "the daemon switches it on; else `bluetoothctl power on`"),
    Sign.ADAPTER_IDLE: Told("{where}: does not scan, though a daemon runs", "see the daemon's faults below"),
    Sign.ADAPTER_BLOCKED: Told("{where}: blocked by rfkill", "`rfkill unblock bluetooth`"),
    Sign.ADAPTER_SWITCHED_OFF: Told("{where}: blocked by a switch on the box", "find the switch, or its key"),
    Sign.ADAPTER_ABSENT: Told("{found}", "plug it in, or name one that `bluetoothctl list` shows"),
    Sign.NO_BUS: Told("the system bus: {found}", "`systemctl start dbus`"),
    Sign.NO_BLUETOOTHD: Told("bluetoothd: {found}", "`systemctl enable --now bluetooth`"),
    Sign.BLUETOOTH_DENIED: Told("{found}", "run doctor as root"),
    Sign.BLUETOOTH_FAILED: Told("{found}", "{cure}"),
    Sign.PORT_GOOD: Told("{where}: there, and ours"),
    Sign.PORT_ABSENT: Told(
        "{where}: not there", "plug it in; see `ls -l /dev/serial/by-id/`. brltty takes some away: `apt purge brltty`"
    ),
    Sign.PORT_NO_TERMINAL: Told("{where}: no serial port", "name a receiver's path below /dev/serial/by-id/"),
    Sign.PORT_TAKEN: Told(
        "{where}: taken by {found}", "stop that program, and keep it from ports: `apt purge modemmanager`"
    ),
    Sign.PORT_FAILED: Told("{where}: cannot be opened ({found})", "see its name, the cable and the receiver"),
    Sign.BROKER_GOOD: Told("{where}: lets the station in"),
    Sign.BROKER_UNREACHABLE: Told("{found}", "{cure}"),
    Sign.BROKER_CLOSES: Told("{found}", "{cure}"),
    Sign.BROKER_TLS: Told("{found}", "{cure}"),
    Sign.BROKER_CERTIFICATE: Told("{found}", "{cure}"),
    Sign.BROKER_REFUSES: Told("{found}", "{cure}"),
    Sign.LOGIN_REFUSED: Told("{found}", "{cure}"),
    Sign.LOGIN_UNREADABLE: Told("{found}", "{cure}"),
    Sign.NO_BROKER: Told("no broker lets the station in: no alert leaves it", "see each broker above"),
    Sign.CERTIFICATE_GOOD: Told("{where}: good for {found} days, until {more} UTC"),
    Sign.CERTIFICATE_ENDS: Told("{where}: ends in {found} days, at {more} UTC", "put a new one in its place"),
    Sign.CERTIFICATE_ENDED: Told("{where}: ended at {more} UTC", "put a new one in its place; see the clock above"),
    Sign.CERTIFICATE_EARLY: Told("{where}: not valid before {more} UTC", "see the clock above"),
    Sign.CERTIFICATE_UNREADABLE: Told("{where}: {found}", "put a PEM file in place, readable for the gateway's user"),
    Sign.DAEMON_RUNS: Told("runs for {found} min"),
    Sign.DAEMON_DENIED: Told("{where}: you may not ask it", "be root, or in the group station-gateway"),
    Sign.NO_DAEMON: Told(
        "{where}: nobody answers ({found}); nothing is heard, and no press goes out",
        "`systemctl enable --now station-gateway`; see `journalctl -u station-gateway`",
    ),
    Sign.DAEMON_WARNS: Told("{where}: {found}", "{cure}"),
    Sign.DAEMON_FAULT: Told("{where}: {found}", "{cure}"),
    Sign.ALERTS_WAIT: Told(
        "messages of alerts that wait for a broker: {found}, the oldest for {more} min",
        "see the brokers and faults here",
    ),
    Sign.SET_ASIDE: Told("{where} lane: set aside after refusals: {found}", "`station-gateway outbox list`"),
    Sign.LINK_HEARS: Told("{where}: {found} packets"),
    Sign.LINK_SILENT: Told(
        "{where}: nothing heard in {found} min",
        "see the receiver and its distance; `station-gateway scan` shows what is on the air",
    ),
    Sign.LINK_UNREAD: Told(
        "{where}: {found} packets or broken frames, and not one that says anything",
        "see `profile` and `baud` of the link; `station-gateway decode` reads quarantine.jsonl",
    ),
    Sign.PROFILE_SILENT: Told(
        "profile {where}: has read nothing in {found} min", "see whether its devices are there; `station-gateway scan`"
    ),
}
