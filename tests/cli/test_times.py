import pytest
import typer

from facemood.cli.times import parse_every, parse_period


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("25", 25), ("0.2", 0.2), (".5s", 0.5), ("3s", 3.0), ("1.5 s", 1.5), (None, None), (" auto", "auto")],
)
def test_frames_are_whole_numbers_and_seconds_are_not(text: str | None, value: object) -> None:
    parsed = parse_every(text)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize("text", ["0", "0s", "-1", "five", "1m", "", "1.2.3"])
def test_other_intervals_are_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="expected frames such as 5, seconds such as 0.5s, or auto"):
        parse_every(text)


@pytest.mark.parametrize(
    ("text", "period"),
    [("0:00-0:10", (0, 10)), ("5-12.5", (5, 12.5)), ("1:02:03 - 1:02:30", (3723, 3750)), (None, None)],
)
def test_periods_are_seconds_or_times(text: str | None, period: tuple[float, float] | None) -> None:
    assert parse_period(text) == period


@pytest.mark.parametrize("text", ["0:10", "0:10-0:05", "5-5", "a-b", "1--2", "-5", ""])
def test_other_periods_are_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="expected a period such as 0:00-0:10"):
        parse_period(text)
