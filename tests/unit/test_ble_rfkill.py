"""Whether an adapter is blocked, read from a folder like the kernel's own."""

from pathlib import Path

import pytest

from drivers.ble import rfkill


def switch(folder: Path, number: int, name: str, **state: str) -> None:
    place = folder / f"rfkill{number}"
    place.mkdir()
    for file, word in {"name": name, "soft": "0", "hard": "0", **state}.items():
        (place / file).write_text(f"{word}\n")


@pytest.mark.parametrize(
    ("state", "blocked"),
    [({}, False), ({"soft": "1"}, True), ({"hard": "1"}, True), ({"soft": "1", "hard": "1"}, True)],
)
def test_an_adapter_is_blocked_by_software_or_by_a_switch_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: dict[str, str], blocked: bool
) -> None:
    switch(tmp_path, 0, "phy0", soft="1")
    switch(tmp_path, 1, "hci1", soft="1")
    switch(tmp_path, 2, "hci0", **state)
    monkeypatch.setattr(rfkill, "SWITCHES", tmp_path)
    assert rfkill.blocks("hci0") is blocked


def test_what_rfkill_does_not_know_is_not_blocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rfkill0").mkdir()  # its adapter is just going
    for folder in (tmp_path, tmp_path / "nowhere"):
        monkeypatch.setattr(rfkill, "SWITCHES", folder)
        assert not rfkill.blocks("hci0")
