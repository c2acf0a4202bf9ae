"""``facemood analyze --people`` and ``--same-people``: people across cuts and videos, as a user asks for them."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest
import typer

from facemood.cli.people_option import mark_of_videos, parse_people
from tests.cli.conftest import Run
from tests.moving_faces import PHOTOS
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


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three videos: two people in turns, the second one alone, and both in the other order; and a photo."""
    folder = tmp_path_factory.mktemp("days")
    write_video(folder / "a.mp4", [Shot(1.0, ((name, 240),)) for name in ("astronaut", "hopper")])
    write_video(folder / "b.mp4", [Shot(1.0, (("hopper", 210),))], light=0.85, seed=5)
    write_video(folder / "c.mp4", [Shot(1.0, ((name, 260),)) for name in ("hopper", "astronaut")], light=1.1, seed=9)
    shutil.copy(PHOTOS / "astronaut.png", folder / "photo.png")
    return folder


def rows_of(table: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(table.read_text().splitlines()))


def people_by_shot(table: Path) -> dict[str, list[set[str]]]:
    """The numbers of people by second, by the name of the video."""
    found: dict[str, list[set[str]]] = {}
    for row in rows_of(table):
        if row["timestamp"]:
            shots = found.setdefault(Path(row["source"]).name, [set(), set()])
            shots[int(float(row["timestamp"]) + 1e-6)].add(row["track_id"])
    return found


THREE_DAYS = {"a.mp4": [{"1"}, {"2"}], "b.mp4": [{"2"}, set()], "c.mp4": [{"2"}, {"1"}]}
"""Who is when in the three videos."""


def test_the_same_person_has_the_same_number_in_all_videos(facemood: Run, days: Path, tmp_path: Path) -> None:
    outputs = ["-o", "rows.csv", "-o", "all.html"]
    done = facemood("analyze", days, "--every", "2", "--people", "auto", "--same-people", *outputs)
    assert done.returncode == 0, done.stderr
    assert people_by_shot(tmp_path / "rows.csv") == THREE_DAYS
    (photo,) = (row for row in rows_of(tmp_path / "rows.csv") if not row["timestamp"])
    assert (Path(photo["source"]).name, photo["track_id"]) == ("photo.png", "")
    assert "2 people" in done.stderr
    assert "with 2 people" in (tmp_path / "all.html").read_text()
    alone = facemood("analyze", days, "--every", "2", "--people", "auto", "-o", "alone.csv")
    assert alone.returncode == 0, alone.stderr
    assert "5 people" in alone.stderr
    assert people_by_shot(tmp_path / "alone.csv")["b.mp4"] == [{"1"}, set()]


def test_a_resumed_run_gives_the_same_numbers(facemood: Run, days: Path, tmp_path: Path) -> None:
    """Also where the people of the videos that are left came first in a video that is done already."""
    command = ["--every", "2", "--same-people", "--people", "2", "-o", "tables/{name}.csv"]
    videos = [days / f"{name}.mp4" for name in "abc"]
    assert facemood("analyze", *videos, *command).returncode == 0
    whole = {table.name: table.read_text() for table in (tmp_path / "tables").glob("*.csv")}
    (tmp_path / "tables" / "c.csv").unlink()
    again = facemood("analyze", *videos, *command, "--resume")
    assert again.returncode == 0, again.stderr
    assert "2 of 3 inputs are done already" in again.stderr
    assert {table.name: table.read_text() for table in (tmp_path / "tables").glob("*.csv")} == whole
    fewer = facemood("analyze", *videos[1:], *command, "--resume")
    assert fewer.returncode == 0, fewer.stderr
    assert "the settings are not those of the last run (same_people: 3 videos, " in fewer.stderr
    assert people_by_shot(tmp_path / "tables" / "b.csv") == {"b.mp4": [{"1"}, set()]}


def test_one_line_of_a_plan_names_a_person_in_all_videos(facemood: Run, days: Path, tmp_path: Path) -> None:
    (tmp_path / "plan.csv").write_text("path,participant,person\n*.mp4,p07,2\n*.mp4,p08,1\n")
    done = facemood(
        "analyze", days, "--every", "3", "--same-people", "--participants", "plan.csv", "-o", "rows.csv", "-q"
    )
    assert done.returncode == 0, done.stderr
    names = {(row["track_id"], row["participant"]) for row in rows_of(tmp_path / "rows.csv") if row["timestamp"]}
    assert names == {("1", "p08"), ("2", "p07")}


def test_a_video_that_cannot_be_read_costs_no_other_one(facemood: Run, days: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    done = facemood("analyze", broken, days / "a.mp4", days / "c.mp4", "--every", "2", "--same-people", "-o", "t.csv")
    assert done.returncode == 1
    assert done.stderr.count("broken.mp4") == 1
    assert people_by_shot(tmp_path / "t.csv") == {name: THREE_DAYS[name] for name in ("a.mp4", "c.mp4")}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--workers", "2", "-o", "t.csv"], "leave out --workers, --shard, --on and --gpus-per-worker, or same_people"),
        (
            ["--workers", "2", "-o", "archive/"],
            "leave out --workers, --shard, --on and --gpus-per-worker, or same_people",
        ),
        (
            ["--shard", "1/2", "-o", "archive/"],
            "leave out --workers, --shard, --on and --gpus-per-worker, or same_people",
        ),
        (["--segment", "10m", "-o", "t.csv"], "people are joined over a whole video; read it without segments"),
        (
            ["camera:0", "-o", "t.csv"],
            "camera:0 is live, or comes over a network, so same_people cannot track it first",
        ),
    ],
)
def test_what_cannot_be_numbered_across_videos_is_refused(
    facemood: Run, days: Path, tmp_path: Path, more: list[str], message: str
) -> None:
    done = facemood("analyze", days / "b.mp4", "--same-people", *more)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
    assert not [*tmp_path.iterdir()]


def test_the_mark_of_a_run_changes_with_its_videos(tmp_path: Path) -> None:
    one, other = tmp_path / "a.mp4", tmp_path / "b.mp4"
    one.write_bytes(b"1")
    other.write_bytes(b"2")
    mark = mark_of_videos([str(one), str(other)])
    assert mark.startswith("2 videos, ")
    assert mark_of_videos([str(one), str(other)]) == mark
    moved = tmp_path / "moved"
    moved.mkdir()
    for video in (one, other):
        shutil.copy2(video, moved)
    assert mark_of_videos([str(moved / "a.mp4"), str(moved / "b.mp4")]) == mark
    assert mark_of_videos([str(other), str(one)]) != mark
    assert mark_of_videos([str(one)]) != mark
    other.write_bytes(b"22")
    assert mark_of_videos([str(one), str(other)]) != mark
