"""The topics of the contract, as this station writes and reads them. No I/O."""

TOPIC_MAX = 190
"""Characters of a topic that an answer is wanted on: Mosquitto takes up to 200 levels."""


class Topics:
    def __init__(self, root: str, station: str) -> None:
        self.root = root
        base = f"{root}/{station}"
        self.state = f"{base}/state"
        self.health = f"{base}/health"
        self.telemetry = f"{base}/telemetry"
        self.gap = f"{base}/gap"
        self.probe = f"{base}/probe"
        self.acks = f"{base}/alert/+/ack"
        self.requests = f"{base}/request/+"
        self._alert = f"{base}/alert/"
        self._wearer = f"{base}/wearer/"
        self._request = f"{base}/request/"
        self._response = f"{base}/response/"

    def alert(self, alert: str) -> str:
        return self._alert + alert

    def protection(self, wearer: str) -> str:
        return f"{self._wearer}{wearer}/protection"

    def response(self, verb: str) -> str:
        return self._response + (verb if _plain(verb) else "unknown")

    def acked(self, topic: str) -> str | None:
        """The alert that an acknowledgement's topic names."""
        inner = topic.removeprefix(self._alert).removesuffix("/ack")
        return inner if topic == f"{self._alert}{inner}/ack" else None

    def wanted(self, topic: str | None) -> str | None:
        """The topic that an answer is wanted on, where it is one of ours and no broker hangs up at it."""
        return topic if topic is not None and topic.startswith(f"{self.root}/") and _plain(topic) else None

    def verb(self, topic: str) -> str | None:
        return topic.removeprefix(self._request) if topic.startswith(self._request) else None


def _plain(topic: str) -> bool:
    """Some brokers hang up at whoever publishes on a topic that is very long or deep, or holds what is not printed."""
    return len(topic) <= TOPIC_MAX and topic.isprintable() and not set(topic) & {"+", "#"}
