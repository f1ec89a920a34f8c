"""The configuration's shape: every key, its unit, its default and what it means. Read from YAML, never written."""

from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from drivers.base import ScanMode
from drivers.profile.written import ServiceName
from gateway.actions import LocalAlert
from gateway.exports import INFLUX, Influx, Metrics
from gateway.sections import Secret, Section
from gateway.thresholds import CallCentre, Supervision
from gateway.written import (
    Adapter,
    BluetoothAddress,
    Broker,
    Bytes,
    FilePath,
    Milliseconds,
    Name,
    Port,
    TopicPrefix,
    lasting,
    sized,
)

INTERVAL_MAX = "49710d"
"""The longest that MQTT can state, in whole days."""
RECEIVER = "/dev/serial/by-id/usb-398_receiver_0001-if00-port0"
Count = Annotated[int, Field(strict=True)]
"""A whole number, written as one: neither "12" nor true."""


def _listed(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


ProfileNames = Annotated[
    tuple[str, ...],
    BeforeValidator(_listed, json_schema_input_type=str | tuple[str, ...]),
    Field(min_length=1, examples=["398-reference"]),
]


class Version(Enum):
    FIVE = "5"
    THREE = "3.1.1"


class Tls(Section):
    """TLS to the brokers whose address begins with mqtts://."""

    ca: FilePath | None = None
    """File with the authorities to trust (PEM); the system's own where it is left out."""
    certificate: FilePath | None = None
    """Our client certificate with its chain (PEM)."""
    key: FilePath | None = None
    """The client certificate's private key (PEM)."""

    @model_validator(mode="after")
    def _paired(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together; name both or neither")
        return self


class Mqtt(Section):
    """The uplink to the 398 platform."""

    brokers: Annotated[tuple[Broker, ...], Field(min_length=1, examples=[["mqtts://platform.example:8883"]])]
    """Brokers in the order in which they are tried: mqtt://HOST:1883 or mqtts://HOST:8883."""
    version: Version = Version.FIVE
    """MQTT version, "5" or "3.1.1" (with the quotes)."""
    root: TopicPrefix = "398/v1"
    """What every topic begins with."""
    username: Annotated[str | None, Field(examples=["xinhua-03"])] = None
    """User name, where the broker wants one."""
    password: Secret | None = None
    """Password, as {file: PATH} or {credential: NAME}."""
    tls: Tls = Tls()
    """Certificates, for mqtts:// brokers."""
    keepalive: Annotated[Milliseconds, lasting("1s", "10min")] = 8_000
    """Silence after which the link is probed; a dead one is known after twice this."""
    session_expiry: Annotated[Milliseconds, lasting("0s", INTERVAL_MAX)] = 86_400_000
    """How long the broker keeps acknowledgements for us while we are away."""
    reconnect_max: Annotated[Milliseconds, lasting("100ms", "1h")] = 10_000
    """The longest wait between two attempts to connect."""
    ack_timeout: Annotated[Milliseconds, lasting("1s", "10min")] = 20_000
    """A broker that has acknowledged nothing for so long, though something waits for it, is left for the next one."""
    return_after: Annotated[Milliseconds, lasting("1s", "7d")] = 600_000
    """How long we stay with a broker that is not the first before the first is tried again."""


class SerialLink(Section):
    """A serial radio receiver."""

    port: Annotated[Port, Field(examples=[RECEIVER])]
    """Device by its stable path (/dev/serial/by-id/…), or socket://HOST:PORT."""
    profile: ProfileNames = ("398-reference",)
    """Profile of what the receiver sends; a list of them, where it sends several formats in one framing."""
    baud: Annotated[Count, Field(ge=300, le=4_000_000)] = 115_200
    """Bits per second; 8 data bits, no parity, 1 stop bit."""
    zone: Name | None = None
    """Where in the station the receiver stands; alerts heard by it say so."""
    name: Name | None = None
    """Short name of the link; the port's last part where it is left out."""

    @property
    def link(self) -> str:
        return f"serial:{self.name or self.port.rsplit('/', 1)[-1]}"


class BluetoothLink(Section):
    """A Bluetooth adapter."""

    adapter: Annotated[Adapter, Field(examples=["00:1A:7D:DA:71:13"])] = "hci0"
    """The adapter's address (`bluetoothctl list`), which stays when it is plugged in elsewhere; or its name, hci0."""
    name: Name | None = None
    """Short name of the link; the adapter's name, or its address without colons, where it is left out."""
    zone: Name | None = None
    """Where in the station the adapter stands."""
    scan: ScanMode = ScanMode.AUTO
    """auto (the best that works), active, or passive (needs bluetoothd --experimental; hears half of the time)."""
    slots: Annotated[Count, Field(ge=1, le=20)] = 5
    """Wearables connected at once."""
    beacons: Annotated[tuple[BluetoothAddress, ...], Field(examples=[["C0:98:00:00:00:01"]])] = ()
    """Devices that are always in reach, such as a fixed button: when even these are not heard, the adapter is deaf."""

    @property
    def link(self) -> str:
        return f"ble:{self.name or self.adapter.replace(':', '').lower()}"


class ReplayLink(Section):
    """A capture that is heard as if it came over the air."""

    file: Annotated[FilePath, Field(examples=["capture.jsonl"])]
    """Capture file (JSON lines), or a named pipe that one is written to."""
    zone: Name | None = None
    """Where its receiver is said to stand."""
    name: Name | None = None
    """Short name of the link; the file's name where it is left out."""

    @property
    def link(self) -> str:
        return f"replay:{self.name or self.file.name}"


class Telemetry(Section):
    """How readings are gathered, kept and sent."""

    batch: Annotated[Count, Field(ge=1, le=1_000)] = 100
    """Readings in one message at most."""
    commit_every: Annotated[Milliseconds, lasting("10ms", "1min")] = 1_000
    """How long readings may wait in memory; a crash loses at most these."""
    commit_readings: Annotated[Count, Field(ge=1, le=10_000)] = 500
    """Readings that are committed without waiting any longer."""
    cap: Annotated[Bytes, sized("1MiB")] = 512 << 20
    """Bytes kept for a broker that is away; beyond this the oldest go, and a gap message says so."""
    window: Annotated[Count, Field(ge=1, le=1_000)] = 100
    """Messages under way at once."""
    window_bytes: Annotated[Bytes, sized("1KiB")] = 128 << 10
    """Bytes under way at once, so that an alert is not behind them on a slow line."""
    expiry: Annotated[Milliseconds, lasting("1s", INTERVAL_MAX)] = 7 * 86_400_000
    """How long the broker keeps an undelivered telemetry message (MQTT 5)."""


class Alerts(Section):
    """How alerts are followed."""

    hold: Annotated[Milliseconds, lasting("0s", "1h")] = 30_000
    """How long a condition (low battery, not worn) must be over before its alert clears by itself."""
    reminder: Annotated[Milliseconds, lasting("1min", "7d")] = 4 * 3_600_000
    """After this an accepted alert that nobody has cleared is sent again."""
    flood_new: Annotated[Count, Field(ge=1, le=1_000)] = 20
    """New alerts of unregistered devices per link within flood_per, and as many presses more; then one alarm_flood."""
    flood_per: Annotated[Milliseconds, lasting("1s", "1d")] = 600_000
    """The time that flood_new counts in."""
    storm_presses: Annotated[Count, Field(ge=1, le=30)] = 6
    """Presses of one device within storm_per; with one more all are marked as a storm, which is an alert as well."""
    storm_per: Annotated[Milliseconds, lasting("1min", "1d")] = 3_600_000
    """The time that storm_presses counts in."""
    codes: Annotated[FilePath | None, Field(examples=["codes.yaml"])] = None
    """File with SCAIP and Contact ID codes by kind, where they are to differ from the shipped ones."""
    radio_down_after: Annotated[Milliseconds, lasting("10s", "1d")] = 120_000
    """A Bluetooth adapter that has failed or been deaf for so long is an alert."""
    serial_down_after: Annotated[Milliseconds, lasting("1s", "1d")] = 60_000
    """A serial receiver that has been away or deaf for so long is an alert."""


class Trust(Enum):
    STRICT = "strict"
    LENIENT = "lenient"


class LogLevel(Enum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"


class LogFormat(Enum):
    AUTO = "auto"
    CONSOLE = "console"
    JSON = "json"


class Log(Section):
    """What the daemon logs, to standard error."""

    level: LogLevel = LogLevel.INFO
    """debug, info or warning."""
    format: LogFormat = LogFormat.AUTO
    """auto (for people on a terminal, JSON otherwise), console or json."""


class Config(Section):
    """gateway.yaml. Paths that do not begin with / are seen from the file's own folder."""

    station: Annotated[Name, Field(examples=["xinhua-03"])]
    """The station's id: part of every topic."""
    data: FilePath = Path("/var/lib/station-gateway")
    """Folder for what is not delivered yet; on a disk that survives a power cut."""
    control: FilePath = Path("/run/station-gateway/control.sock")
    """Socket by which `station-gateway alerts` and `devices` reach the daemon; who is of its group may use it."""
    roster: FilePath = Path("devices.yaml")
    """File with the devices and their wearers."""
    profiles: FilePath | None = None
    """Folder with the station's own device profiles."""
    fleet_key: Secret | None = None
    """Secret that all stations share: with it the same press heard by two stations can be recognised."""
    keys: Secret | None = None
    """Secret file with the keys of devices that encrypt or sign: one `device-id hexkey` on each line."""
    mqtt: Annotated[Mqtt, Field(examples=[{"brokers": ["mqtts://platform.example:8883"]}])]
    """The uplink to the 398 platform."""
    serial: Annotated[tuple[SerialLink, ...], Field(examples=[[{"port": RECEIVER, "name": "lobby"}]])] = ()
    """Serial receivers."""
    bluetooth: Annotated[tuple[BluetoothLink, ...], Field(examples=[[{"adapter": "hci0"}]])] = ()
    """Bluetooth adapters."""
    replay: Annotated[tuple[ReplayLink, ...], Field(examples=[[{"file": "capture.jsonl"}]])] = ()
    """Captures to play; for trials, not for a station in service."""
    telemetry: Telemetry = Telemetry()
    """How readings are gathered, kept and sent."""
    influx: Annotated[Influx | None, Field(examples=[INFLUX])] = None
    """An InfluxDB that is given every reading as well."""
    metrics: Annotated[Metrics | None, Field(examples=[{"port": 9398}])] = None
    """Numbers for Prometheus, where they are wanted."""
    alerts: Alerts = Alerts()
    """How alerts are followed."""
    supervision: Supervision = Supervision()
    """When a wearable counts as silent, as never put to use, and its battery as low."""
    call_centre: CallCentre = CallCentre()
    """How the call centre shows that it is there."""
    local_alert: LocalAlert = LocalAlert()
    """How the station itself is told of a critical alert that nobody accepts."""
    trust: dict[str, Trust] = Field(default_factory=dict, examples=[{"bthome": "lenient"}])
    """By profile, whether readings of frames that prove too little are refused (strict, the default) or taken."""
    services: dict[ServiceName, ServiceName] = Field(default_factory=dict, examples=[{"shopping": "meals"}])
    """What is ordered here by the service keys, where it is another thing than their profile says."""
    health_every: Annotated[Milliseconds, lasting("1s", "1h")] = 60_000
    """How often health is published."""
    log: Log = Log()
    """What is logged."""

    @property
    def lenient(self) -> list[str]:
        """The profiles whose readings count even where a frame does not prove what its device could."""
        return [profile for profile, trust in self.trust.items() if trust is Trust.LENIENT]
