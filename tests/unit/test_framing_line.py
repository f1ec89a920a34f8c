"""line: cut at the delimiter, bounded."""

import pytest

from drivers.base import BadFrame
from drivers.framing import LineFraming
from tests.support.streams import heard, one_by_one

LINES = LineFraming(b"\r\n", 60)


def test_a_line_is_cut_at_its_end_and_bounded() -> None:
    stream = b"one\r\n\r\n" + b"x" * 100 + b"\r\ntwo\rhalf\r\nthree"
    expected = [b"one", ("oversized", b"x" * 60), b"two\rhalf"]
    assert heard(LINES, [stream]) == expected
    assert heard(LINES, one_by_one(stream)) == expected


def test_an_endless_line_is_told_once_and_not_held() -> None:
    deframer = LINES.deframer()
    found = [each for _ in range(100) for each in deframer.feed(b"x" * 5000)]
    assert [each.reason for each in found if isinstance(each, BadFrame)] == ["oversized"]
    assert deframer.feed(b"\r\nnext\r\n") == [b"next"]


@pytest.mark.parametrize("body", [b"a\r\nb", b"", bytes(61)])
def test_a_body_that_a_line_cannot_carry_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="a body of"):
        LINES.wrap(body)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [("61", "holds no end 0d0a"), ("61" * 61 + "0d0a", "is longer than 60 bytes"), ("0d0a610d0a", "")],
)
def test_the_bench_is_told_what_is_wrong_with_a_line(line: str, sentence: str) -> None:
    assert LINES.explain(bytes.fromhex(line)) == sentence
