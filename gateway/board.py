"""The latest value of each retained topic: only what changed is sent, a few at a time, and all of it at a birth."""

from collections.abc import Callable
from typing import Protocol

from gateway.model import Message

PACE = 8
"""Retained messages under way at once, so that a birth with thousands of topics leaves room for the rest."""


class Poster(Protocol):
    """Publishes retained; calls back once the broker has it, and never when the link is lost."""

    def post(self, message: Message, done: Callable[[], None], /) -> None: ...


class Board:
    def __init__(self) -> None:
        self._messages: dict[str, Message] = {}
        self._changed: dict[str, None] = {}
        self._flying = 0
        self._poster: Poster | None = None

    def put(self, message: Message) -> None:
        """Replace the value of the message's topic; an unchanged value is not sent again."""
        if self._messages.get(message.topic) != message:
            self._messages[message.topic] = message
            self._changed[message.topic] = None
            self._send()

    def attach(self, poster: Poster) -> None:
        """A new link knows nothing: post everything."""
        self._poster = poster
        self._flying = 0
        self._changed = dict.fromkeys(self._messages)
        self._send()

    def detach(self) -> None:
        self._poster = None

    def _send(self) -> None:
        while self._poster is not None and self._changed and self._flying < PACE:
            topic = next(iter(self._changed))
            del self._changed[topic]
            self._flying += 1
            self._poster.post(self._messages[topic], self._posted(self._poster))

    def _posted(self, poster: Poster) -> Callable[[], None]:
        def done() -> None:
            if poster is self._poster:
                self._flying -= 1
                self._send()

        return done
