"""gateway/contract/README.md: what the people of the platform read is what the gateway holds to."""

import re
from pathlib import Path

import yaml

from drivers.base import BOOLEAN_METRICS, UNITS
from gateway.contract import MessageName, schema
from gateway.model import AlertKind
from gateway.protection import Flaw, State, judged
from tests.support.contract import check

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "gateway/contract"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
ASYNCAPI = yaml.safe_load((FOLDER / "asyncapi.yaml").read_text(encoding="utf-8"))
TOPICS = {channel["address"] for channel in ASYNCAPI["channels"].values()}
KINDS = schema(MessageName.ALERT)["$defs"]["kind"]["enum"]
BASE = "398/v1/xinhua-03"


def rows(title: str) -> list[list[str]]:
    """The table of the page whose heading begins so, without its head."""
    table = README.split(f"| {title}", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]


def named(column: list[list[str]]) -> list[str]:
    return [word for row in column for word in re.findall(r"`([^`]+)`", row[0])]


def test_the_page_names_every_topic_and_kind() -> None:
    assert set(named(rows("topic |"))) == TOPICS
    assert sorted(named(rows("kind |"))) == sorted(KINDS)


def test_the_page_says_which_topics_are_retained() -> None:
    retained = named([row for row in rows("topic |") if row[2] == "yes"])
    protection = "{root}/{station}/wearer/{wearer}/protection"
    assert set(retained) == {"{root}/{station}/state", "{root}/{station}/health", protection}


def test_the_page_has_the_units_of_the_drivers() -> None:
    table = {named([row])[0]: row[1] for row in rows("metric |")}
    units = {metric.value: unit for metric, unit in UNITS.items()}
    assert table == units | {metric.value: "boolean" for metric in BOOLEAN_METRICS}


def test_the_page_says_which_kinds_this_release_raises() -> None:
    raised = named([row for row in rows("kind |") if row[2].startswith("yes")])
    assert set(raised) == {kind.value for kind in AlertKind}


def test_the_page_explains_every_field_of_an_alert_and_every_word() -> None:
    data = schema(MessageName.ALERT)
    words = set(re.findall(r"`([a-z_]+)`", README))
    fields = data["$defs"]["alert"]["properties"]
    assert fields.keys() - {"id", "station", "severity", "state"} <= words
    for field in ("state", "severity", "auth"):
        assert set(fields[field]["enum"]) <= words
    assert set(data["properties"]["data"]["properties"]["reason"]["enum"]) <= words
    causes = schema(MessageName.GAP)["properties"]["data"]["properties"]["cause"]["enum"]
    codes_ = schema(MessageName.RESPONSE)["properties"]["error"]["properties"]["code"]["enum"]
    assert set(causes) | set(codes_) <= words


def test_every_example_on_the_page_is_valid_on_the_topic_that_it_stands_under() -> None:
    """One without a topic of its own is on that of the example before it."""
    shown, topic = set(), ""
    for text, block in re.findall(r"(.*?)```json\n(.*?)```", README, re.DOTALL):
        topic = (re.findall(rf"`({BASE}/[^`]+)`", text) or [topic])[-1]
        check(topic, block.encode())
        shown.add(topic)
    for address in TOPICS:
        pattern = re.sub(r"{\w+}", "[^/]+", address.replace("{root}/{station}", BASE))
        assert any(re.fullmatch(pattern, topic) for topic in shown), address


def test_the_page_says_what_each_reason_and_state_of_protection_means() -> None:
    assert set(named(rows("reason | meaning"))) == {flaw.value for flaw in Flaw}
    assert named(rows("state | meaning")) == [state.value for state in State]
    told = {flaw: row[2] for row in rows("reason | meaning") for flaw in named([row])}
    assert told == {flaw.value: judged([flaw], rings=False).value for flaw in Flaw}


def test_the_page_names_every_fault_that_the_code_can_begin() -> None:
    modules = [path for folder in ("gateway", "drivers") for path in (ROOT / folder).rglob("*.py")]
    beginning = r'(?:begin\(|Down\(|Meaning\(|fault=|super\(\)\.__init__\(|told = )\s*"([a-z_]+)"'
    begun = set(re.findall(beginning, "".join(map(Path.read_text, modules))))
    writing = {"replay_write", "ble_write"}  # told to whoever wanted to write; no fault of the station's
    assert set(named(rows("fault |"))) == begun - writing
