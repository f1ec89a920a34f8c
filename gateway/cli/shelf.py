"""What the files of a station hold of its alerts and its messages, while no daemon runs. Nothing is written."""

from importlib.metadata import version
from typing import Any

from gateway import aside, book, commands, stock
from gateway.book import Book
from gateway.clock import Clock
from gateway.codes import load_codes
from gateway.config import Config
from gateway.errors import StorageFailed
from gateway.journal import told
from gateway.salvage import BEFORE_ALL, kept, tally, waiting
from gateway.wire import Wire


def listed(config: Config) -> dict[str, Any]:
    """As the daemon answers. StorageFailed where the file cannot be read."""
    return commands.listed(_wire(config), _book(config).open())


def shown(config: Config, given: str) -> dict[str, Any]:
    """As the daemon answers. StorageFailed or OSError where a file cannot be read, RequestRefused as there."""
    alert = commands.found(given, list(_book(config).known()))
    return commands.shown(_wire(config), alert, told(config.data, alert.id))


def stocked(config: Config) -> dict[str, Any]:
    """As the daemon answers; what was refused and is to be tried again is known to a running one alone."""
    paths = sorted(config.data.glob("*.db"))
    lanes = [stock.lane_told(path.stem, tally(path), (), aside.read(kept(path, aside.SPACE))) for path in paths]
    return {"lanes": lanes}


def exported(config: Config, lane: str, after: int) -> dict[str, Any]:
    """As the daemon answers. StorageFailed where the file cannot be read."""
    path = config.data / f"{lane}.db"
    rows = [each.row for each in aside.read(kept(path, aside.SPACE))]
    return stock.page(rows, waiting(path, after or BEFORE_ALL, stock.PAGE), after)


def _wire(config: Config) -> Wire:
    own, release = load_codes(config.alerts.codes) if config.alerts.codes else {}, version("station-gateway")
    return Wire(config.mqtt.root, config.station, release, Clock(), own, config.services)


def _book(config: Config) -> Book:
    found, file = Book.of(config.alerts), config.data / "alert.db"
    if not file.exists():
        raise StorageFailed(f"{file}: not there; no daemon of this configuration has run yet")
    found.load(kept(file, book.SPACE))
    return found
