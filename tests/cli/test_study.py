"""``facemood analyze --participants``: a study from videos to tables, as a user runs it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.study_videos import Shot, write_video

PLAN = """path,person,participant,condition,start,end,baseline_start,baseline_end,age
pair.mp4,left,p01,talk,1,,0,1,31
pair.mp4,right,p02,talk,1,,,,24.5
alone.mp4,,p01,read,,1,,,31
"""


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a plan, a video of two people with a cut, and one of a single person."""
    folder = tmp_path_factory.mktemp("study")
    pair = (("astronaut", 120), ("hopper", 360))
    write_video(folder / "pair.mp4", [Shot(2, pair), Shot(3), Shot(1.5, (("astronaut", 170), ("hopper", 320)))])
    write_video(folder / "alone.mp4", [Shot(1.5, (("hopper", 240),))])
    (folder / "plan.csv").write_text(PLAN)
    return folder


def test_the_plan_is_carried_into_every_table(facemood: Run, study: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="Parquet needs the extra data")
    names = ["t.csv", "t.jsonl", "t.parquet", "codebook.csv", "t.html"]
    outputs = [part for name in names for part in ("-o", name)]
    done = facemood("analyze", study / "pair.mp4", study / "alone.mp4", "--participants", study / "plan.csv", *outputs)
    assert done.returncode == 0, done.stderr
    rows = rows_of(tmp_path / "t.csv")
    pair = [row for row in rows if row["source"].endswith("pair.mp4") and row["face"]]
    assert list(rows[0])[-6:] == ["participant", "condition", "session", "segment", "segment_time", "age"]
    for row in pair:
        inside, left = float(row["timestamp"]) >= 1, float(row["x1"]) < 240
        assert row["participant"] == ("" if not inside else "p01" if left else "p02")
        assert row["condition"] == ("talk" if inside else "")
        if inside:
            assert float(row["segment_time"]) == pytest.approx(float(row["timestamp"]) - 1)
            assert row["age"] == ("31.0" if left else "24.5")
    tracks = {name: {row["track_id"] for row in pair if row["participant"] == name} for name in ("p01", "p02")}
    assert len(tracks["p01"] | tracks["p02"]) > 2  # new numbers after the cut, the same participants
    changed = {row["participant"] for row in pair if row["change_happy"] and row["participant"]}
    assert changed == {"p01"}
    assert all(row["change_happy"] for row in pair if row["participant"] == "p01")  # also after the cut
    alone = [row for row in rows if row["source"].endswith("alone.mp4")]
    assert {row["participant"] for row in alone if float(row["timestamp"]) < 1} == {"p01"}
    assert {row["participant"] for row in alone if float(row["timestamp"]) >= 1} == {""}
    lines = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    faces = [face for line in lines for face in line["faces"]]
    assert [face.get("segment", {}).get("participant", "") for face in faces] == [
        row["participant"] for row in rows if row["face"]
    ]
    parquet = pytest.importorskip("pyarrow.parquet").read_table(tmp_path / "t.parquet").to_pylist()
    assert [row["age"] for row in parquet] == [float(row["age"]) if row["age"] else None for row in rows]
    book = {row["name"]: row for row in rows_of(tmp_path / "codebook.csv")}
    assert book["age"]["meaning"].startswith("Column 'age' of the plan")
    assert "(p01)" in (tmp_path / "t.html").read_text()
    assert "(p01)" in done.stderr
    sidecar = json.loads((tmp_path / "t.csv.json").read_text())
    (settings,) = [one for one in sidecar["settings"].values() if len(one["participants"]) == 2]
    assert settings["participants"][0]["baseline"] == [0.0, 1.0]


def test_a_changed_plan_reads_again_only_what_it_changes(facemood: Run, study: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.csv"
    plan.write_text(PLAN)
    arguments = ("analyze", study / "pair.mp4", study / "alone.mp4", "--participants", plan, "--every", "0.5s", "-q")
    assert facemood(*arguments, "-o", "{name}.csv").returncode == 0
    plan.write_text(PLAN.replace("alone.mp4,,p01,read", "alone.mp4,,p01,write"))
    done = facemood(*arguments, "-o", "{name}.csv", "--resume")
    assert done.returncode == 0, done.stderr
    assert "1 of 2 inputs are done already" in done.stderr
    assert {row["condition"] for row in rows_of(tmp_path / "alone.csv")} == {"write", ""}
    assert {row["condition"] for row in rows_of(tmp_path / "pair.csv")} == {"talk", ""}


def test_a_plan_that_does_not_fit_is_wrong_usage_and_nothing_is_read(
    facemood: Run, study: Path, tmp_path: Path
) -> None:
    done = facemood("analyze", study / "pair.mp4", "--participants", study / "plan.csv", "-o", "t.csv")
    assert done.returncode == 2
    assert "plan.csv, line 4: no input fits the path 'alone.mp4'" in " ".join(done.stderr.split())
    assert list(tmp_path.iterdir()) == []
    done = facemood("analyze", study / "pair.mp4", "--participants", "none.csv", "-o", "t.csv")
    assert (done.returncode, "cannot be read" in done.stderr) == (2, True)


def test_the_plan_is_not_written_over(facemood: Run, study: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.csv"
    plan.write_text("path,participant\nalone.mp4,p01\n")
    done = facemood("analyze", study / "alone.mp4", "--participants", plan, "-o", "plan.csv")
    assert done.returncode == 2
    assert plan.read_text() == "path,participant\nalone.mp4,p01\n"


def test_a_list_of_names_is_not_written_over(facemood: Run, study: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text(f"path,site\n{study / 'alone.mp4'},north\n")
    done = facemood("analyze", "--from", listed, "--column", "path", "-o", "list.csv")
    assert done.returncode == 2
    assert listed.read_text().startswith("path,site")
    done = facemood("analyze", study / "alone.mp4", "--column", "path", "-o", "t.csv")
    assert (done.returncode, "--from, which is missing" in " ".join(done.stderr.split())) == (2, True)


def test_inputs_without_a_line_and_people_without_a_baseline_are_told(
    facemood: Run, study: Path, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.csv"
    plan.write_text("path,participant,person,start,baseline_start,baseline_end\npair.mp4,p01,9,1,0,0.5\n")
    done = facemood("analyze", study, "--participants", plan, "--every", "0.5s", "-o", "t.csv")
    assert done.returncode == 0
    words = " ".join(done.stderr.split())
    assert "1 input not in the plan, such as" in words
    assert "pair.mp4: p01 was not seen from 0 to 0.5 s, so there is no baseline" in words
