"""From `health` to Prometheus's families, by its conventions for names and units. Pure.

No wearer and no device has a label: stations have hundreds, and numbers about them are not for a monitoring system.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric

from gateway.wire import Json

PREFIX = "station_gateway_"
_LINK_COUNTS = {
    "packets": ("packets", "Packets heard."),
    "readings": ("readings", "Readings in them."),
    "events": ("events", "Events that they came to."),
    "unknown": ("unknown_packets", "Packets that no profile knows."),
    "absurd": ("absurd_values", "Values out of bounds."),
    "missed": ("missed_events", "Events that a device numbered and nobody heard."),
    "unproven": ("unproven_readings", "Readings refused for lack of proof."),
}
_LANE_GAUGES = {
    "connected": ("lane_connected", "Whether its broker has it connected."),
    "pending": ("pending_messages", "Messages on the disk."),
    "bytes": ("pending_bytes", "Their size."),
    "oldest_s": ("pending_oldest_seconds", "Age of the oldest; 0 where there is none."),
    "held": ("held_messages", "Refused messages that wait to be tried again."),
    "set_aside": ("set_aside_messages", "Messages given up after refusals."),
}
_LANE_COUNTS = {
    "delivered": ("delivered", "Messages that were acknowledged."),
    "refused": ("refusals", "Answers that were refusals."),
}
_RADIO_GAUGES = {
    "silence_s": ("radio_silence_seconds", "Since the last advert."),
    "gap_s": ("radio_normal_silence_seconds", "The longest silence that is normal there."),
    "connected": ("radio_connected_wearables", "Wearables connected now."),
    "waiting": ("radio_waiting_wearables", "Wearables that ask for a connection and have none."),
}


def tallied(health: Json, version: str, station: str) -> Iterator[Metric]:
    """Every family, each with all that `health` says of it."""
    yield InfoMetricFamily(f"{PREFIX}build", "What runs here.", {"version": version, "station": station})
    yield _gauge("uptime_seconds", "Since the daemon began.", [((), health["uptime_s"])])
    yield from _links(health["links"])
    yield from _lanes(health["lanes"])
    yield from _radios(health["radios"])
    requests = [((outcome,), count) for outcome, count in health["requests"].items()]
    yield _counter("requests", "Requests and acknowledgements.", requests, ["outcome"])
    broken = [((each["fault"], each["where"]), 1) for each in health["faults"]]
    yield _gauge("fault", "1 for each thing that is broken now.", broken, ["fault", "where"])
    yield from _box(health["box"])


Values = Iterable[tuple[tuple[str, ...], float]]
"""Labels, and what is counted under them."""


def _links(links: Mapping[str, Any]) -> Iterator[Metric]:
    yield _gauge(
        "link_up", "Whether the link hears.", [((link,), told["up"]) for link, told in links.items()], ["link"]
    )
    for key, (name, means) in _LINK_COUNTS.items():
        yield _counter(name, means, [((link,), told[key]) for link, told in links.items()], ["link"])
    for key, name, means, label in (
        ("rejected", "rejected_frames", "Frames refused.", "reason"),
        ("profiles", "decoded_packets", "Packets that a profile could read.", "profile"),
    ):
        counted = [((link, each), count) for link, told in links.items() for each, count in told[key].items()]
        yield _counter(name, means, counted, ["link", label])


def _lanes(lanes: Mapping[str, Any]) -> Iterator[Metric]:
    for key, (name, means) in _LANE_GAUGES.items():
        yield _gauge(name, means, [((lane,), told[key]) for lane, told in lanes.items()], ["lane"])
    for key, (name, means) in _LANE_COUNTS.items():
        yield _counter(name, means, [((lane,), told[key]) for lane, told in lanes.items()], ["lane"])


def _radios(radios: Mapping[str, Any]) -> Iterator[Metric]:
    standing = [((link, told["state"]), 1) for link, told in radios.items()]
    yield _gauge("radio_state", "1 for the state that it is in.", standing, ["link", "state"])
    for key, (name, means) in _RADIO_GAUGES.items():
        yield _gauge(name, means, [((link,), told[key]) for link, told in radios.items()], ["link"])
    repeated = [((link,), told["repeated"]) for link, told in radios.items()]
    yield _counter("radio_repeated_adverts", "Adverts that said nothing new.", repeated, ["link"])
    climbed = [((link, step), count) for link, told in radios.items() for step, count in told["rungs"].items()]
    yield _counter("radio_recoveries", "Steps taken to heal it.", climbed, ["link", "step"])


def _box(box: Mapping[str, Any]) -> Iterator[Metric]:
    for key, name, means in (
        ("temperature_c", "temperature_celsius", "The box's hottest thermometer."),
        ("disk_free", "disk_free_bytes", "Free where the data folder is."),
        ("disk_size", "disk_size_bytes", "In all there."),
    ):
        yield _gauge(name, means, [((), box[key])] if box[key] is not None else [])
    ends = [((where,), datetime.fromisoformat(end).timestamp()) for where, end in box["certificates"].items()]
    yield _gauge("certificate_end_timestamp_seconds", "When it ends.", ends, ["certificate"])


def _gauge(name: str, means: str, values: Values, labels: Iterable[str] = ()) -> Metric:
    family = GaugeMetricFamily(f"{PREFIX}{name}", means, labels=list(labels))
    for labelled, value in values:
        family.add_metric(list(labelled), float(value))
    return family


def _counter(name: str, means: str, values: Values, labels: Iterable[str]) -> Metric:
    family = CounterMetricFamily(f"{PREFIX}{name}", means, labels=list(labels))
    for labelled, value in values:
        family.add_metric(list(labelled), value)
    return family
