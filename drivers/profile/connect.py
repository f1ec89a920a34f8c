"""What connection the profiles of a wearable ask for."""

import msgspec


class Connect(msgspec.Struct, frozen=True):
    """Characteristics by 128-bit UUID: `notify` to subscribe to, `read` to read once and then every `poll_ms`.

    `alerts`: the wearable has alert functions and goes first where slots are few.
    """

    notify: tuple[str, ...]
    read: tuple[str, ...]
    poll_ms: int | None
    alerts: bool
