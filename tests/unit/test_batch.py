"""A message of telemetry is read back as it was written, and what is none is no reading."""

import pytest

from gateway.batch import said
from gateway.model import Moment, Sample, Wearable
from tests.support.inside import StillClock, make_wire
from tests.support.moments import moment

BAND = Wearable("00010203", "band-0001", "w-7f3a")


def written(*samples: Sample) -> bytes:
    return make_wire(StillClock()).telemetry(samples, moment(0)).freeze("aaaa0000", 1).payload


def test_readings_keep_their_bytes_and_values_and_know_whose_minute_they_are_of() -> None:
    first, second = (
        Sample(BAND, moment(0), {"heart_rate": 72, "worn": True}),
        Sample(BAND, moment(59_999), {"spo2": 97.5}),
    )
    found = said(payload := written(first, second))
    assert found is not None
    assert [each.values for each in found] == [first.values, second.values]
    assert b",".join(each.written for each in found) in payload
    assert len({each.minute for each in found}) == 1


@pytest.mark.parametrize(
    "other",
    [
        Sample(BAND, moment(60_000), {"spo2": 97}),
        Sample(Wearable("00010204", "band-0002"), moment(0), {"spo2": 97}),
        Sample(BAND, moment(0), {"spo2": 97}, test=True),
        Sample(BAND, Moment(moment(0).wall_ms, 5, "another-boot", synced=False), {"spo2": 97}),
    ],
)
def test_another_minute_wearable_boot_or_a_test_is_apart(other: Sample) -> None:
    found = said(written(Sample(BAND, moment(0), {"spo2": 97}), other))
    assert found is not None
    assert found[0].minute != found[1].minute


@pytest.mark.parametrize(
    "payload", [b"", b"rubbish", b"\xff", b"{}", b'{"source":"a","data":{"station":"b"}}', b"[" * 9999]
)
def test_what_is_no_such_message_says_nothing(payload: bytes) -> None:
    assert said(payload) is None
