"""A capture is heard as the air is: at its times, every line by itself, and a pipe goes on with its next writer."""

import asyncio
import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from drivers.base import BASE_UUID, Instant, LinkDown, Packet, PacketKind, Write
from drivers.replay import LINE_MAX, Replay, parsed, written
from tests.support.listening import Heard, hearing

NOW = Instant(1_000, 5)


def line(payload: str = "9803", **more: object) -> bytes:
    return json.dumps({"kind": "manufacturer", "key": 65535, "payload": payload} | more).encode() + b"\n"


END = line("ff")
"""Stands for the end of a capture: what is before it has been heard."""


def heard_of(path: Path, content: bytes) -> Heard:
    path.write_bytes(content + b"\n" + END)

    async def run() -> Heard:
        async with hearing(Replay("replay:a", path, lambda: NOW)) as (heard, task):
            await heard.until(lambda h: bool(h.packets) and h.packets[-1].payload == b"\xff")
            assert not task.done()  # the end of a capture is silence, not a failure
            return heard

    return asyncio.run(run())


def test_a_line_is_a_packet(tmp_path: Path) -> None:
    heard = heard_of(tmp_path / "a", line("9803ab", address="c09800010203", rssi=-60))
    wanted = Packet("replay:a", PacketKind.MANUFACTURER, 65535, b"\x98\x03\xab", NOW, "c09800010203", -60)
    assert heard.packets[0] == wanted
    assert heard.rejected == []


@pytest.mark.parametrize(
    "bad", [b"no json", b'{"kind": "smell", "key": 1, "payload": ""}', line("zz")[:-1], b"{}", b"\xff\xfe", b'{"kind":']
)
def test_a_line_that_is_none_is_told_and_the_next_one_heard(tmp_path: Path, bad: bytes) -> None:
    heard = heard_of(tmp_path / "a", line() + bad + b"\n" + line())
    assert heard.rejected == [("capture_line", bad)]
    assert len(heard.packets) == 3


def test_a_line_without_an_end_is_told_in_bounded_pieces(tmp_path: Path) -> None:
    heard = heard_of(tmp_path / "a", b"x" * (10 * LINE_MAX))
    assert heard.rejected
    assert {len(payload) for _, payload in heard.rejected} <= {512}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([line("01"), line("02"), b"rubbish\n", b"\n", b"\x00\n"]), max_size=40))
def test_good_lines_come_in_order_whatever_is_between_them(tmp_path: Path, lines: list[bytes]) -> None:
    heard = heard_of(tmp_path / "a", b"".join(lines))
    good = [bytes.fromhex(json.loads(each)["payload"]) for each in lines if each.startswith(b"{")]
    assert [packet.payload for packet in heard.packets[:-1]] == good
    assert len(heard.rejected) == sum(each.strip() in (b"rubbish", b"\x00") for each in lines)


def test_times_in_a_capture_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(line("01", t=0.0) + line("02", t=0.15) + line("03"))

    async def run() -> None:
        times: list[float] = []
        loop = asyncio.get_running_loop()

        def clock() -> Instant:
            times.append(loop.time())
            return NOW

        began = loop.time()
        async with hearing(Replay("replay:a", tmp_path / "a", clock)) as (heard, _):
            await heard.until(lambda h: len(h.packets) == 3)
            assert [packet.payload for packet in heard.packets] == [b"\x01", b"\x02", b"\x03"]
            assert times[-1] - began >= 0.15

    asyncio.run(run())


def test_a_pipe_waits_for_its_next_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    async def run() -> None:
        async with hearing(Replay("replay:a", tmp_path / "pipe", lambda: NOW)) as (heard, task):
            for number in (1, 2, 3):
                descriptor = os.open(tmp_path / "pipe", os.O_WRONLY)
                text = line(f"{number:02x}")
                os.write(descriptor, text[:9])
                await asyncio.sleep(0.01)
                os.write(descriptor, text[9:])
                os.close(descriptor)
                await heard.until(lambda h, number=number: len(h.packets) == number)  # type: ignore[misc]
            assert (heard.rejected, task.done()) == ([], False)

    asyncio.run(run())


def test_a_capture_that_is_not_there_is_named_and_takes_no_writes(tmp_path: Path) -> None:
    replay = Replay("replay:a", tmp_path / "nowhere", lambda: NOW)

    async def run() -> None:
        with pytest.raises(LinkDown) as told:
            async with hearing(replay):
                raise AssertionError("it came up")
        assert (told.value.fault, str(tmp_path / "nowhere") in str(told.value)) == ("capture_absent", True)
        with pytest.raises(LinkDown):
            await replay.write(Write("replay:a", "c09800010203", b"\x02"))

    asyncio.run(run())


@pytest.mark.parametrize("kind", ["file", "pipe"])
def test_its_file_is_closed_in_the_end(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "capture"
    os.mkfifo(path) if kind == "pipe" else path.write_bytes(line())

    def held() -> list[str]:
        links = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
        return [link for link in links if os.path.exists(link) and os.path.samefile(link, path)]

    async def run() -> None:
        async with hearing(Replay("replay:a", path, lambda: NOW)) as (heard, _):
            if kind == "file":
                await heard.until(lambda h: bool(h.packets))
            assert len(held()) == (kind == "pipe")  # a file that was played to its end is done with

    asyncio.run(run())
    assert held() == []


def test_what_is_written_is_heard_again(tmp_path: Path) -> None:
    packets = [
        Packet("ble:hci0", PacketKind.MANUFACTURER, 65535, b"\x98\x03", NOW, "c09800010203", -60, "Band 7"),
        Packet("ble:hci0", PacketKind.SERVICE_DATA, f"0000fcd2{BASE_UUID}", b"", NOW, "c09800010203"),
        Packet("serial:a", PacketKind.FRAME, "398-reference", b"\x01", NOW),
    ]
    lines = [written(packet, number / 100) for number, packet in enumerate(packets)]
    assert [parsed(each).packet(packet.link, NOW) for each, packet in zip(lines, packets, strict=True)] == packets
    assert [parsed(each).t for each in lines] == [0, 0.01, 0.02]
    heard = heard_of(tmp_path / "a", b"".join(lines))
    assert [replace(packet, link="replay:a") for packet in packets] == heard.packets[:-1]


def test_an_address_may_be_written_as_people_do() -> None:
    assert parsed(line(address="C0:98:00:01:02:03")).packet("a", NOW).address == "c09800010203"


@pytest.mark.parametrize("t", [-1, 1e300, "soon"])
def test_a_time_that_is_none_is_refused(t: object) -> None:
    with pytest.raises(ValueError):
        parsed(line(t=t))


def test_a_line_nested_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        parsed(line()[:-2] + b', "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")
