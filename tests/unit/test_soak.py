import itertools

import pytest

from tests.bench import soak
from tests.bench.soak import WARM, Watched, least, slope


def verdicts(values: list[float], *, slope: float | None = 1.0, most: float | None = None) -> list[str]:
    """Of one value a quarter of a day."""
    watched = Watched("memory", "MiB", lambda: 0.0, slope, most)
    watched.seen = list(zip(itertools.count(0.0, 0.25), values, strict=False))
    return [figure.verdict for figure in watched.figures()]


def test_the_slope_is_that_of_the_line_through_all_points() -> None:
    assert slope([(0.0, 5.0), (1.0, 7.0), (2.0, 9.0)]) == pytest.approx(2.0)
    assert slope([(0.0, 1.0), (1.0, 0.0), (2.0, 1.0)]) == pytest.approx(0.0)


def test_what_fills_in_the_first_day_is_no_slope() -> None:
    first = int(WARM / 0.25)
    assert verdicts([0.0, 20.0, 40.0, 60.0][:first] + [80.0] * 12) == ["", "", "kept"]


def test_what_goes_on_growing_beyond_its_bound_is_missed() -> None:
    assert verdicts([80.0 + 0.2 * each for each in range(12)]) == ["", "", "kept"]
    assert verdicts([80.0 + 0.3 * each for each in range(12)]) == ["", "", "MISSED"]


def test_what_is_there_for_a_moment_is_no_slope() -> None:
    looks = [(1.0 + each / 100, 33.0 if 75 <= each < 79 else 25.0) for each in range(100)]
    assert slope(looks) > 0.5
    assert slope(least(looks)) == pytest.approx(0.0)


def test_what_once_was_more_than_its_bound_is_missed_though_it_is_gone() -> None:
    assert verdicts([5.0] * 8 + [9.0] + [5.0] * 8, slope=None, most=8.0) == ["", "MISSED", ""]


def test_a_soak_that_ends_before_its_caches_are_full_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["soak", "--days", "1"])
    with pytest.raises(SystemExit) as ended:
        soak.main()
    assert ended.value.code == 2
    assert "more than 1" in capsys.readouterr().err
