"""``facemood analyze --people``: people across cuts, as a user asks for them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import typer

from facemood.cli.people_option import parse_people
from tests.cli.conftest import Run
from tests.study_videos import Shot, write_video


@pytest.mark.parametrize(("text", "value"), [("1", 1), (" 12 ", 12), ("auto", "auto"), (None, None)])
def test_people_are_a_number_or_auto(text: str | None, value: object) -> None:
    assert parse_people(text) == value


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "", "²"])
def test_others_are_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="expected how many people there are, such as 2, or auto"):
        parse_people(text)


def test_every_output_has_the_numbers_of_people(facemood: Run, tmp_path: Path) -> None:
    turns = [Shot(1.8, ((name, 240),)) for name in ("astronaut", "hopper", "astronaut", "hopper")]
    video = write_video(tmp_path / "turns.mp4", turns)
    names = ["rows.csv", "turns.summary.csv", "turns.episodes.csv", "report.html", "drawn.mp4"]
    outputs = [part for name in names for part in ("-o", name)]
    done = facemood("analyze", video, "--every", "2", "--people", "auto", "--baseline", "0-1", *outputs)
    assert done.returncode == 0, done.stderr
    assert "person 2 was not seen from 0 to 1 s, so there is no baseline" in done.stderr
    assert "2 people" in done.stderr
    assert "--people auto joins them" not in done.stderr
    tables = {name: list(csv.DictReader((tmp_path / name).read_text().splitlines())) for name in names[:3]}
    by_shot = [
        {row["track_id"] for row in tables["rows.csv"] if float(row["timestamp"]) // 1.8 == shot} for shot in range(4)
    ]
    assert by_shot == [{"1"}, {"2"}, {"1"}, {"2"}]
    assert [row["track_id"] for row in tables["turns.summary.csv"]] == ["1", "2"]
    assert {row["person"] for row in tables["turns.episodes.csv"]} == {"1", "2"}
    report = (tmp_path / "report.html").read_text()
    assert "Person 2" in report
    assert "Person 3" not in report
    changed = {row["track_id"] for row in tables["rows.csv"] if row["change_happy"]}
    assert changed == {"1"}


def test_without_it_the_summary_says_that_people_can_be_joined(facemood: Run, tmp_path: Path) -> None:
    turns = [Shot(1.8, ((name, 240),)) for name in ("astronaut", "hopper", "astronaut")]
    done = facemood("analyze", write_video(tmp_path / "turns.mp4", turns), "--every", "2")
    assert "After a cut, people get new numbers; --people auto joins them" in done.stderr


def test_segments_are_refused(facemood: Run, tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", [Shot(0.3)])
    done = facemood("analyze", video, "--people", "2", "--segment", "10m")
    assert done.returncode == 2
    assert "people are joined over a whole video; read it without segments, or without people" in done.stderr
