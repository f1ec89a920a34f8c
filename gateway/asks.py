"""The words of the control socket: what the command line asks of the daemon, and how it is answered. No I/O."""

from typing import Annotated, Any

import msgspec

from gateway.errors import RequestRefused
from gateway.trials import MINUTES, Minutes

Label = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,24}\Z")]
"""Who stands at the box, as a pseudonym; with the user's name before it, it is no longer than the contract's `by`."""
USER_MAX = 39
"""Characters of the user's name, `box-` included."""


class Alerts(msgspec.Struct, frozen=True, tag_field="ask", tag="alerts"):
    """Those that are open."""


class Show(msgspec.Struct, frozen=True, tag_field="ask", tag="show"):
    """One alert with its story, by any unique beginning of its id, or by its device's id while it is open."""

    alert: str


class Accept(msgspec.Struct, frozen=True, tag_field="ask", tag="accept"):
    alert: str
    by: Label | None = None


class Clear(msgspec.Struct, frozen=True, tag_field="ask", tag="clear"):
    alert: str
    by: Label | None = None


class Devices(msgspec.Struct, frozen=True, tag_field="ask", tag="devices"):
    """Every wearable of the roster."""


class Device(msgspec.Struct, frozen=True, tag_field="ask", tag="device"):
    """One wearable, with its open alerts."""

    device: str


class Test(msgspec.Struct, frozen=True, tag_field="ask", tag="test"):
    """Open a test window of one wearable."""

    device: str
    minutes: Minutes = MINUTES


class Outbox(msgspec.Struct, frozen=True, tag_field="ask", tag="outbox"):
    """How much waits in each lane, and what its broker will not have."""


class Retry(msgspec.Struct, frozen=True, tag_field="ask", tag="retry"):
    """Try a row again that was refused or set aside, by its message's id; `all`: every one of them."""

    row: str


class Export(msgspec.Struct, frozen=True, tag_field="ask", tag="export"):
    """Some rows of a lane as they would be published, the oldest above `after`; after 0 also those set aside."""

    lane: str
    after: int = 0


class Health(msgspec.Struct, frozen=True, tag_field="ask", tag="health"):
    """What the topic `health` says, now."""


Ask = Alerts | Show | Accept | Clear | Devices | Device | Test | Outbox | Retry | Export | Health


class Granted(msgspec.Struct, frozen=True, tag_field="status", tag="ok"):
    result: dict[str, Any]


class Refused(msgspec.Struct, frozen=True, tag_field="status", tag="error"):
    """`code` is for programs, `message` for people."""

    code: str
    message: str


Answer = Granted | Refused

encode = msgspec.json.Encoder().encode
parse_answer = msgspec.json.Decoder(Answer).decode
_parse = msgspec.json.Decoder(Ask).decode


def parse(line: bytes) -> Ask:
    """RequestRefused, in words, where it is nothing that can be asked."""
    try:
        ask: Ask = _parse(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RequestRefused("invalid", f"not as the control socket knows it: {error}") from error
    return ask
