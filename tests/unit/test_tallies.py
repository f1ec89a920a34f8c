"""The numbers for Prometheus: those of `health`, under the names that the contract's page lists, of no wearer."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from gateway import contract
from gateway.tallies import PREFIX, tallied

CONTRACT = Path(contract.__file__).parent
ASYNCAPI = yaml.safe_load((CONTRACT / "asyncapi.yaml").read_text(encoding="utf-8"))
HEALTH: dict[str, Any] = ASYNCAPI["components"]["messages"]["health"]["examples"][0]["payload"]
UNITS = ("_total", "_seconds", "_bytes", "_celsius", "_info", "_messages", "_wearables")
STATES = {"link_up", "lane_connected", "radio_state", "fault"}
"""0 or 1: these have no unit."""


class Given:
    def __init__(self, health: dict[str, Any]) -> None:
        self._health = health

    def collect(self) -> list[Metric]:
        return list(tallied(self._health, "0.1.0", "xinhua-03"))


def scraped(health: dict[str, Any]) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Every sample by its name and labels, as Prometheus's own parser reads it."""
    registry = CollectorRegistry()
    registry.register(Given(health))  # type: ignore[arg-type]
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        assert family.documentation, family.name
        for sample in family.samples:
            labels = tuple(sorted(sample.labels.items()))
            assert labels not in found.setdefault(sample.name, {}), sample
            found[sample.name][labels] = sample.value
    return found


def test_the_numbers_are_those_of_health() -> None:
    found = scraped(HEALTH)
    for link, told in HEALTH["links"].items():
        for counter in ("packets", "readings", "events"):
            assert found[f"{PREFIX}{counter}_total"][("link", link),] == told[counter]
    for lane, told in HEALTH["lanes"].items():
        assert found[f"{PREFIX}pending_messages"][("lane", lane),] == told["pending"]
        assert found[f"{PREFIX}delivered_total"][("lane", lane),] == told["delivered"]
    assert found[f"{PREFIX}rejected_frames_total"] == {(("link", "ble:hci0"), ("reason", "too_short")): 2}
    assert found[f"{PREFIX}fault"] == {(("fault", "serial_absent"), ("where", "serial:receiver-a")): 1}
    assert found[f"{PREFIX}radio_state"] == {(("link", "ble:hci0"), ("state", "hears")): 1}
    assert found[f"{PREFIX}build_info"] == {(("station", "xinhua-03"), ("version", "0.1.0")): 1}
    assert found[f"{PREFIX}temperature_celsius"] == {(): 51.5}
    assert found[f"{PREFIX}certificate_end_timestamp_seconds"] == {
        (("certificate", "mqtt.tls.certificate"),): 1_803_859_200.0
    }


def test_every_number_of_health_is_told() -> None:
    """Each counter and gauge changed alone changes what is scraped."""
    before = scraped(HEALTH)
    for section in ("links", "lanes", "radios"):
        for name, told in HEALTH[section].items():
            for key, value in told.items():
                if isinstance(value, int | float):
                    other = copy.deepcopy(HEALTH)
                    other[section][name][key] = not value if isinstance(value, bool) else value + 1
                    assert scraped(other) != before, (section, key)


@pytest.mark.parametrize("key", ["temperature_c", "disk_free", "disk_size"])
def test_what_the_box_does_not_tell_is_left_out(key: str) -> None:
    other = copy.deepcopy(HEALTH)
    other["box"][key] = None
    assert len(scraped(HEALTH)) - len(scraped(other)) == 1


def test_names_have_their_units_and_nobody_has_a_label() -> None:
    found = scraped(HEALTH)
    labels = {name for samples in found.values() for each in samples for name, _ in each}
    assert labels.isdisjoint({"device", "wearer", "address", "alert"})
    for name in found:
        assert name.startswith(PREFIX)
        assert name.endswith(UNITS) or name.removeprefix(PREFIX) in STATES, name


def test_the_page_lists_every_number_with_its_labels() -> None:
    page = (CONTRACT / "README.md").read_text(encoding="utf-8")
    table = page.split("| number |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    listed = {}
    for line in table:
        names, labels, _ = (re.findall(r"`(\w+)`", cell) for cell in line.strip("|").split("|", 2))
        listed.update({key: set(labels) for key in names})
    shown = {name: {label for each in samples for label, _ in each} for name, samples in scraped(HEALTH).items()}
    assert shown == listed
