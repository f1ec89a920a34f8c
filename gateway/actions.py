"""`local_alert` in gateway.yaml: when the station itself is told of an alert, and what is then done there."""

import re
from enum import Enum
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from drivers.marked import read
from drivers.validated import validated
from gateway.written import Broker, FilePath, Milliseconds, Name, Section, lasting

SOCKET = Path("/run/station-gateway-act.sock")
OURS = "STATION_GATEWAY_"
"""What the names of the variables begin with by which a program is told of the alert."""


def _whole(value: str) -> str:
    if "\0" in value:
        raise ValueError("has a zero byte; write text without it")
    return value


def _program(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value[0].startswith("/"):
        raise ValueError("names a program without its path; write where it is, from / on")
    return value


def _variable(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value) or value.startswith(OURS):
        raise ValueError(f"not a variable's name; use A-Z, 0-9 and _, and do not begin with {OURS}")
    return value


def _topic(value: str) -> str:
    if not value or set(value) & {"+", "#", "\0"}:
        raise ValueError("not a topic to publish to; write words joined by /, without + or #")
    return value


def _near(value: str) -> str:
    if value.startswith("mqtts:"):
        raise ValueError("is encrypted, and meant for a broker on the station; write mqtt://HOST:1883")
    return value


def _line_port(value: str) -> str:
    if not value.startswith("/") and not re.fullmatch(r"rfc2217://[^:/]+:[0-9]{1,5}", value):
        raise ValueError("not a port with control lines; write /dev/serial/by-id/… or rfc2217://HOST:PORT")
    return value


Text = Annotated[str, AfterValidator(_whole)]
Variable = Annotated[str, AfterValidator(_variable)]


class Line(Enum):
    """An output of a serial port that is no data."""

    RTS = "rts"
    DTR = "dtr"


class Command(Section):
    """A program to run; no shell reads what is written here."""

    run: Annotated[
        tuple[Text, ...],
        Field(min_length=1, examples=[["/usr/local/bin/ring", "--loud"]]),
        AfterValidator(_program),
    ]
    """The program by its whole path, and its arguments."""
    environment: dict[Variable, Text] = Field(default_factory=dict, examples=[{"VOLUME": "80"}])
    """Variables for it, beside those that tell of the alert."""


class ControlLine(Section):
    """A siren or lamp that hangs on a control line of a serial port."""

    port: Annotated[str, AfterValidator(_line_port), Field(examples=["/dev/serial/by-id/usb-relay_0001-if00-port0"])]
    """The port by its stable path, or rfc2217://HOST:PORT."""
    line: Line = Line.RTS
    """rts or dtr."""
    hold: Annotated[Milliseconds, lasting("100ms", "55s")] = 5_000
    """How long the line is set."""


class Publication(Section):
    """A message to a broker on the station, for a lamp or a loudspeaker."""

    broker: Annotated[Broker, AfterValidator(_near)] = "mqtt://localhost:1883"
    """That broker; it must want neither user name nor password."""
    topic: Annotated[str, AfterValidator(_topic), Field(examples=["hall/lamp/set"])]
    """Where to."""
    payload: Text = "on"
    """What is said."""


class Action(Section):
    """Something that makes the station hear; exactly one of command, serial and mqtt."""

    name: Annotated[Name, Field(examples=["siren"])]
    """What it is called in the log, in an alert's story and by `station-gateway act`."""
    command: Annotated[Command | None, Field(examples=[{"run": ["/usr/local/bin/ring"]}])] = None
    """A program."""
    serial: Annotated[ControlLine | None, Field(examples=[{"port": "/dev/serial/by-id/…"}])] = None
    """A control line of a serial port."""
    mqtt: Annotated[Publication | None, Field(examples=[{"topic": "hall/lamp/set"}])] = None
    """A message to a broker on the station."""
    timeout: Annotated[Milliseconds, lasting("1s", "1min")] = 10_000
    """What takes longer is ended, and has failed."""

    @property
    def deed(self) -> Command | ControlLine | Publication:
        return next(deed for deed in (self.command, self.serial, self.mqtt) if deed is not None)

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        if [self.command, self.serial, self.mqtt].count(None) != 2:
            raise ValueError("does not say what to do, or says several things; write one of command, serial and mqtt")
        if self.serial is not None and self.serial.hold >= self.timeout:
            raise ValueError("its time is over before its line is released; write a timeout longer than serial.hold")
        return self


class LocalAlert(Section):
    """How the station itself is told of a critical alert that nobody accepts."""

    after: Annotated[Milliseconds, lasting("0s", "1h")] = 30_000
    """How long nobody has accepted it when the station is told; at once where no broker hears of it."""
    every: Annotated[Milliseconds, lasting("1s", "1h")] = 60_000
    """How often it is told again until somebody accepts."""
    socket: FilePath = SOCKET
    """Socket by which the unit that does the actions is reached."""
    actions: Annotated[tuple[Action, ...], Field(examples=[[{"name": "siren", "command": {"run": ["/…"]}}]])] = ()
    """What is done, all of it at once."""

    def action(self, name: str) -> Action | None:
        return next((action for action in self.actions if action.name == name), None)


class LocalAlertFile(Section):
    """gateway.yaml as far as the unit that does the actions reads it."""

    model_config = ConfigDict(extra="ignore")

    local_alert: LocalAlert = LocalAlert()


def load_local_alert(path: Path) -> LocalAlert:
    """Read this section of gateway.yaml alone: a mistake elsewhere silences nothing. Refused: it is wrong itself."""
    local = validated(read(path), LocalAlertFile).local_alert
    return local.model_copy(update={"socket": path.parent.absolute() / local.socket})
