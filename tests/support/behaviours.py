"""One made-up wearable for each way in which copies of a press are told apart, and what it sends."""

from collections.abc import Callable
from pathlib import Path

HEAD = """
profile: {name}
about: a wearable that only presses
source: made up for the tests
bluetooth: {{manufacturer: {{company: {company}}}}}
"""
PROFILES = {
    "edge": """
fields: {packet: {at: 0}, key: {at: 1}}
occurrences: [{field: key, behaviour: edge, key: packet, codes: {0: none, 1: sos}}]
golden: [{name: pressed, payload: "0701", occurrences: [{kind: sos, key: 7}]}]
""",
    "level": """
fields: {alarm: {at: 0}}
occurrences: [{field: alarm, behaviour: level, means: sos}]
golden: [{name: pressed, payload: "01", occurrences: [{kind: sos, active: true}]}]
""",
    "identity": """
fields: {minor: {at: 0}}
occurrences: [{field: minor, behaviour: identity, equals: [1], means: sos}]
golden: [{name: pressed, payload: "01", occurrences: [{kind: sos}]}]
""",
    "counter": """
fields: {kind: {at: 0}, count: {at: 1}, event: {at: 2}}
occurrences:
  - field: event
    behaviour: counter
    counter: {field: count, fresh: {field: kind, equals: 3}}
    codes: {0: none, 1: sos}
golden: [{name: pressed, payload: "030701", occurrences: [{kind: sos, counter: 7, fresh: true}]}]
""",
}
PRESSED: dict[str, Callable[[int], bytes]] = {
    "edge": lambda number: bytes([number, 1]),
    "level": lambda _: b"\1",
    "identity": lambda _: b"\1",
    "counter": lambda number: bytes([3, number, 1]),
}
"""The payload of a device's press of that number."""
COMPANIES = {name: 0xFF01 + place for place, name in enumerate(PROFILES)}
ADDRESSES = {name: f"c0980001{company:04x}" for name, company in COMPANIES.items()}


def write_profiles(folder: Path) -> None:
    folder.mkdir()
    for name, rest in PROFILES.items():
        (folder / f"{name}.yaml").write_text(HEAD.format(name=name, company=COMPANIES[name]) + rest)


def roster() -> str:
    return "\n".join(
        ["devices:", *(f"  - {{id: {n}, address: '{a}', wearer: w-{n}}}" for n, a in ADDRESSES.items()), ""]
    )


def advert(name: str, payload: bytes) -> bytes:
    """The section of its advert that bears the payload, with its length."""
    section = b"\xff" + COMPANIES[name].to_bytes(2, "little") + payload
    return bytes([len(section)]) + section
