"""What connection the profiles of a wearable ask for."""

import msgspec


class Connect(msgspec.Struct, frozen=True):
    """Characteristics by 128-bit UUID: `notify` to subscribe to, `read` to read once and then every `poll_ms`.

    `profile` speaks for the wearable: what is heard from it over the connection is its. `alerts`: the wearable has
    alert functions and goes first where slots are few. `pair`: it wants to be bonded first.
    """

    profile: str | None
    notify: tuple[str, ...]
    read: tuple[str, ...]
    poll_ms: int | None
    alerts: bool
    pair: bool = False
