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
    """A value is a message, or what makes it when its turn comes: then it says how things are by then."""

    def __init__(self) -> None:
        self._values: dict[str, Message | Callable[[], Message]] = {}
        self._changed: dict[str, None] = {}
        self._flying = 0
        self._poster: Poster | None = None

    def put(self, message: Message) -> None:
        """Replace the value of the message's topic; an unchanged value is not sent again."""
        if self._values.get(message.topic) != message:
            self._change(message.topic, message)

    def lay(self, topic: str, make: Callable[[], Message]) -> None:
        """The topic's value has changed, and is made when it is sent."""
        self._change(topic, make)

    def clear(self, topic: str) -> None:
        """Nothing is to be retained there any more; the topic is forgotten once the broker has it."""
        self._change(topic, Message(topic, b""))

    def again(self) -> None:
        """Post what is made when it is sent once more."""
        made = [topic for topic, value in self._values.items() if not isinstance(value, Message)]
        self._changed |= dict.fromkeys(made)
        self._send()

    def __contains__(self, topic: str) -> bool:
        return topic in self._values

    def attach(self, poster: Poster) -> None:
        """A new link knows nothing: post everything."""
        self._poster = poster
        self._flying = 0
        self._changed = dict.fromkeys(self._values)
        self._send()

    def detach(self) -> None:
        self._poster = None

    def _change(self, topic: str, value: Message | Callable[[], Message]) -> None:
        self._values[topic] = value
        self._changed[topic] = None
        self._send()

    def _send(self) -> None:
        while self._poster is not None and self._changed and self._flying < PACE:
            topic = next(iter(self._changed))
            del self._changed[topic]
            value = self._values[topic]
            self._flying += 1
            message = value if isinstance(value, Message) else value()
            self._poster.post(message, self._posted(self._poster, message))

    def _posted(self, poster: Poster, message: Message) -> Callable[[], None]:
        def done() -> None:
            if poster is self._poster:
                self._flying -= 1
                if not message.payload and self._values.get(message.topic) == message:
                    del self._values[message.topic]
                    self._changed.pop(message.topic, None)
                self._send()

        return done
