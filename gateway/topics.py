"""The topics of the contract, as this station writes and reads them. No I/O."""


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
        return self._response + verb

    def acked(self, topic: str) -> str | None:
        """The alert that an acknowledgement's topic names."""
        inner = topic.removeprefix(self._alert).removesuffix("/ack")
        return inner if topic == f"{self._alert}{inner}/ack" else None

    def verb(self, topic: str) -> str | None:
        return topic.removeprefix(self._request) if topic.startswith(self._request) else None
