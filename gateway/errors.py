"""What can go wrong, in words for the person who meets it."""


class GatewayError(Exception):
    """The root of what this package raises; its text says what happened, where and what to do."""


class StorageFailed(GatewayError):
    """A lane's file took nothing: nothing of the commit is kept, and the same commit may be tried again."""


class StorageFull(StorageFailed):
    """The disk has no room for it."""


class StoreDamaged(StorageFailed):
    """A lane's file is no database any more, or its content contradicts itself."""


class Down(GatewayError):
    """Something that is kept running has failed. `fault` is the fault's name, `cure` what can be done about it."""

    def __init__(self, fault: str, what: str, cure: str) -> None:
        super().__init__(what)
        self.fault = fault
        self.cure = cure


class UplinkDown(Down):
    """A broker connection failed or ended."""


class DatabaseBusy(UplinkDown):
    """InfluxDB wants to be left alone for `rest_s`."""

    def __init__(self, what: str, rest_s: float) -> None:
        super().__init__("influx_busy", what, "wait; it is tried again. If it lasts, see the database's limits")
        self.rest_s = rest_s


class RowRefused(GatewayError):
    """A row that its sink will never take, however often it is sent."""


class ControlDown(Down):
    """The command line cannot reach the daemon."""


class MetricsDown(Down):
    """Prometheus cannot scrape the daemon."""


class RequestRefused(GatewayError):
    """A request or acknowledgement that will not be carried out; `code` is for programs, the text for people."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(what)
        self.code = code
