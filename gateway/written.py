"""How durations, sizes, names and addresses are written in the configuration, and what is said where they are not."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from drivers.validated import Confidential

_UNITS_MS = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_UNITS_BYTES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def _milliseconds(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _rounded(value * 1000)
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(ms|s|min|h|d)", value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("not a duration; write 200ms, 10s, 5min, 24h or 7d")
    return _rounded(float(found[1]) * _UNITS_MS[found[2]])


def _rounded(milliseconds: float) -> int:
    try:
        return round(milliseconds)
    except (OverflowError, ValueError):  # beyond every number
        raise ValueError("too long; write 200ms, 10s, 5min, 24h or 7d") from None


def _bytes(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = re.fullmatch(r"(\d{1,15}) ?(B|KiB|MiB|GiB)", value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("not a size; write 128KiB, 512MiB or 2GiB")
    return int(found[1]) * _UNITS_BYTES[found[2]]


def lasting(least: str, most: str) -> AfterValidator:
    """The bounds of a duration, as a technician writes them and is told them."""
    low, high = _milliseconds(least), _milliseconds(most)

    def held(value: int) -> int:
        if not low <= value <= high:
            raise ValueError(f"too {'short' if value < low else 'long'}; write {least} to {most}")
        return value

    return AfterValidator(held)


def sized(least: str) -> AfterValidator:
    """The least that a size may be."""
    low = _bytes(least)

    def held(value: int) -> int:
        if value < low:
            raise ValueError(f"too small; write {least} or more")
        return value

    return AfterValidator(held)


def _path(value: Any) -> Any:
    if not isinstance(value, str | Path) or not str(value) or "\0" in str(value):
        raise ValueError("not a path; write one from / on, or from this file's folder on")
    return value


def _name(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9-]{1,40}", value):
        raise ValueError("not a name; use 1 to 40 of the characters a-z, 0-9 and -")
    return value


def topic_prefix(value: str) -> str:
    if not re.fullmatch(r"[^+#/\0]+(/[^+#/\0]+)*", value) or value.startswith("$"):
        raise ValueError("not a topic prefix; write words joined by /, without + # or a / at either end")
    return value


def _address(value: str, *schemes: str) -> SplitResult | None:
    """The address of a host, with a path at most; None where it is none."""
    try:
        url = urlsplit(value)
        number = url.port
    except ValueError:  # a port beyond 65535, half an IPv6 address
        return None
    sound = url.scheme in schemes and url.hostname and number != 0 and not (url.query or url.fragment)
    return url if sound else None


def broker(value: str) -> str:
    if "@" in value:
        raise Confidential("a broker's address holds no user name or password; write mqtt.username and mqtt.password")
    url = _address(value, "mqtt", "mqtts")
    if url is None or url.path:
        raise ValueError("not a broker; write mqtt://HOST:1883, or mqtts://HOST:8883 for TLS")
    return value


def database(value: str) -> str:
    if "@" in value:
        raise Confidential("a database's address holds no user name or password; write influx.token")
    if _address(value, "http", "https") is None:
        raise ValueError("not a database's address; write https://HOST:8086, or http://HOST:8086 without TLS")
    return value


def adapter(value: str) -> str:
    if not re.fullmatch(r"hci\d{1,3}|([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}", value):
        raise ValueError("not a Bluetooth adapter; write its address, as `bluetoothctl list` shows it, or hci0")
    return value


def bluetooth_address(value: str) -> str:
    if not re.fullmatch(r"([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}", value):
        raise ValueError('not a Bluetooth address; write "C0:98:00:01:02:03", in quotes')
    return value.upper()


def port(value: str) -> str:
    found = re.fullmatch(r"socket://[^:/]+:([0-9]{1,5})", value)
    if not value.startswith("/") and not (found and 1 <= int(found[1]) <= 65535):
        raise ValueError("not a port; write /dev/serial/by-id/… or socket://HOST:PORT")
    return value


def host(value: str) -> str:
    try:
        ip_address(value)
    except ValueError:
        raise ValueError("not an address of this box; write 127.0.0.1, or 0.0.0.0 for every network") from None
    return value


Milliseconds = Annotated[int, BeforeValidator(_milliseconds), Field(json_schema_extra={"type": ["string", "number"]})]
Bytes = Annotated[int, BeforeValidator(_bytes), Field(json_schema_extra={"type": ["string", "integer"]})]
FilePath = Annotated[Path, BeforeValidator(_path), Field(json_schema_extra={"minLength": 1})]
Name = Annotated[str, AfterValidator(_name)]
TopicPrefix = Annotated[str, AfterValidator(topic_prefix)]
Adapter = Annotated[str, AfterValidator(adapter)]
BluetoothAddress = Annotated[str, AfterValidator(bluetooth_address)]
Broker = Annotated[str, AfterValidator(broker)]
Database = Annotated[str, AfterValidator(database)]
Host = Annotated[str, AfterValidator(host)]
Port = Annotated[str, AfterValidator(port)]
