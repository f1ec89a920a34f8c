"""What the control socket understands, and that nothing else does harm."""

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway import asks
from gateway.errors import RequestRefused

EVERY = [
    asks.Alerts(),
    asks.Show("01ka"),
    asks.Accept("01ka"),
    asks.Accept("01ka", "li"),
    asks.Clear("01ka", "a-1"),
    asks.Devices(),
    asks.Device("band-1"),
    asks.Test("band-1"),
    asks.Test("band-1", 10),
    asks.Outbox(),
    asks.Retry("5f0c9a12-41"),
    asks.Export("alert"),
    asks.Export("telemetry", 50),
    asks.Health(),
]


@pytest.mark.parametrize("ask", EVERY)
def test_what_is_asked_is_understood(ask: asks.Ask) -> None:
    assert asks.parse(asks.encode(ask) + b"\n") == ask


def test_every_kind_of_question_is_tried_here() -> None:
    assert {type(ask) for ask in EVERY} == set(asks.Ask.__args__)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"alerts",
        b"[]",
        b"null",
        b"{}",
        b'{"ask":"alerts"',
        b'{"ask":"reboot"}',
        b'{"ask":7}',
        b'{"ask":"show"}',
        b'{"ask":"show","alert":null}',
        b'{"ask":"accept","alert":"01ka","by":"Li Ming"}',
        b'{"ask":"accept","alert":"01ka","by":""}',
        b'{"ask":"accept","alert":"01ka","by":"li\\n"}',
        b'{"ask":"accept","alert":"01ka","by":"' + b"x" * 25 + b'"}',
        b'{"ask":"test","device":"band-1","minutes":0}',
        b'{"ask":"test","device":"band-1","minutes":11}',
        b'{"ask":"test","device":"band-1","minutes":"5"}',
        b'{"ask":"\xff"}',
        b'{"ask":"show","alert":"\\ud800"}',
        b"[" * 5_000,
        b'{"a":' * 1_000,
    ],
)
def test_what_is_no_question_is_refused_with_a_reason(line: bytes) -> None:
    with pytest.raises(RequestRefused) as refused:
        asks.parse(line)
    assert refused.value.code == "invalid"
    assert str(refused.value).startswith("not as the control socket knows it: ")


@given(st.binary(max_size=200))
@example(b'{"ask":"devices"}')
def test_bytes_are_a_question_or_refused(line: bytes) -> None:
    try:
        ask = asks.parse(line)
    except RequestRefused:
        return
    assert msgspec.json.decode(line)["ask"] in {"alerts", "show", "accept", "clear", "devices", "device", "test"}
    assert isinstance(ask, asks.Ask)
