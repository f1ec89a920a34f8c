"""`station-gateway replay`: what a capture comes to in the real pipeline, and the same at any speed."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.cli.street import Code, Kind, Wearable
from tests.support.command import Said, command

Replay = Callable[..., Said]


@pytest.fixture
def replay(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Replay:
    """Play these lines; the roster knows the band 1."""
    (tmp_path / "gateway.yaml").write_text("station: a\nmqtt: {brokers: [mqtt://localhost:1]}\n")
    (tmp_path / "devices.yaml").write_text(
        'devices: [{id: band-0001, address: "C0:98:00:00:00:01", wearer: w-0001, zone: lobby}]\n'
    )

    def run(lines: list[str], *words: str) -> Said:
        (tmp_path / "c.jsonl").write_text("\n".join(lines))
        return command(capsys, "replay", "--config", str(tmp_path / "gateway.yaml"), str(tmp_path / "c.jsonl"), *words)

    return run


def line(t: float | None, band: Wearable, kind: Kind = Kind.EVENT, link: str = "ble:hci0", rssi: int = -60) -> str:
    told = {"kind": "manufacturer", "key": 65535, "address": band.address, "rssi": rssi, "link": link}
    payload = "9803" + band.payload(kind).hex()
    return json.dumps({"t": t} | told | {"payload": payload} if t is not None else told | {"payload": payload})


def said_of(said: Said, what: str) -> list[tuple[float, str, str]]:
    assert said.status == 0, said
    rows = [each.split(maxsplit=2) for each in said.out.splitlines()]
    found = [(row[0], *row[2].split(maxsplit=1)) for row in rows if len(row) == 3 and row[1] == what]
    return [(float(t), who, text) for t, who, text in found]


def a_day() -> list[str]:
    """A fall that is cancelled, one that is not, an SOS whose copies come over two radios, a battery that runs low."""
    band = Wearable(1)
    lines = [line(0, band, Kind.HEARTBEAT)]
    band.press(Code.FALL, 0)
    lines += [line(2 + n / 5, band) for n in range(3)]
    band.press(Code.FALL_CANCELLED, 0)
    lines += [line(9, band)]
    band.press(Code.FALL, 0)
    lines += [line(60, band)]
    band.press(Code.SOS, 0)
    lines += [line(100, band), line(100.2, band, link="ble:hci1", rssi=-50), line(100.4, band)]
    band.low_battery = True
    lines += [line(200, band, Kind.VITALS)]
    band.low_battery = False
    lines += [line(260, band, Kind.VITALS)]
    band.low_battery = True
    return [*lines, line(400, band, Kind.VITALS)]


def test_a_day_comes_to_its_alerts_at_the_captures_own_times(replay: Replay) -> None:
    told = said_of(replay(a_day(), "--fast"), "alert")
    assert {who for _, who, _ in told} == {"band-0001"}
    assert [(t, text.split(";")[0]) for t, _, text in told] == [
        (2.0, "fall raised (press)"),
        (9.0, "fall cancelled (cancelled)"),
        (60.0, "fall raised (press)"),
        (80.25, "fall raised (confirmed)"),
        (100.0, "sos raised (press)"),
        (200.0, "low_battery raised (press)"),
        (290.0, "low_battery cleared (condition_ended)"),
        (400.0, "low_battery raised (press)"),
    ]


def test_it_comes_to_the_same_at_any_speed(replay: Replay) -> None:
    assert replay(a_day(), "--fast") == replay(a_day(), "--speed", "2000")


def test_the_pace_is_that_of_the_capture(replay: Replay) -> None:
    band = Wearable(1)
    began = time.monotonic()
    replay([line(0, band), line(0.6, band)], "--speed", "2")
    assert time.monotonic() - began >= 0.3


def test_copies_are_joined_over_the_radios_that_the_capture_names(replay: Replay) -> None:
    band = Wearable(1)
    band.press(Code.FALL, 0)
    lines = [line(0, band), line(0.1, band, link="serial:lobby", rssi=-50), line(3, band, link="bench")]
    band.press(Code.FALL_CANCELLED, 0)
    raised, cancelled = said_of(replay([*lines, line(5, band)], "--fast"), "alert")
    assert raised[2] == "fall raised (press); not confirmed; heard by ble:hci0 at -60"
    heard = "heard by ble:hci0 at -60; heard by serial:lobby at -50; heard by replay:c.jsonl at -60"
    assert cancelled[2] == f"fall cancelled (cancelled); not confirmed; {heard}"


def test_readings_are_shown_and_strangers_have_none(replay: Replay) -> None:
    said = replay([line(0, Wearable(1)), line(1, Wearable(2)), line(None, Wearable(2))], "--fast")
    ((t, who, text),) = said_of(said, "reading")
    assert (t, who) == (0.0, "band-0001")
    assert "heart_rate 72 /min; spo2 97 %; skin_temperature 33.12 Cel; steps 4200" in text
    assert said.out.splitlines()[-1].startswith("3 packets, ")


def test_a_strangers_alert_is_shown_by_its_address(replay: Replay) -> None:
    band = Wearable(7)
    band.press(Code.SOS, 0)
    (_, who, text), *_ = said_of(replay([line(0, band)], "--fast"), "alert")
    assert (who, text.split(";")[0]) == ("00000007", "(not registered)  sos raised (press)")


def test_what_is_not_read_is_counted_and_lines_that_are_none_are_told(replay: Replay, tmp_path: Path) -> None:
    unknown = '{"kind":"manufacturer","key":43981,"address":"c09800000001","payload":"0102"}'
    cut = '{"kind":"manufacturer","key":65535,"address":"c09800000001","payload":"980301"}'
    wrong = [
        "nonsense",
        '{"kind":"smell","key":1,"payload":""}',
        '{"kind":"frame","key":"a","payload":"zz"}',
        '{"t":-1}',
    ]
    said = replay([unknown, cut, *wrong], "--fast")
    assert said.status == 0
    assert said.out == "2 packets, 0 readings, 0 events; not read: 1 too_short, 1 unknown\n"
    assert [each.split(": ")[:2] for each in said.err.splitlines()] == [
        [f"{tmp_path}/c.jsonl:{number}", "no line of a capture"] for number in (3, 4, 5, 6)
    ]


def test_nothing_is_left_behind(replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    replay([line(0, Wearable(1))], "--fast")
    assert list((tmp_path / "tmp").iterdir()) == []
    assert not (tmp_path / "data").exists()


def test_a_broker_that_is_not_there_ends_it_with_1(replay: Replay) -> None:
    said = replay([line(0, Wearable(1))], "--fast", "--live")
    assert (said.status, said.out) == (1, "")
    assert said.err.startswith("replay: mqtt://localhost:1: cannot be reached")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["/absent.jsonl"], "replay: /absent.jsonl: no such file or directory; name a capture"),
        (
            ["/dev/null"],
            "replay: /dev/null: no packet is in it; name a capture, as `station-gateway scan --save`",
        ),
        (["a", "--speed", "0"], "'0' is no number above 0"),
        (["a", "--speed", "2", "--fast"], "not allowed with argument"),
        ([], "the following arguments are required: FILE"),
    ],
)
def test_wrong_usage_exits_2_and_says_what_is_right(
    capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    said = command(capsys, "replay", *words)
    assert (said.status, said.out) == (2, "")
    assert sentence in said.err
